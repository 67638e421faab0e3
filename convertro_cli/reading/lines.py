"""Export files as batches of whole lines, each with its place; the face of this folder.

A batch is a block of the file cut at its last newline, so that a file is read at about the speed
of memory: lines are counted here, and told apart by those who need each of them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Generator, Iterable, Iterator
from typing import BinaryIO

from convertro_cli.reading.batch import BATCH_BYTES, MAX_LINE, FileEnd, LineBatch
from convertro_cli.reading.compression import Stream, open_stream
from convertro_cli.reading.cutting import KEPT_LINE, Cutter
from convertro_cli.reading.damage import DamagedExport, unreadable
from convertro_cli.reading.foreign import text
from convertro_cli.reading.identity import FileIdentity, Witness
from convertro_cli.reading.sources import ExportFile

__all__ = ["BATCH_BYTES", "KEPT_LINE", "MAX_LINE", "FileEnd", "LineBatch", "read_batches"]


def read_batches(
    files: Iterable[ExportFile], *, stdin: BinaryIO | None = None
) -> Generator[LineBatch, None, None]:
    """The lines of the files, in order, in batches of about ``BATCH_BYTES``.

    Never raises for what is wrong with a file: that stands in its ``end``, and the next file
    follows. What arrives from a pipe is handed on without waiting for more. ``stdin`` stands in
    for standard input. Closing the generator closes the file.
    """
    for index, file in enumerate(files):
        yield from _read(index, file, stdin)


def _read(index: int, file: ExportFile, stdin: BinaryIO | None) -> Iterator[LineBatch]:
    cutter = Cutter()
    stream: Stream | None = None
    damage: str | None = None
    identity: FileIdentity | None = None
    with contextlib.ExitStack() as opened:
        try:
            raw = _open(file, stdin, opened)
            witness = Witness(file.path, raw.fileno()) if file.path else None
            stream = open_stream(raw, file.name)
            for block in text(stream, file.name):
                for cut in cutter.feed(block):
                    yield LineBatch(
                        index, file.name, cut.first_line, cut.data, stream.position, cut.overlong
                    )
            identity = witness.identity(stream.position) if witness else None
        except DamagedExport as error:
            damage = str(error)
        except OSError as error:
            damage = str(unreadable(file.name, stream.position if stream else 0, error))
    last = cutter.finish()
    yield LineBatch(
        index,
        file.name,
        last.first_line,
        last.data,
        stream.position if stream else 0,
        last.overlong,
        FileEnd(damage, identity),
    )


def _open(file: ExportFile, stdin: BinaryIO | None, opened: contextlib.ExitStack) -> BinaryIO:
    """The file, to be closed with ``opened``; or standard input, which stays open."""
    if file.path is not None:
        return opened.enter_context(file.path.open("rb", buffering=0))
    if stdin is None:
        if sys.stdin is None:
            raise OSError(errno.EBADF, "it is closed")
        # Unbuffered: Python aborts at its end while a thread still waits in the buffer.
        stdin = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
    with contextlib.suppress(OSError):
        os.set_blocking(stdin.fileno(), True)  # else a pause of its writer looks like its end
    return stdin
