"""The bytes of a file as they lie on disk, for decoders that look ahead and hand back."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import stat
from typing import BinaryIO

from convertro_cli.reading.batch import BATCH_BYTES

CHUNK = BATCH_BYTES


class Feed:
    """Reads ahead of a decoder without ever waiting for more than the decoder needs.

    ``steady`` tells a regular file, which never keeps a reader waiting, from a pipe; ``fetched``
    counts the bytes taken from it so far, those that were only looked at among them.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        # A buffered reader's read() waits until it has all it was asked for; read1() does not.
        self._read_some = getattr(raw, "read1", raw.read)
        self._buffer = b""
        self._start = 0
        self.fetched = 0
        self._pipe: select.poll | None = None
        self.steady = False
        self._look_at_kind()

    @property
    def position(self) -> int:
        """Bytes handed out so far and not handed back."""
        return self.fetched - len(self._buffer) + self._start

    def read(self, limit: int = CHUNK) -> bytes:
        """At least one byte and at most ``limit``; none at the end."""
        if self._start == len(self._buffer):
            self._buffer, self._start = self._fetch(), 0
        if self._start == 0 and len(self._buffer) <= limit:
            self._start = len(self._buffer)
            return self._buffer
        data = self._buffer[self._start : self._start + limit]
        self._start += len(data)
        return data

    def back(self, count: int) -> None:
        """Hand back the last ``count`` bytes of what the latest read gave."""
        self._start -= count

    def peek(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer only at the end, without consuming them."""
        while len(self._buffer) - self._start < count:
            more = self._fetch()
            if not more:
                break
            self._buffer = self._buffer[self._start :] + more
            self._start = 0
        return self._buffer[self._start : self._start + count]

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer only at the end."""
        data = self.peek(count)
        self._start += len(data)
        return data

    def reread(self, start: int, end: int) -> bytes:
        """The bytes from one position to another once more; only of a steady file."""
        data = os.pread(self._raw.fileno(), end - start, self._origin + start)
        if not data and start < end:
            raise OSError(errno.EIO, "the file was cut short while it was read")
        return data

    def _fetch(self) -> bytes:
        data: bytes = self._read_some(CHUNK)
        if self._pipe is not None and data:
            data = self._with_what_has_arrived(data, self._pipe)
        self.fetched += len(data)
        return data

    def _with_what_has_arrived(self, data: bytes, pipe: select.poll) -> bytes:
        """A pipe gives 64 KiB at most at a time, or less; take more while that needs no wait."""
        parts = [data]
        missing = CHUNK - len(data)
        with contextlib.suppress(OSError):  # what was read goes first; the next read tells of it
            while missing > 0 and pipe.poll(0):
                data = self._read_some(missing)
                if not data:
                    break
                parts.append(data)
                missing -= len(data)
        return b"".join(parts)

    def _look_at_kind(self) -> None:
        self._origin = 0
        try:
            descriptor = self._raw.fileno()
        except (AttributeError, OSError):
            return
        self.steady = stat.S_ISREG(os.fstat(descriptor).st_mode)
        if self.steady:
            self._origin = self._raw.tell()
        else:
            self._pipe = select.poll()
            self._pipe.register(descriptor, select.POLLIN)
