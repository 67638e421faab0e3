"""The lines of a batch, one by one, each with what it becomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from convertro_cli.mapping.calls import (
    Invalid,
    InvalidReason,
    Mapped,
    Outcome,
    Skipped,
)
from convertro_cli.mapping.dead_letter import LETTER_START, DeadLetter, unwrap
from convertro_cli.mapping.message import map_message, parse_line
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.wire import drop_unsendable_traits
from convertro_cli.reading.batch import MAX_LINE, LineBatch


class MappedLine(NamedTuple):
    """One line that is not blank: its place in the file and the batch, and its outcome.

    ``number`` counts from 1 in the file; ``start`` and ``end`` are offsets into the batch's
    data. ``message`` is None where the line holds none. ``dead_letter`` is there when the line
    is an event that failed before; the message is then the event itself.
    """

    number: int
    start: int
    end: int
    message: dict[str, Any] | None
    outcome: Outcome
    dead_letter: DeadLetter | None = None


def map_lines(
    batch: LineBatch, rules: Rules, skipped: Counter[str] | None = None
) -> Iterator[MappedLine]:
    """Map each line of a batch, in order. Blank lines are passed over.

    With ``skipped``, messages that yield no call are only counted there: they are most of an
    export, and most of their cost would be the handing on.
    """
    start = 0
    for number, line in enumerate(batch.data.split(b"\n"), batch.first_line):
        end = start + len(line)
        if line and not line.isspace():
            message, outcome, letter = _map_line(line, batch.overlong, rules)
            if skipped is not None and isinstance(outcome, Skipped):
                skipped[outcome.reason] += 1
            else:
                yield MappedLine(number, start, end, message, outcome, letter)
        start = end + 1


_Mapped = tuple[dict[str, Any] | None, Outcome, DeadLetter | None]


def _map_line(line: bytes, overlong: int, rules: Rules) -> _Mapped:
    if len(line) <= MAX_LINE:
        message = parse_line(line)
        if isinstance(message, Invalid):
            return None, message, None
        if "type" in message:
            return message, _map(message, rules), None
    elif not line.startswith(LETTER_START):
        return None, _too_long(overlong or len(line)), None
    return _map_dead_letter(line, overlong, rules)


def _map_dead_letter(line: bytes, overlong: int, rules: Rules) -> _Mapped:
    """Map the event in a dead letter; its wrapping may have made the line too long."""
    message = parse_line(line)
    letter = None if isinstance(message, Invalid) else unwrap(message, line)
    event = letter.original if letter else line
    length = overlong or (letter.length if letter else 0)
    if len(event) > MAX_LINE or length:
        return None, _too_long(length or len(event)), letter
    if letter:
        message = parse_line(event)
    if isinstance(message, Invalid):
        return None, message, letter
    return message, _map(message, rules), letter


def _map(message: dict[str, Any], rules: Rules) -> Outcome:
    outcome = map_message(message, rules)
    if isinstance(outcome, Mapped) and outcome.calls[0].traits:
        outcome = drop_unsendable_traits(outcome, rules.wire)
    return outcome


def _too_long(size: int) -> Invalid:
    return Invalid(InvalidReason.LINE_TOO_LONG, f"{size:,} bytes; the most is {MAX_LINE:,}")
