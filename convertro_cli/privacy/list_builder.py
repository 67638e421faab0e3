"""Builds a suppression list out of any number of ids, in a few megabytes of memory.

What is said of each user is written down as a note, in sorted runs, and the runs are merged a
256th at a time: an external sort. So what is said of one user comes together, in the order of
time.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from zlib import crc32

from convertro_cli.privacy.suppression_list import (
    DIGEST_BYTES,
    RECORD_BYTES,
    Layout,
    SuppressionList,
    digest_of,
    encode_id,
)
from convertro_cli.workers.inherited import InheritedFile

FOR_GOOD = (0).to_bytes(8, "big")
"""Said of a user who is on the list whatever else is said."""

_FIRST_FREE = 3  # after standard input, output and error
_RUN = 8192
_BLOCK = 16 * 1024  # bytes written at once
_NOTE_BYTES = DIGEST_BYTES + 8 + 4  # digest, word, CRC-32
_LAST_OF_WORD = -5
_MOST = (1 << 32) // RECORD_BYTES // 2


def from_then_on(moment: int, *, suppressed: bool) -> bytes:
    """Give the word for a user who is on the list, or off it, from a moment on.

    ``moment`` is at least 0, in any unit. At the same moment, *suppressed* counts.
    """
    return ((moment + 1) * 2 + suppressed).to_bytes(8, "big")


class TooManyIdsError(Exception):
    """More ids than a list can hold."""


class ListBuilder:
    """Takes what is said of users, in any order, and makes a list of it.

    Raises OSError where there is no room for it, in the folder for temporary files.
    """

    def __init__(self) -> None:
        self._notes: list[bytes] = []
        self._runs: list[list[int]] = []
        self._file = temporary_file()
        self._size = 0

    def add(self, user_id: str, word: bytes = FOR_GOOD) -> None:
        """Note what is said of a user: a word of ``from_then_on``, or that it is for good."""
        encoded = encode_id(user_id)
        self._notes.append(digest_of(encoded) + word + crc32(encoded).to_bytes(4, "big"))
        if len(self._notes) == _RUN:
            self._end_run()

    def finish(self) -> SuppressionList:
        """Make the list."""
        self._end_run()
        most = self._size // _NOTE_BYTES
        if most > _MOST:
            raise TooManyIdsError
        layout = Layout.of(most)
        starts = array("I", [0]) * (layout.buckets + 1)
        seen = bytearray(layout.records - layout.seen)
        file = temporary_file()
        end = layout.records
        block = bytearray()
        number = int.from_bytes
        for note in self._last_notes():
            starts[(number(note[:3], "big") >> layout.bucket_shift) + 1] += RECORD_BYTES
            bit = number(note[-4:], "big") >> layout.seen_shift
            seen[bit >> 3] |= 1 << (bit & 7)
            block += note[DIGEST_BYTES - RECORD_BYTES : DIGEST_BYTES]
            if len(block) >= _BLOCK:
                end = write_all(file, block, end)
                block.clear()
        end = write_all(file, block, end)
        starts[0] = layout.records
        write_all(file, array("I", accumulate(starts)).tobytes(), 0)
        write_all(file, seen, layout.seen)
        return SuppressionList(file, (end - layout.records) // RECORD_BYTES, most)

    def _end_run(self) -> None:
        """Write a run, and keep where in the file each first byte of a digest begins in it."""
        notes = self._notes
        notes.sort()
        places = [bisect_left(notes, bytes([first])) for first in range(256)]
        self._runs.append([self._size + place * _NOTE_BYTES for place in (*places, len(notes))])
        self._size = write_all(self._file, b"".join(notes), self._size)
        notes.clear()

    def _last_notes(self) -> Iterator[bytes]:
        """Give the last note on each user who is on the list, in the order of the digests."""
        user, last, for_good = b"", b"", False
        for note in self._sorted_notes():
            if note[:DIGEST_BYTES] != user:
                if for_good or (user and last[_LAST_OF_WORD] & 1):
                    yield last
                user = note[:DIGEST_BYTES]
                # Of what is said of one user this comes first.
                for_good = note[DIGEST_BYTES:-4] == FOR_GOOD
            last = note
        if for_good or (user and last[_LAST_OF_WORD] & 1):
            yield last

    def _sorted_notes(self) -> Iterator[bytes]:
        descriptor = self._file.fileno()
        for first in range(256):
            parts = [
                os.pread(descriptor, run[first + 1] - run[first], run[first]) for run in self._runs
            ]
            yield from sorted(
                part[place : place + _NOTE_BYTES]
                for part in parts
                for place in range(0, len(part), _NOTE_BYTES)
            )


def temporary_file() -> InheritedFile:
    """Make a file without a name: nobody else can open it, and it is gone with the processes.

    That is so however they end, by SIGKILL too.
    """
    with tempfile.TemporaryFile(buffering=0) as file:
        # Where standard input is closed, the file may have got its number.
        return InheritedFile(fcntl.fcntl(file.fileno(), fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE))


def write_all(file: InheritedFile, content: bytes | bytearray, start: int) -> int:
    """Write at a place of the file; give where the content ends."""
    view = memoryview(content)
    while view:
        written = os.pwrite(file.fileno(), view, start)
        view, start = view[written:], start + written
    return start
