"""The bytes of one export as they lie there, whatever it lies in."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import stat
from pathlib import Path
from typing import BinaryIO, Protocol

from convertro_cli.reading.batch import BATCH_BYTES
from convertro_cli.reading.identity import FileIdentity, Witness

_LEAST = 4096  # some files tell no size, such as those of /proc

CHUNK = BATCH_BYTES
"""So much is read at a time."""


class RawExport(Protocol):
    """An export that is open: a file, a pipe, or an object in object storage."""

    @property
    def steady(self) -> bool:
        """Whether its bytes are all there already, and can be read again; not those of a pipe."""

    def read(self, limit: int) -> bytes:
        """Give at least one byte and at most ``limit``; none at the end. Raises OSError."""

    def reread(self, start: int, end: int) -> bytes:
        """Give the bytes from one place to another once more; only of a steady export."""

    def identity(self, consumed: int) -> FileIdentity | None:
        """Tell what it is recognised by, once ``consumed`` bytes were read of it to its end.

        None if it cannot be recognised, or is not what it was when reading began.
        """


class ExportPlace(Protocol):
    """Where an export lies, if not in a file of this machine."""

    def begin(self) -> None:
        """Get ready to be read: ask for the first bytes. Returns at once."""

    def open(self) -> contextlib.AbstractContextManager[RawExport]:
        """Open it. Raises OSError."""

    @property
    def identity(self) -> FileIdentity | None:
        """What it is recognised by, as far as that is known without reading it."""


class OpenFile:
    """A file or a pipe that is open already; with its ``path`` it can be recognised later."""

    def __init__(self, raw: BinaryIO, path: Path | None = None) -> None:
        self._raw = raw
        # A buffered reader's read() waits until it has all it was asked for; read1() does not.
        self._read_some = getattr(raw, "read1", raw.read)
        self._pipe: select.poll | None = None
        self._origin = 0
        self._most = CHUNK
        self.steady = False
        self._look_at_kind()
        self._witness = Witness(path, raw.fileno()) if path is not None else None

    def __enter__(self) -> OpenFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    def read(self, limit: int) -> bytes:
        """Give at least one byte and at most ``limit``; none at the end."""
        data: bytes = self._read_some(min(limit, self._most))
        if self._pipe is not None and data:
            data = self._with_what_has_arrived(data, limit, self._pipe)
        return data

    def reread(self, start: int, end: int) -> bytes:
        """Give the bytes from one place to another once more; only of a steady file."""
        data = os.pread(self._raw.fileno(), end - start, self._origin + start)
        if not data and start < end:
            raise OSError(errno.EIO, "the file was cut short while it was read")
        return data

    def identity(self, consumed: int) -> FileIdentity | None:
        """Tell what it is recognised by, once ``consumed`` bytes were read of it to its end."""
        return self._witness.identity(consumed) if self._witness is not None else None

    def _with_what_has_arrived(self, data: bytes, limit: int, pipe: select.poll) -> bytes:
        """A pipe gives 64 KiB at most at a time, or less; take more while that needs no wait."""
        parts = [data]
        missing = limit - len(data)
        with contextlib.suppress(OSError):  # what was read goes first; the next read tells of it
            while missing > 0 and pipe.poll(0):
                data = self._read_some(missing)
                if not data:
                    break
                parts.append(data)
                missing -= len(data)
        return b"".join(parts)

    def _look_at_kind(self) -> None:
        try:
            descriptor = self._raw.fileno()
        except (AttributeError, OSError):
            return
        status = os.fstat(descriptor)
        self.steady = stat.S_ISREG(status.st_mode)
        if self.steady:
            self._origin = self._raw.tell()
            # Room for so much is made before it is read, and given back for a small file.
            self._most = max(status.st_size + 1, _LEAST)
        else:
            self._pipe = select.poll()
            self._pipe.register(descriptor, select.POLLIN)
