"""Start-up: what a user waits for before anything happens."""

from __future__ import annotations

import sys
import time

from convertro_cli.mapping.dry_run import DryRunJob
from convertro_cli.reading.batch import LineBatch
from convertro_cli.workers.pool import run_in_order
from tests.bench.bench import Bench, python
from tests.bench.measure import Row, alternate, seconds
from tests.mapping.messages import make_rules

_WORKERS_LIMIT = 0.1


def run(bench: Bench) -> list[Row]:
    runs = bench.runs * 3
    mine, other = (
        [*python("convertro_cli"), "--version"],
        [sys.executable, "-c", "import typer, rich"],
    )
    seconds(mine), seconds(other)
    ours, theirs = alternate(runs, lambda: seconds(mine), lambda: seconds(other))
    (workers,) = alternate(runs, _two_workers)
    return [
        Row(
            name="start: convertro --version",
            ours=ours,
            theirs=theirs,
            unit="s",
            goal=1.3,
            sense="at most",
            against='python -c "import typer, rich"',
            runs=runs,
        ),
        Row(
            name="start: two mapping processes",
            ours=workers,
            theirs=_WORKERS_LIMIT,
            unit="s",
            goal=1,
            sense="at most",
            against=f"{_WORKERS_LIMIT} s",
            runs=runs,
        ),
    ]


def _two_workers() -> float:
    """Seconds until both have done a batch of one line."""
    batches = [LineBatch(0, "export", 1, b'{"type":"page"}\n', 16)] * 2
    began = time.perf_counter()
    done = run_in_order(DryRunJob(make_rules()), batches, workers=2)
    next(done), next(done)
    took = time.perf_counter() - began
    assert next(done, None) is None
    return took
