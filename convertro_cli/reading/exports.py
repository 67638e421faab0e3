"""Exports as batches of messages, one a line; the face of this folder.

Arrays and batches of messages are taken apart, and a file without any message is refused.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from convertro_cli.reading.batch import LineBatch
from convertro_cli.reading.compression import Stream
from convertro_cli.reading.cutting import Cut
from convertro_cli.reading.damage import DamagedExport
from convertro_cli.reading.export_set import ExportFile
from convertro_cli.reading.foreign import may_be_text
from convertro_cli.reading.lines import lines_of, read_batches
from convertro_cli.reading.looks import SAMPLE_LINE, no_message
from convertro_cli.reading.messages import is_message, may_have_messages_in, messages_in

LINES_LOOKED_AT = 1_000
_HELD = 32 << 20  # bytes that are looked at, at most: so much must lie in memory meanwhile
_SAMPLE = 20


def read_exports(
    files: Iterable[ExportFile], *, stdin: BinaryIO | None = None, recognise: bool = True
) -> Generator[LineBatch, None, None]:
    """The messages of the files, as ``read_batches`` gives lines.

    Of a file none of whose first ``LINES_LOOKED_AT`` lines is a message nothing is handed on:
    it is damaged, and its ``end`` says what it looks like and what to do. Blank lines do not
    count. Handed on line by line it would fill the dead letters.
    """
    yield from read_batches(files, form=messages_of, stdin=stdin, recognise=recognise)


def holds_messages(path: Path) -> bool:
    """Whether a file of this machine is an export; where it cannot be read it is taken for none."""
    try:
        file = ExportFile(str(path), path, path.stat().st_size)
    except OSError:
        return False
    with closing(read_exports([file], recognise=False)) as batches:
        return any(batch.data and not batch.data.isspace() for batch in batches)


def messages_of(stream: Stream, name: str) -> Iterator[Cut]:
    """The lines of a file, arrays and batches taken apart; see ``read_exports``."""
    whole = stream.whole()
    if whole is not None and _is_plain(whole):
        yield Cut(1, whole, is_last=True)
        return
    cuts = map(taken_apart, lines_of(stream, name))
    held: list[Cut] = []
    look = _Look()
    for cut in cuts:
        held.append(cut)
        if look.finds_message(cut):
            break
        if look.has_enough or (cut.is_last and look.is_telling(cut)):
            raise DamagedExport(no_message(name, look.sample, stream.unpack, look.lines))
        if not look.lines:
            yield from held  # what is blank need not be held back
            held.clear()
    yield from held
    yield from cuts


def _is_plain(whole: bytes) -> bool:
    """Whether a small file holds nothing but lines, a message in the first: as nearly all do."""
    return (
        whole.startswith(b"{")
        and may_be_text(whole)
        and not may_have_messages_in(whole)
        and is_message(whole[: whole.find(b"\n") + 1])
    )


def taken_apart(cut: Cut) -> Cut:
    """The same lines, with the messages of an array or batch in place of its line."""
    if cut.items or cut.overlong or not may_have_messages_in(cut.data):
        return cut
    lines: list[bytes] = []
    items: list[tuple[int, int | None]] = []
    is_changed = False
    for number, line in enumerate(cut.data.removesuffix(b"\n").split(b"\n"), cut.first_line):
        messages = messages_in(line)
        if messages is None:
            lines.append(line)
            items.append((number, None))
        else:
            is_changed = True
            lines += messages
            items += ((number, index) for index in range(len(messages)))
    if not is_changed:
        return cut
    if cut.data.endswith(b"\n") and lines:
        lines.append(b"")
    return replace(cut, data=b"\n".join(lines), items=tuple(items))


class _Look:
    """Looks at the first lines of a file for one that is a message; keeps a few for the verdict."""

    def __init__(self) -> None:
        self.sample: list[bytes] = []
        self.lines = 0
        self._bytes = 0

    @property
    def has_enough(self) -> bool:
        """Whether so many lines were looked at that no more need be."""
        return self.lines >= LINES_LOOKED_AT or self._bytes > _HELD

    def finds_message(self, cut: Cut) -> bool:
        """Whether one of these lines is a message, among those that are to be looked at."""
        start = 0
        while start < len(cut.data):  # not split: the first line tells, most often
            end = cut.data.find(b"\n", start)
            end = end if end >= 0 else len(cut.data)
            line, start = cut.data[start:end], end + 1
            if not line or line.isspace():
                continue
            if is_message(line):
                return True
            self.lines += 1
            if len(self.sample) < _SAMPLE:
                self.sample.append(line[:SAMPLE_LINE])
            if self.lines >= LINES_LOOKED_AT:
                break
        self._bytes += len(cut.data)
        return False

    def is_telling(self, last: Cut) -> bool:
        """Whether the lines tell what the file is; one that a break cut short does not."""
        return self.lines > (1 if last.fault is not None and last.data.strip() else 0)
