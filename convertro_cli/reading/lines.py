"""Files as batches of whole lines, each with its place.

A batch is a block of the file cut at its last newline, so that a file is read at about the speed
of memory: lines are counted here, and told apart by those who need each of them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import BinaryIO

from convertro_cli.reading.ahead import read_ahead
from convertro_cli.reading.arrays import ArrayCutter, begins_array
from convertro_cli.reading.batch import FileEnd, LineBatch
from convertro_cli.reading.compression import Stream, open_stream
from convertro_cli.reading.cutting import Cut, Cutter
from convertro_cli.reading.damage import DamagedExport, unreadable
from convertro_cli.reading.export_set import ExportFile
from convertro_cli.reading.foreign import text
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.reading.raw import OpenFile, RawExport

Form = Callable[[Stream, str], Iterator[Cut]]
"""Makes lines of a file's bytes, given its name; the last of them has what was wrong with it."""


def lines_of(stream: Stream, name: str) -> Iterator[Cut]:
    """The lines of a file, whatever they hold; for an array of objects its items."""
    cutter: Cutter | ArrayCutter | None = None
    fault: DamagedExport | OSError | None = None
    try:
        for block in text(stream, name):
            if cutter is None:
                cutter = ArrayCutter(name) if begins_array(block) else Cutter()
            yield from cutter.feed(block)
    except (DamagedExport, OSError) as error:
        fault = error
    last = (cutter or Cutter()).finish()
    yield Cut(
        last.first_line,
        last.data,
        last.overlong,
        last.items,
        is_last=True,
        fault=fault or last.fault,
    )


def read_batches(
    files: Iterable[ExportFile],
    *,
    form: Form = lines_of,
    stdin: BinaryIO | None = None,
    recognise: bool = True,
) -> Generator[LineBatch, None, None]:
    """The lines of the files, in order, in batches of about ``BATCH_BYTES``.

    Never raises for what is wrong with a file: that stands in its ``end``, and the next file
    follows. What arrives from a pipe is handed on without waiting for more; a file that fits into
    one batch is one. ``stdin`` stands in for standard input. Closing the generator closes the
    file. Without ``recognise`` no file is given an identity, which takes another look at each.
    """
    for index, (file, is_next_there) in enumerate(read_ahead(files)):
        yield from _read(index, file, form, stdin, is_next_there, recognise)


def _read(
    index: int,
    file: ExportFile,
    form: Form,
    stdin: BinaryIO | None,
    is_next_there: bool,
    recognise: bool,
) -> Iterator[LineBatch]:
    stream: Stream | None = None
    damage: str | None = None
    identity: FileIdentity | None = None
    last = Cut(1, b"")
    held: Cut | None = None
    try:
        with _open(file, stdin, recognise) as raw:
            stream = open_stream(raw, file.name)
            for cut in form(stream, file.name):
                if held is not None and not (cut.is_last and not cut.data):
                    yield _batch(index, file.name, held, stream.position)
                    held = None
                if cut.is_last:
                    last = cut
                elif raw.steady:
                    held = cut  # so that the end of a file need be no batch of its own
                else:
                    yield _batch(index, file.name, cut, stream.position)
            if last.fault is not None:
                raise last.fault
            identity = raw.identity(stream.position) if recognise else None
    except DamagedExport as error:
        damage = str(error)
    except OSError as error:
        damage = str(unreadable(file.name, stream.position if stream else 0, error))
    end = FileEnd(damage, identity)
    position = stream.position if stream else 0
    yield _batch(index, file.name, held or last, position, end, is_followed=is_next_there)


def _batch(
    index: int,
    name: str,
    cut: Cut,
    position: int,
    end: FileEnd | None = None,
    is_followed: bool = False,
) -> LineBatch:
    return LineBatch(
        index, name, cut.first_line, cut.data, position, cut.overlong, end, cut.items, is_followed
    )


def _open(
    file: ExportFile, stdin: BinaryIO | None, recognise: bool
) -> contextlib.AbstractContextManager[RawExport]:
    """The export, which is closed at the end; standard input stays open."""
    if file.place is not None:
        return file.place.open()
    if file.path is not None:
        raw = open(file.path, "rb", buffering=0)  # noqa: PTH123, SIM115 - there may be very many
        return OpenFile(raw, file.path if recognise else None)
    if stdin is None:
        if sys.stdin is None:
            raise OSError(errno.EBADF, "it is closed")
        # Unbuffered: Python aborts at its end while a thread still waits in the buffer.
        stdin = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
    with contextlib.suppress(OSError):
        os.set_blocking(stdin.fileno(), True)  # else a pause of its writer looks like its end
    return contextlib.nullcontext(OpenFile(stdin))
