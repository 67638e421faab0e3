"""A dry run against jq doing nothing but the orders."""

from __future__ import annotations

from tests.bench.bench import Bench
from tests.bench.measure import Row, alternate, seconds
from tests.bench.programs import ORDERS


def run(bench: Bench) -> list[Row]:
    if bench.quick:
        return [_row(bench, 50_000, goal=2.1)]
    return [_row(bench, 200_000, goal=2.1), _row(bench, 2_000_000, goal=2.3)]


def _row(bench: Bench, events: int, *, goal: float) -> Row:
    export = bench.export(events)
    settings = bench.settings("dry-run")
    ours, theirs = alternate(
        bench.runs,
        lambda: export.events / seconds(bench.dry_run(export, settings)),
        lambda: export.events / seconds(["jq", "-c", ORDERS, export.path]),
    )
    return Row(
        name="dry run",
        ours=ours,
        theirs=theirs,
        unit="events/s",
        goal=goal,
        sense="at least",
        against="jq -c, orders alone",
        runs=bench.runs,
        note=f"{events:,} events",
    )
