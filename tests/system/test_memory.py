"""Memory that does not grow with the export."""

from __future__ import annotations

from pathlib import Path

from tests.bench.memory import peak_memory
from tests.exports import write_export
from tests.system.program import PROGRAM, Workspace

MEGABYTE = 1_000_000
MOST = 150 * MEGABYTE


def write_three_times(export: Path, path: Path) -> Path:
    """Write the events of an export three times, each time with ids and orders of their own."""
    content = export.read_bytes()
    with path.open("wb") as out:
        for time in (b"1", b"2", b"3"):
            copy = content.replace(b'"messageId":"', b'"messageId":"%s-' % time)
            out.write(copy.replace(b'"A-1', b'"A-%s' % time))
    return path


def test_a_large_export(workspace: Workspace) -> None:
    """A dry run of three times the export needs hardly more, and less than 150 MB in all.

    The table of calls that came before is of one size, but takes its memory page by page: the
    smaller export is large enough to have touched nearly all of it.
    """
    small = write_export(workspace.folder / "small.ndjson", 47_000).path
    large = write_three_times(small, workspace.folder / "large.ndjson")
    assert large.stat().st_size > 120 * MEGABYTE
    options = ["--dry-run", "--workers", "2", "--config", str(workspace.config)]
    peaks = [
        peak_memory([*PROGRAM, "replay", str(export), *options]).rss for export in (small, large)
    ]
    assert peaks[1] < MOST
    assert peaks[1] - peaks[0] < 15 * MEGABYTE
