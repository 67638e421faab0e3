"""Start-up: what a user waits for before anything happens."""

from __future__ import annotations

import sys

from tests.bench.bench import Bench, python
from tests.bench.measure import Row, alternate, seconds


def run(bench: Bench) -> list[Row]:
    runs = bench.runs * 3
    mine, other = (
        [*python("convertro_cli"), "--version"],
        [sys.executable, "-c", "import typer, rich"],
    )
    seconds(mine), seconds(other)
    ours, theirs = alternate(runs, lambda: seconds(mine), lambda: seconds(other))
    return [
        Row(
            name="start: convertro --version",
            ours=ours,
            theirs=theirs,
            unit="s",
            ratio=ours / theirs,
            goal=1.3,
            sense="at most",
            against='python -c "import typer, rich"',
            runs=runs,
        )
    ]
