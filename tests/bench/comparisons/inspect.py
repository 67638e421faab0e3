"""``inspect``, which counts all that is in an export, against the dry run of it."""

from __future__ import annotations

from tests.bench.bench import Bench, python
from tests.bench.measure import Row, alternate, seconds


def run(bench: Bench) -> list[Row]:
    export = bench.export(50_000 if bench.quick else 1_000_000)
    settings = bench.settings("inspect")
    look = [*python("convertro_cli"), "inspect", str(export.path), "--config", str(settings)]
    ours, theirs = alternate(
        bench.runs,
        lambda: seconds([*look, "--format", "json", "--quiet"]),
        lambda: seconds(bench.dry_run(export, settings)),
    )
    return [
        Row(
            name="inspect",
            ours=ours,
            theirs=theirs,
            unit="s",
            goal=1.2,
            sense="at most",
            against="a dry run",
            runs=bench.runs,
            note=f"{export.events:,} events",
        )
    ]
