"""Peak memory must not grow with the export: ten times the events, the same memory."""

from __future__ import annotations

from tests.bench.bench import Bench, replay
from tests.bench.measure import Row
from tests.bench.memory import Peak, peak_memory
from tests.bench.nginx import running_nginx

MB = 1_000_000
LIMIT = 150.0


def _rows(name: str, small: Peak, large: Peak) -> list[Row]:
    note = f"PSS {small.pss / MB:.0f} → {large.pss / MB:.0f} MB"
    peak = max(small.rss, large.rss) / MB
    return [
        Row(
            name=f"peak memory, {name}",
            ours=large.rss / MB,
            theirs=small.rss / MB,
            unit="MB",
            goal=1.10,
            sense="at most",
            against="a tenth of the events",
            note=note,
        ),
        Row(
            name=f"peak memory, {name}, in all",
            ours=peak,
            theirs=LIMIT,
            unit="MB",
            goal=1,
            sense="at most",
            against="150 MB",
            note=note,
        ),
    ]


def run(bench: Bench) -> list[Row]:
    large = bench.export(100_000 if bench.quick else 2_000_000)
    small = bench.export(10_000 if bench.quick else 200_000)
    with running_nginx() as nginx:
        settings = bench.settings(
            "memory", base_url=nginx.base_url, transport="curl", concurrency=64
        )
        rows = _rows("dry run", *(peak_memory(bench.dry_run(e, settings)) for e in (small, large)))
        peaks = []
        for export in (small, large):
            state = str(bench.folder / f"memory-{export.events}")
            with nginx.expect(export.calls):
                peaks.append(peak_memory([*replay(export, settings), "--state", state]))
    return [*rows, *_rows("replay", *peaks)]
