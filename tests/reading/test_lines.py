"""Files, pipes and standard input become batches; what is wrong with one stops no other."""

from __future__ import annotations

import bz2
import errno
import gzip
import os
import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.reading.batch import BATCH_BYTES, LineBatch
from convertro_cli.reading.cutting import KEPT_LINE
from convertro_cli.reading.export_set import ExportFile
from convertro_cli.reading.lines import read_batches
from convertro_cli.reading.sources import find_exports
from tests.reading.packing import PACKERS, unpack_bytewise
from tests.reading.running import STDIN, checked, export, read, read_stdin

PATIENCE = 20  # seconds after which a test that would hang fails instead


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(list(PACKERS)), st.binary(max_size=2_000), st.integers(1, 900))
def test_any_bytes_come_back_whole(kind: str, data: bytes, repeat: int) -> None:
    """The batches of any file join to its unpacked bytes, with the right line numbers."""
    data = b"{" + data * repeat
    assert read_stdin(BytesIO(PACKERS[kind](data))).data == data


@pytest.mark.parametrize("kind", PACKERS)
def test_a_large_file_comes_in_blocks_of_about_the_batch_size(kind: str, tmp_path: Path) -> None:
    """Batches are large enough to be cheap and small enough to hold, whatever the packing."""
    path = tmp_path / "export"
    data = b"".join(b'{"n":%d}\n' % n for n in range(300_000))
    path.write_bytes(PACKERS[kind](data))
    found = read(path)
    assert found.data == data
    sizes = [len(batch.data) for batch in found.batches[:-2]]
    assert len(sizes) > 4
    assert min(sizes) > BATCH_BYTES * 0.9
    assert max(sizes) < BATCH_BYTES * 2.1


def test_crlf_blank_lines_and_bad_bytes_are_just_lines(tmp_path: Path) -> None:
    """Reading changes no byte of a line."""
    path = tmp_path / "export"
    data = b"{}\r\n\r\n\n\xff\xfe\n\x00\n\x1b[2J\n \n{}"
    path.write_bytes(data)
    assert read(path).data == data


def test_an_empty_file_is_one_empty_batch(tmp_path: Path) -> None:
    """An empty file ends well, packed or not."""
    for pack in PACKERS.values():
        path = tmp_path / "export"
        path.write_bytes(pack(b""))
        (batch,) = read_batches([export(path)])
        assert (batch.first_line, batch.data, batch.position) == (1, b"", path.stat().st_size)
        assert batch.end is not None
        assert batch.end.damage is None
        assert batch.end.identity is not None


def test_long_lines_are_whole_and_longer_ones_are_counted(tmp_path: Path) -> None:
    """A line is carried whole up to the limit; of a longer one only the beginning is kept."""
    path = tmp_path / "export"
    path.write_bytes(b"1\n" + b"a" * KEPT_LINE + b"\n" + b"b" * (KEPT_LINE + 1) + b"\n4\n")
    batches = list(read_batches([export(path)]))
    checked(batches)
    overlong = [batch for batch in batches if batch.overlong]
    assert [(b.first_line, b.data, b.overlong) for b in overlong] == [
        (3, b"b" * KEPT_LINE, KEPT_LINE + 1)
    ]
    others = b"".join(batch.data for batch in batches if not batch.overlong)
    assert others == b"1\n" + b"a" * KEPT_LINE + b"\n4\n"


def test_files_come_one_after_another_with_their_place(tmp_path: Path) -> None:
    """Each batch says which file it is of, and each file's lines are numbered from 1."""
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode() * 3 + b"\nlast")
    batches = list(read_batches(find_exports([str(tmp_path)]).files))
    assert [(b.file, b.source, b.first_line, b.data) for b in batches] == [
        (0, f"{tmp_path}/a", 1, b"aaa\n"),
        (0, f"{tmp_path}/a", 2, b"last"),
        (1, f"{tmp_path}/b", 1, b"bbb\n"),
        (1, f"{tmp_path}/b", 2, b"last"),
    ]
    assert [batch.end is not None for batch in batches] == [False, True, False, True]


