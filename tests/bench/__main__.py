"""``python -m tests.bench [--quick] [--only NAME] [--json FILE]``: the table "How fast"."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from tests.bench import needs
from tests.bench.bench import Bench
from tests.bench.comparisons import (
    dry_run,
    inspect,
    large_ledger,
    memory,
    ready_urls,
    requests_threads,
    shell_pipe,
    slow_answers,
    small_files,
    start,
)
from tests.bench.measure import BenchFailedError, Row
from tests.bench.table import as_json, table

COMPARISONS: dict[str, Callable[[Bench], list[Row]]] = {
    "dry-run": dry_run.run,
    "inspect": inspect.run,
    "shell-pipe": shell_pipe.run,
    "ready-urls": ready_urls.run,
    "requests": requests_threads.run,
    "slow-answers": slow_answers.run,
    "small-files": small_files.run,
    "memory": memory.run,
    "start": start.run,
}
# To fill such a ledger takes minutes, and 3 GB: it is measured where it is asked for.
ASKED_FOR: dict[str, Callable[[Bench], list[Row]]] = {"large-ledger": large_ledger.run}
EVERY = COMPARISONS | ASKED_FOR


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--quick", action="store_true", help="smaller exports, median of 3")
    parser.add_argument(
        "--only",
        action="append",
        choices=list(EVERY),
        metavar="NAME",
        help=f"one of {', '.join(EVERY)}; may be given again",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main() -> int:
    """0: all goals met; 1: some not met, or not measured; 2: a needed program is missing."""
    options, console = _arguments(), Console(stderr=True)
    if absent := needs.missing():
        print(needs.explain(absent), file=sys.stderr)
        return 2
    rows: list[Row] = []
    faults: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        bench = Bench(Path(name), quick=options.quick, seed=options.seed)
        for title in options.only or COMPARISONS:
            console.print(f"measuring {title} …", style="dim")
            try:
                rows += EVERY[title](bench)
            except BenchFailedError as fault:
                faults[title] = str(fault)
                console.print(f"{title}: {escape(str(fault))}", style="red")
    if rows:
        Console().print(table(rows))
    if options.json:
        options.json.write_text(as_json(rows, faults) + "\n")
    return 0 if not faults and all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
