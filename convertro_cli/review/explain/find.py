"""Finds the messages to explain, and reads no more of the export than that takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from convertro_cli.errors import ExitCode
from convertro_cli.mapping.lines import MappedLine, map_line, map_lines
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.trail import Trail
from convertro_cli.reading.batch import LineBatch, place
from convertro_cli.reading.export_set import ExportSet
from convertro_cli.run.progress import Watcher
from convertro_cli.run.reading import Reading
from convertro_cli.segment.ids import read_id

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_NUMBER_AS_ID = re.compile(rb'"messageId"\s*:\s*-?\d')
_ESCAPE_IN_ID = re.compile(rb'"messageId"\s*:\s*"[^"\\]*\\')
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")
_ESCAPED_KEY = re.compile(rb'"[^"\\]*\\u00[4-7][^"]*"\s*:')


class FoundLine(NamedTuple):
    """A line that was looked for; ``overlong`` as in ``LineBatch``.

    ``item`` is the index of an item in the array of line ``number``.
    """

    source: str
    number: int
    line: bytes
    overlong: int = 0
    item: int | None = None

    @property
    def place(self) -> str:
        """Where it is from, as a dry run names it."""
        return place(self.source, self.number, self.item)

    def mapped(self, rules: Rules, trail: Trail | None = None) -> MappedLine | None:
        """Map the line as a dry run does; None where it is blank."""
        if not self.line or self.line.isspace():
            return None
        message, outcome, letter = map_line(self.line, self.overlong, rules, trail)
        return MappedLine(self.number, 0, len(self.line), message, outcome, letter)


FindJob = Callable[[LineBatch], list[FoundLine]]

LOOKED_ON = 64 << 20
"""The bytes that are read for others of the kind once enough was found: a second or so."""

_PLACES = 5


class Search(Struct):
    """What was found. ``lines`` counts those of the file that was read last.

    ``others`` counts more of the kind, and ``places`` names the first of them; ``saw_all`` says
    whether all was looked at for these.
    """

    found: list[FoundLine] = field(default_factory=list)
    others: int = 0
    places: list[str] = field(default_factory=list)
    saw_all: bool = True
    lines: int = 0
    is_damaged: bool = False
    interruption: ExitCode | None = None

    def take(self, found: Sequence[FoundLine], most: int) -> None:
        """Take in what was found in a batch, as much as is wanted; count the others."""
        room = most - len(self.found)
        self.found += found[:room]
        self.others += len(found[room:])
        self.places += [other.place for other in found[room:]][: _PLACES - len(self.places)]


def search(
    exports: ExportSet,
    job: FindJob,
    watcher: Watcher,
    *,
    most: int,
    workers: int | None = None,
    look_on: int = 0,
) -> Search:
    """Look for lines until there are ``most``.

    Then so many bytes more are looked through for others, which are only counted.
    """
    result = Search()
    with Reading(exports, watcher, workers=workers) as reading:
        for batch, found in reading.each(job):
            if len(result.found) == most:
                look_on -= len(batch.data)
            result.take(found, most)
            result.lines = batch.last_line
            reading.tally.messages["read"] += batch.data.count(b"\n")
            if len(result.found) == most and look_on <= 0:
                break
        result.saw_all = reading.is_finished
        result.is_damaged = bool(reading.tally.files["damaged"])
        if reading.is_interrupted:
            result.interruption = reading.exit_code
    return result


class LineJob(Struct, frozen=True):
    """Finds a line by its number. Lines are counted on the way to it, and not parsed.

    Of an array it is the item ``index``, the first one without it.
    """

    number: int
    index: int | None = None

    def __call__(self, batch: LineBatch) -> list[FoundLine]:
        if batch.items:
            return self._among_items(batch)
        if self.index is not None:
            return []
        wanted = self.number - batch.first_line
        if not 0 <= wanted <= batch.data.count(b"\n"):
            return []
        start = 0
        for _ in range(wanted):
            start = batch.data.find(b"\n", start) + 1
        end = batch.data.find(b"\n", start)
        if end < 0:
            end = len(batch.data)
            if start == end:
                return []  # after the last newline of the batch is the next one's first line
        line = batch.data[start:end]
        return [FoundLine(batch.source, self.number, line, batch.overlong)]

    def _among_items(self, batch: LineBatch) -> list[FoundLine]:
        for line, (number, index) in zip(batch.data.split(b"\n"), batch.items, strict=False):
            if number == self.number and (
                index == self.index or (self.index is None and index == 0)
            ):
                return [FoundLine(batch.source, number, line, item=index)]
        return []


class MessageIdJob:
    """Finds messages by their id: only lines whose bytes could have it are parsed."""

    def __init__(self, message_id: str, rules: Rules) -> None:
        self._wanted = message_id
        self._rules = rules
        self._bytes = message_id.encode("utf-8", "surrogatepass")
        self._is_number = _NUMBER.fullmatch(message_id) is not None

    def __call__(self, batch: LineBatch) -> list[FoundLine]:
        if not self._could_be_in(batch.data):
            return []
        lines = enumerate(batch.data.split(b"\n"), batch.first_line)
        possible = (
            _found(batch, number, line) for number, line in lines if self._could_be_in(line)
        )
        return [found for found in possible if self._is_wanted(found)]

    def _could_be_in(self, data: bytes) -> bool:
        """Whether the id stands there: as it is, with escapes, or as a number written otherwise."""
        return (
            self._bytes in data
            or (self._is_number and _NUMBER_AS_ID.search(data) is not None)
            or (b"\\" in data and _ESCAPE_IN_ID.search(data) is not None)
            or (_ESCAPED_LETTER.search(data) is not None and _ESCAPED_KEY.search(data) is not None)
        )

    def _is_wanted(self, found: FoundLine) -> bool:
        mapped = found.mapped(self._rules)
        message = mapped.message if mapped else None
        return message is not None and read_id(message.get("messageId")) == self._wanted


class FilterJob(Struct, frozen=True):
    """Finds the messages that pass the filters of its rules, whatever becomes of them."""

    rules: Rules
    most: int

    def __call__(self, batch: LineBatch) -> list[FoundLine]:
        found = []
        for line in map_lines(batch, self.rules):
            if line.outcome.is_selected:
                raw = batch.data[line.start : line.end]
                found.append(_found(batch, line.number, raw))
                if len(found) == self.most:
                    break
        return found


def _found(batch: LineBatch, number: int, line: bytes) -> FoundLine:
    """Give a line of a batch by the number that it has there."""
    in_file, index = batch.locate(number)
    return FoundLine(batch.source, in_file, line, batch.overlong, index)
