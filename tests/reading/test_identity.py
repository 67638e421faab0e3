"""A file is recognised by its place, size, time and edges, and only if it was read as it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from convertro_cli.reading.batch import FileEnd
from convertro_cli.reading.identity import identify
from convertro_cli.reading.lines import read_batches
from tests.reading.running import export, read


@pytest.mark.parametrize("size", [0, 1, 65_536, 131_072, 500_000])
def test_a_file_read_to_its_end_has_the_identity_it_is_looked_up_by(
    tmp_path: Path, size: int
) -> None:
    """What reading hands over and what identify() finds later are the same."""
    path = tmp_path / "export"
    path.write_bytes(os.urandom(size))
    found = read(path).end.identity
    assert found == identify(path)
    assert found is not None
    assert (found.path, found.size, len(found.edges)) == (str(path.resolve()), size, 16)


def test_a_link_has_the_identity_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a file is named, it is the same one."""
    path = tmp_path / "export"
    path.write_text("{}\n")
    (tmp_path / "link").symlink_to(path)
    monkeypatch.chdir(tmp_path)
    assert identify(Path("link")) == identify(Path("export")) == identify(path)


@pytest.mark.parametrize("at", [0, 65_535, 200_000 - 65_536, 199_999])
def test_a_change_at_the_edges_is_seen(tmp_path: Path, at: int) -> None:
    """Other bytes in the first or last 64 KiB make another file, whatever its time says."""
    path = tmp_path / "export"
    path.write_bytes(bytes(200_000))
    before, status = identify(path), path.stat()
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"x")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert identify(path).mtime_ns == before.mtime_ns
    assert identify(path) != before


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"{}\n")


def shorten(path: Path) -> None:
    os.truncate(path, 400_000)


def replace(path: Path) -> None:
    status = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.rename(path)


def touch(path: Path) -> None:
    os.utime(path, ns=(0, 0))


@pytest.mark.parametrize("change", [append, shorten, replace, touch, Path.unlink])
def test_a_file_that_changes_while_it_is_read_has_no_identity(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """Nobody can say what was read of it, so it must be read again next time."""
    path = tmp_path / "export"
    path.write_bytes(b"{}\n" * 300_000)
    batches = read_batches([export(path)])
    next(batches)
    change(path)
    assert list(batches)[-1].end == FileEnd(None, None)


def test_a_file_without_a_true_size_has_no_identity() -> None:
    """Of what the system makes up while it is read, size and time say nothing."""
    found = read(Path("/proc/version"))
    assert found.data
    assert found.end == FileEnd(None, None)


def test_a_pipe_has_no_identity(tmp_path: Path) -> None:
    """It is refused at once, as opening it would wait for a writer."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        identify(tmp_path / "pipe")
