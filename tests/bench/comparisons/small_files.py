"""The same lines in small gzip files and in one: what a file costs beside its lines."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace

from tests.bench.bench import Bench
from tests.bench.measure import Row, alternate, seconds
from tests.bench.nginx import running_nginx
from tests.exports import ExportFacts

_LINES = 20  # in each of the small files


def run(bench: Bench) -> list[Row]:
    one, many = _packed(bench, bench.export(20_000 if bench.quick else 100_000))
    with running_nginx() as nginx:
        settings = bench.settings(
            "small-files", base_url=nginx.base_url, transport="curl", concurrency=64
        )

        def dry(export: ExportFacts) -> Callable[[], float]:
            return lambda: seconds(bench.dry_run(export, settings))

        def real(export: ExportFacts) -> Callable[[], float]:
            def measured() -> float:
                with nginx.expect(export.calls):
                    return bench.replay_seconds(export, settings)

            return measured

        return [
            _row("dry run of small files", bench.runs, one.events, dry(many), dry(one)),
            _row("replay of small files", bench.runs, one.events, real(many), real(one)),
        ]


def _row(
    name: str, runs: int, events: int, many: Callable[[], float], one: Callable[[], float]
) -> Row:
    ours, theirs = alternate(runs, many, one)
    return Row(
        name=name,
        ours=ours,
        theirs=theirs,
        unit="s",
        goal=1.3,
        sense="at most",
        against="the same lines in one file",
        runs=runs,
        note=f"{events // _LINES:,} gzip files of {_LINES} lines",
    )


def _packed(bench: Bench, export: ExportFacts) -> tuple[ExportFacts, ExportFacts]:
    """The export in one gzip file, and in a folder of small ones."""
    lines = export.path.read_bytes().splitlines(keepends=True)
    one, folder = bench.folder / "one.ndjson.gz", bench.folder / "many"
    one.write_bytes(gzip.compress(b"".join(lines), 6))
    folder.mkdir(exist_ok=True)
    for start in range(0, len(lines), _LINES):
        small = gzip.compress(b"".join(lines[start : start + _LINES]), 6)
        (folder / f"{start:07}.ndjson.gz").write_bytes(small)
    return replace(export, path=one), replace(export, path=folder)
