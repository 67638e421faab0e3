"""Memory that does not grow with the export."""

from __future__ import annotations

from tests.bench.memory import peak_memory
from tests.exports import write_export
from tests.system.program import PROGRAM, Workspace

MEGABYTE = 1_000_000
MOST = 150 * MEGABYTE


def test_a_large_export(workspace: Workspace) -> None:
    """A dry run of three times the export needs hardly more, and less than 150 MB in all.

    The table of calls that came before is of one size, but takes its memory page by page: the
    smaller export is large enough to have touched nearly all of it.
    """
    small = write_export(workspace.folder / "small.ndjson", 47_000)
    large = write_export(workspace.folder / "large.ndjson", 141_000)
    assert large.size > 120 * MEGABYTE
    options = ["--dry-run", "--workers", "2", "--config", str(workspace.config)]
    peaks = [
        peak_memory([*PROGRAM, "replay", str(facts.path), *options]).rss for facts in (small, large)
    ]
    assert peaks[1] < MOST
    assert peaks[1] - peaks[0] < 15 * MEGABYTE
