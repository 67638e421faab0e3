"""The bytes of an export as they lie there, for decoders that look ahead and hand back."""

from __future__ import annotations

from convertro_cli.reading.raw import CHUNK, RawExport


class Feed:
    """Reads ahead of a decoder without ever waiting for more than the decoder needs.

    ``steady`` tells a file, which never keeps a reader waiting, from a pipe; ``fetched`` counts
    the bytes taken from it so far, those that were only looked at among them.
    """

    def __init__(self, raw: RawExport) -> None:
        self._raw = raw
        self._buffer = b""
        self._start = 0
        self.fetched = 0
        self.steady = raw.steady
        self._is_at_end = False

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
            left = self._buffer[self._start :] if self._buffer else b""
            self._buffer, self._start = left + more if left else more, 0
        return self._buffer[self._start : self._start + count]

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer only at the end."""
        data = self.peek(count)
        self._start += len(data)
        return data

    def reread(self, start: int, end: int) -> bytes:
        """The bytes from one position to another once more; only of a steady file."""
        return self._raw.reread(start, end)

    def whole(self, most: int) -> bytes | None:
        """All bytes of a file of at most so many, without consuming them; of a steady one only.

        None if there are more, or if some are consumed already.
        """
        if self._start or not self.steady:
            return None
        data = self.peek(most + 1)
        return data if len(data) <= most else None

    def _fetch(self) -> bytes:
        if self._is_at_end:  # as a file says once; whoever looks ahead asks again
            return b""
        data = self._raw.read(CHUNK)
        self._is_at_end = self.steady and not data
        self.fetched += len(data)
        return data
