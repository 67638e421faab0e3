"""What the reader hands on: batches of whole lines, each with its place.

It stands apart from the reading itself, so that whoever gets batches need not load what reads
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convertro_cli.reading.identity import FileIdentity

MAX_LINE = 1 << 20  # a longer line is no message: Segment takes 32 KiB at most
BATCH_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class FileEnd:
    """How the reading of a file ended.

    ``damage`` is None if it was read to its end, else a sentence: what is wrong, where, and the
    fix. ``identity`` is there to recognise the file by; None for standard input and pipes, for
    a damaged file, and for one that changed while it was read.
    """

    damage: str | None
    identity: FileIdentity | None


@dataclass(frozen=True, slots=True)
class LineBatch:
    """Whole lines of one file; only the last line of a file may lack its newline.

    ``file`` is the file's index, ``source`` its name, ``first_line`` the number (from 1) of the
    first line in ``data``. ``position`` counts the bytes of the file consumed so far as it lies
    on disk. ``overlong`` above 0 says that ``data`` is the first ``KEPT_LINE`` bytes of one line
    of that many bytes. ``end`` is set in the last batch of a file, whose ``data`` may be empty.
    """

    file: int
    source: str
    first_line: int
    data: bytes
    position: int
    overlong: int = 0
    end: FileEnd | None = None
