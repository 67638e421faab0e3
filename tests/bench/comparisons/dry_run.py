"""A dry run against jq doing nothing but the orders."""

from __future__ import annotations

from tests.bench.bench import Bench
from tests.bench.measure import Row, alternate, seconds
from tests.bench.programs import ORDERS


def run(bench: Bench) -> list[Row]:
    export = bench.export(50_000 if bench.quick else 200_000)
    settings = bench.settings(
        "dry-run", base_url="http://127.0.0.1:9", transport="auto", concurrency=64
    )
    ours, theirs = alternate(
        bench.runs,
        lambda: export.events / seconds(bench.dry_run(export, settings)),
        lambda: export.events / seconds(["jq", "-c", ORDERS, export.path]),
    )
    return [
        Row(
            name="dry run",
            ours=ours,
            theirs=theirs,
            unit="events/s",
            ratio=ours / theirs,
            goal=3,
            sense="at least",
            against="jq -c, orders alone",
            runs=bench.runs,
        )
    ]