def test_a_damaged_file_does_not_keep_the_next_from_being_read(tmp_path: Path) -> None:
    """Gone, a folder, refused by the system or cut off: it is told, and the run goes on."""
    good, cut = tmp_path / "good", tmp_path / "cut"
    good.write_text("{}\n")
    cut.write_bytes(gzip.compress(b"{}\n" * 9)[:-9])
    gone = ExportFile("gone", tmp_path / "gone", 3)
    folder = ExportFile("folder", tmp_path, 3)
    refused = ExportFile("mem", Path("/proc/self/mem"), 0)  # opens, but address 0 gives EIO
    batches = list(read_batches([gone, folder, refused, export(cut), export(good)]))
    ends = [batch.end for batch in batches if batch.end]
    assert [end.damage for end in ends] == [
        "gone cannot be read: No such file or directory. Check the file and its permissions.",
        "folder cannot be read: Is a directory. Check the file and its permissions.",
        "mem cannot be read: Input/output error. Check the file and its permissions.",
        f"{cut} is cut off: its gzip data breaks off at byte {cut.stat().st_size:,}. "
        "What came before was used; fetch the file again and replay it.",
        None,
    ]
    assert [batch.data for batch in batches if batch.file == 4] == [b"{}\n"]


def test_a_file_without_permission_is_told(forbidden: Path) -> None:
    """Rights that were lost after the start are a damage of that file."""
    path = forbidden / "export"
    path.write_text("{}")
    path.chmod(0)
    (batch,) = read_batches([ExportFile("export", path, 2)])
    assert batch.end is not None
    assert "Permission denied" in (batch.end.damage or "")


class Failing(BytesIO):
    """Standard input on a disk that fails after some bytes."""

    def read1(self, size: int | None = -1, /) -> bytes:
        if data := super().read1(10):
            return data
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("kind", ["plain", "gzip"])
def test_what_was_read_before_an_error_of_the_disk_is_used(kind: str) -> None:
    """An error in the middle of a file keeps what came before it, to the last byte."""
    data = b'{"n":1}\n{"n":2}\n{"n"'
    found = read_stdin(Failing(PACKERS[kind](data)))
    assert found.data == data
    assert "cannot be read past byte" in found.damage
    assert "Input/output error" in found.damage


def test_standard_input_that_is_closed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program may be started without a standard input."""
    monkeypatch.setattr(sys, "stdin", None)
    (batch,) = read_batches([STDIN])
    assert batch.end is not None
    assert "cannot be read" in (batch.end.damage or "")


def test_standard_input_is_where_a_dash_reads_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without another stream given, it is the process's own, and it stays open."""
    stream = BytesIO(b"{}\n")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
    assert checked(list(read_batches([STDIN]))).data == b"{}\n"
    assert not stream.closed


def test_a_file_redirected_to_standard_input_is_read_to_its_end(tmp_path: Path) -> None:
    """It is read from where it stands, packed and spoiled as it may be, and has no identity."""
    path = tmp_path / "export"
    packed = bytearray(bz2.compress(random.Random(5).randbytes(400_000), 1))
    packed[350_000] ^= 255
    path.write_bytes(b"skipped" + PACKERS["bzip2"](b"{}\n" * 5) + packed)
    with path.open("rb") as file:
        file.seek(7)
        found = read_stdin(file)
    assert found.data == b"{}\n" * 5 + unpack_bytewise("bzip2", bytes(packed))[0]
    assert "damaged" in found.damage
    assert found.end.identity is None


