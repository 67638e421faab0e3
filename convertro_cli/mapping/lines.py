"""The lines of a batch, one by one, each with what it becomes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from convertro_cli.mapping.calls import Invalid, InvalidReason, Mapped, Outcome
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


def map_lines(batch: LineBatch, rules: Rules) -> Iterator[MappedLine]:
    """Map each line of a batch, in order. Blank lines are passed over."""
    start = 0
    for number, line in enumerate(batch.data.split(b"\n"), batch.first_line):
        end = start + len(line)
        if line and not line.isspace():
            yield MappedLine(number, start, end, *_map_line(line, batch.overlong, rules))
        start = end + 1


def _map_line(
    line: bytes, overlong: int, rules: Rules
) -> tuple[dict[str, Any] | None, Outcome, DeadLetter | None]:
    if len(line) > MAX_LINE and not line.startswith(LETTER_START):
        return None, _too_long(overlong or len(line)), None
    message = parse_line(line)
    letter = None
    if isinstance(message, dict) and "type" not in message:
        letter = unwrap(message, line)
    event = letter.original if letter else line  # an event's wrapping may make its line too long
    if len(event) > MAX_LINE:
        return None, _too_long(overlong or len(event)), letter
    if letter:
        message = parse_line(event)
    if isinstance(message, Invalid):
        return None, message, letter
    outcome = map_message(message, rules)
    if isinstance(outcome, Mapped):
        outcome = drop_unsendable_traits(outcome, rules.wire)
    return message, outcome, letter


def _too_long(size: int) -> Invalid:
    return Invalid(InvalidReason.LINE_TOO_LONG, f"{size:,} bytes; the most is {MAX_LINE:,}")
