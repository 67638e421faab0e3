"""The lines of a batch, one by one, each with what it becomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from json import JSONDecodeError
from typing import Any, NamedTuple, Protocol

import orjson

from convertro_cli.mapping.calls import Invalid, InvalidReason, Outcome, Skipped, SkipReason
from convertro_cli.mapping.dead_letter import LETTER_START, DeadLetter, unwrap
from convertro_cli.mapping.gates import OTHER_TYPES
from convertro_cli.mapping.message import map_message, with_todays_names
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.trail import Trail
from convertro_cli.reading.batch import MAX_LINE, LineBatch
from convertro_cli.segment.first_look import glimpse_type
from convertro_cli.segment.ids import InexactNumberError, read_id
from convertro_cli.segment.json_text import read_json, read_json_exactly

_OTHER_ARRAY = "a JSON array that is not one of messages"


class MappedLine(NamedTuple):
    """One line that is not blank: its place in the file and the batch, and its outcome.

    ``number`` counts from 1 in the file; ``start`` and ``end`` are offsets into the batch's
    data. ``message`` is None where the line holds none. ``dead_letter`` is there when the line
    is an event that failed before; the message is then the event itself.
    """

    number: int
    start: int
    end: int
    message: Mapping[str, Any] | None
    outcome: Outcome
    dead_letter: DeadLetter | None = None


Sift = Callable[[int, bytes], bool]
"""Is given a line with its number, and says whether nothing more is to be done with it."""


class SkippedCounts(Protocol):
    """Where messages that yield no call are counted."""

    skipped: Counter[str]

    def keep_back(self, outcome: Skipped) -> None:
        """Count what a message would have been worth."""


def map_lines(
    batch: LineBatch,
    rules: Rules,
    counts: SkippedCounts | None = None,
    *,
    sift: Sift | None = None,
) -> Iterator[MappedLine]:
    """Map each line of a batch, in order. Blank lines are passed over.

    With ``counts``, messages that yield no call are only counted there: they are most of an
    export, and most of their cost would be the reading of them and the handing on. ``sift`` sees
    all lines before the first one is given, and those that it takes are left to it.
    """
    skipped = None if counts is None else counts.skipped
    # One thing after the other for the whole batch, not for each line: the processor keeps the
    # code of one thing in its caches, and not that of all (a tenth of the time).
    lines = _lines_to_read(batch, None if rules.has_selection else skipped, sift)
    messages = [parse_line(line) if len(line) <= MAX_LINE else None for *_, line in lines]
    for (number, start, end, line), read in zip(lines, messages, strict=True):
        message: Mapping[str, Any] | None = None
        letter = outcome = None
        if type(read) is dict and read.get("type") is not None:  # as nearly every line
            message, outcome = read, _map(read, rules)
        if outcome is None:
            message, outcome, letter = map_line(line, batch.overlong, rules)
        if skipped is not None and isinstance(outcome, Skipped):
            skipped[outcome.reason] += 1
            if outcome.worth is not None and counts is not None:
                counts.keep_back(outcome)
        else:
            yield MappedLine(number, start, end, message, outcome, letter)


def _lines_to_read(
    batch: LineBatch, sifted: Counter[str] | None, sift: Sift | None
) -> list[tuple[int, int, int, bytes]]:
    """Give the lines that are not blank, each with its number, its start and its end.

    With ``sifted``, messages that a first look shows to be of no use are only counted there;
    what ``sift`` takes is left out.
    """
    lines = []
    start = 0
    for number, line in enumerate(batch.data.split(b"\n"), batch.first_line):
        end = start + len(line)
        if sifted is not None and glimpse_type(line) in OTHER_TYPES and len(line) <= MAX_LINE:
            sifted[SkipReason.UNSUPPORTED_TYPE] += 1
        elif line and not line.isspace() and (sift is None or not sift(number, line)):
            lines.append((number, start, end, line))
        start = end + 1
    return lines


LineOutcome = tuple[Mapping[str, Any] | None, Outcome, DeadLetter | None]
"""The message that a line holds, what it becomes, and the dead letter that it came in."""


def map_line(line: bytes, overlong: int, rules: Rules, trail: Trail | None = None) -> LineOutcome:
    """Map one line. ``overlong`` is the whole length of one that was cut, as in ``LineBatch``."""
    if len(line) <= MAX_LINE:
        message = parse_line(line)
        if isinstance(message, Invalid):
            return None, _unasked(message, rules), None
        if message.get("type") is not None:
            outcome = _map(message, rules, trail)
            if outcome is None:
                return *_map_exactly(line, rules, trail), None
            return message, outcome, None
    elif not line.startswith(LETTER_START):
        return None, _unasked(_too_long(overlong or len(line)), rules), None
    return _map_dead_letter(line, overlong, rules, trail)


def parse_line(line: bytes) -> dict[str, Any] | Invalid:
    """Parse one line of an export. ``detail`` of a fault has a place in the line, no content."""
    try:
        value = orjson.loads(line)  # as nearly always
    except JSONDecodeError:
        try:
            value = read_json(line)
        except JSONDecodeError as error:
            return Invalid(InvalidReason.INVALID_JSON, _describe(error, line))
    if isinstance(value, dict):
        return value
    detail = _OTHER_ARRAY if isinstance(value, list) else "a JSON value that is no object"
    return Invalid(InvalidReason.NOT_AN_OBJECT, detail)


def _map_dead_letter(line: bytes, overlong: int, rules: Rules, trail: Trail | None) -> LineOutcome:
    """Map the event in a dead letter; its wrapping may have made the line too long."""
    message = parse_line(line)
    letter = None if isinstance(message, Invalid) else unwrap(message, line)
    event = letter.original if letter else line
    length = overlong or (letter.length if letter else 0)
    if len(event) > MAX_LINE or length:
        return None, _unasked(_too_long(length or len(event)), rules), letter
    if letter:
        message = parse_line(event)
    if isinstance(message, Invalid):
        return None, _unasked(message, rules), letter
    named = with_todays_names(message, trail)
    outcome = _map(named, rules, trail)
    if outcome is None:
        return *_map_exactly(event, rules, trail), letter
    return named, outcome, letter


def _map(message: Mapping[str, Any], rules: Rules, trail: Trail | None = None) -> Outcome | None:
    """Map a message; None where the digits of one of its ids were lost in reading."""
    try:
        if isinstance(message.get("messageId"), float):
            read_id(message["messageId"])  # whatever becomes of it, it goes by its id
        return map_message(message, rules, trail)
    except InexactNumberError:
        return None


def _map_exactly(
    line: bytes, rules: Rules, trail: Trail | None
) -> tuple[Mapping[str, Any], Outcome]:
    """Map the message of a line from a reading that has all digits of every id."""
    if trail is not None:
        trail.clear()
    exact = with_todays_names(read_json_exactly(line), trail)
    return exact, map_message(exact, rules, trail)


def _unasked(fault: Invalid, rules: Rules) -> Invalid:
    """Say of a line that holds no message whether the user's filters could ask for it."""
    return fault._replace(is_selected=False) if rules.has_selection else fault


def _too_long(size: int) -> Invalid:
    return Invalid(InvalidReason.LINE_TOO_LONG, f"{size:,} bytes; the most is {MAX_LINE:,}")


def _describe(error: JSONDecodeError, line: bytes) -> str:
    try:
        line.decode()
    except UnicodeDecodeError as fault:
        return f"not UTF-8 at byte {fault.start + 1}"
    return f"{error.msg} at character {error.pos + 1}"
