"""Blocks of bytes to batches of whole lines, with each line looked at no more than once."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from convertro_cli.reading.batch import Items
from convertro_cli.reading.damage import DamagedExport

KEPT_LINE = 8 << 20


class Cut(Struct, frozen=True):
    """Whole lines that begin with number ``first_line``.

    With ``overlong`` it is the first ``KEPT_LINE`` bytes of one line of that many bytes, its
    newline not among them. ``items`` is as in ``LineBatch``. ``is_last`` marks what is left at
    the end of a file, and ``fault`` has what made it end too early.
    """

    first_line: int
    data: bytes
    overlong: int = 0
    items: Items = ()
    is_last: bool = False
    fault: DamagedExport | OSError | None = None


class Cutter:
    """Carries what follows a block's last newline over to the next block."""

    def __init__(self, first_line: int = 1) -> None:
        self._line = first_line
        self._carry = bytearray()
        self._overlong = 0

    def feed(self, block: bytes) -> Iterator[Cut]:
        """The lines that this block completes, most often one batch of them."""
        if len(self._carry) + len(block) > KEPT_LINE:
            end = block.find(b"\n")
            length = (self._overlong or len(self._carry)) + (len(block) if end < 0 else end)
            if length > KEPT_LINE:
                self._carry += block[: KEPT_LINE - len(self._carry)]
                self._overlong = length
                if end < 0:
                    return
                yield self.finish()
                self._line, self._carry, self._overlong = self._line + 1, bytearray(), 0
                block = block[end + 1 :]
        end = block.rfind(b"\n") + 1
        if not end:
            self._carry += block
            return
        data = b"".join((self._carry, memoryview(block)[:end])) if self._carry else block[:end]
        self._carry = bytearray(memoryview(block)[end:])
        yield Cut(self._line, data)
        self._line += data.count(b"\n")

    def finish(self) -> Cut:
        """What is left of the file at its end: a last line without its newline, or nothing."""
        return Cut(self._line, bytes(self._carry), self._overlong)