@contextmanager
def pipe() -> Iterator[tuple[BinaryIO, int]]:
    """A real pipe: its reading end as standard input has it, and its writing end."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as stream:
        yield stream, writer


class Guard(threading.Timer):
    """Ends a pipe after a while, so that a reader which waits wrongly fails and does not hang."""

    def __init__(self, writer: int) -> None:
        super().__init__(PATIENCE, os.close, [writer])
        self.daemon = True


@pytest.mark.parametrize("kind", ["plain", "gzip", "zstd"])
def test_what_arrives_on_a_slow_pipe_is_handed_on_at_once(kind: str) -> None:
    """A batch comes for each write, though the pipe stays open; a half line waits for its rest."""
    with pipe() as (stream, writer):
        guard = Guard(writer)
        guard.start()
        batches = read_batches([STDIN], stdin=stream)
        got: list[LineBatch] = []
        for data in (b"{}\n", b'{"n":1}\n{"n"', b":2}\n\n"):
            os.write(writer, PACKERS[kind](data))
            got.append(next(batches))
        assert guard.is_alive()
        guard.cancel()
        os.close(writer)
        got += batches
    assert [batch.data for batch in got] == [b"{}\n", b'{"n":1}\n', b'{"n":2}\n\n', b""]
    assert [batch.first_line for batch in got] == [1, 2, 3, 5]


def test_a_fast_pipe_gives_large_batches() -> None:
    """What has arrived is taken together, though no single read gives all of it."""
    data = b'{"n":1}\n' * 8_000  # just under what a pipe holds
    with pipe() as (stream, writer):
        os.write(writer, data)
        assert 0 < len(stream.peek(1)) < len(data)  # type: ignore[attr-defined]
        batches = read_batches([STDIN], stdin=stream)
        assert next(batches).data == data
        os.close(writer)
        assert next(batches).end is not None


def test_a_pipe_that_does_not_block_is_read_to_its_end() -> None:
    """A standard input in non-blocking mode, as some parents leave it, does not end in a pause."""
    with pipe() as (stream, writer):
        os.set_blocking(stream.fileno(), False)
        batches = read_batches([STDIN], stdin=stream)
        os.write(writer, b"{}\n")
        assert next(batches).data == b"{}\n"
        assert os.get_blocking(stream.fileno())
        os.write(writer, b"[]\n")
        os.close(writer)
        assert [batch.data for batch in batches] == [b"[]\n", b""]


def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    """A FIFO gives what its writer writes and ends when the writer does."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    data = b'{"n":1}\n' * 100_000
    writer = threading.Thread(target=path.write_bytes, args=[gzip.compress(data)], daemon=True)
    writer.start()
    found = checked(list(read_batches(find_exports([str(path)]).files)))
    writer.join(PATIENCE)
    assert found.data == data
    assert found.end.damage is None
    assert found.end.identity is None


def test_a_substituted_process_is_read() -> None:
    """/dev/fd/N, as a shell passes <(command), is read like a file."""
    reader, writer = os.pipe()
    os.write(writer, b"{}\n{}")
    os.close(writer)
    found = checked(list(read_batches(find_exports([f"/dev/fd/{reader}"]).files)))
    os.close(reader)
    assert found.data == b"{}\n{}"


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.usefixtures("open_files")
def test_a_reader_that_is_stopped_early_closes_its_file(kind: str, tmp_path: Path) -> None:
    """Closing the iterator closes the file at once, whatever it was doing."""
    path = tmp_path / "export"
    path.write_bytes(PACKERS[kind](b"{}\n" * 500_000))
    batches = read_batches([export(path)])
    assert next(batches).data
    batches.close()


@pytest.mark.usefixtures("open_files")
def test_files_are_closed_after_their_end(tmp_path: Path) -> None:
    """A thousand files need no thousand descriptors."""
    for name in range(20):
        (tmp_path / str(name)).write_bytes(gzip.compress(b"{}\n")[: 20 + name])
    batches = list(read_batches(find_exports([str(tmp_path)]).files))
    assert {batch.file for batch in batches} == {*range(20)}
