"""Files that are one JSON array of objects, or several: their items are handed on as lines.

Such an array can be of any size, on one line or over many, so that it is cut while it is read,
and no more of it is held than one item.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from convertro_cli.reading.cutting import KEPT_LINE, Cut, Cutter
from convertro_cli.reading.damage import DamagedExport
from convertro_cli.reading.nesting import BLANK, Parts
from convertro_cli.text import visible

_MEND = "mend the file, or export the messages as newline-delimited JSON,"
_OF_OBJECTS = re.compile(rb"[ \t\r\n]*\[[ \t\r\n]*\{")
_COULD_BE = re.compile(rb"[ \t\r\n]*(?:\[[ \t\r\n]*)?\Z")


def begins_array(head: bytes) -> bool | None:
    """Whether bytes that begin so begin an array of objects; None if they do not tell yet."""
    if _OF_OBJECTS.match(head):
        return True
    return None if _COULD_BE.match(head) else False


def one_line(item: bytes) -> bytes:
    """An item as one line: a carriage return in place of each newline.

    Between the parts of a JSON value it is as blank as the newline was, and in a string it is as
    wrong.
    """
    return item.replace(b"\n", b"\r")


class ArrayCutter:
    """Cuts the arrays that a file begins with; what follows after the last of them are lines."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._held = b""
        self._line = 1  # of the first byte that is held
        self._parts: Parts | None = None
        self._begun = 1  # the line in which the array begins
        self._index = 0
        self._lines: Cutter | None = None

    def feed(self, block: bytes) -> Iterator[Cut]:
        """The items that this block completes. Raises ``DamagedExport``, after those before it."""
        if self._lines is None:
            self._held += block
            yield from self._items()
            block, self._held = (self._held, b"") if self._lines else (b"", self._held)
        if self._lines is not None:
            yield from self._lines.feed(block)

    def finish(self) -> Cut:
        """What is left at the end of the file; half an item is told of and not given out."""
        if self._lines is not None:
            return self._lines.finish()
        if self._parts is None:
            return Cut(self._line, self._held)
        return Cut(self._line, b"", fault=self._fault("breaks off in", "fetch the file again"))

    def _items(self) -> Iterator[Cut]:
        while self._parts is not None or self._begin():
            parts = self._parts
            assert parts is not None
            cut = self._cut(parts)
            if cut.data:
                yield cut
            self._drop(parts.start)
            parts.at, parts.start = parts.at - parts.start, 0
            if parts.closed_by is None:
                if len(self._held) > KEPT_LINE:
                    raise self._fault(f"has over {KEPT_LINE >> 20} MiB in one item of", _MEND)
                return
            if parts.closed_by != b"]":
                raise self._fault("has a bracket too many, or one too few, in", _MEND)
            self._parts = None

    def _begin(self) -> bool:
        """Begin an array, if one comes next; if not, what comes are lines."""
        self._drop(len(self._held) - len(self._held.lstrip(BLANK)))
        begins = begins_array(self._held)
        if begins:
            self._parts, self._begun, self._index = Parts(1), self._line, 0
        elif begins is False:
            self._lines = Cutter(self._line)
        return bool(begins)

    def _cut(self, parts: Parts) -> Cut:
        lines: list[bytes] = []
        items: list[tuple[int, int | None]] = []
        for start, end in parts.go_on(self._held):
            item = one_line(self._held[start:end].strip(BLANK))
            if item:
                lines += (item, b"\n")
                items.append((self._begun, self._index))
            self._index += 1
        return Cut(self._begun, b"".join(lines), items=tuple(items))

    def _drop(self, count: int) -> None:
        self._line += self._held.count(b"\n", 0, count)
        self._held = self._held[count:]

    def _fault(self, what: str, cure: str) -> DamagedExport:
        return DamagedExport(
            f"{visible(self._name)} {what} the JSON array that begins in line {self._begun:,}, "
            f"after {self._index:,} items. What came before was used; {cure} and replay it."
        )
