"""The job that worker processes do for a replay: from a batch of lines to calls ready to go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from convertro_cli.mapping.calls import Call, Invalid, Mapped, Skipped
from convertro_cli.mapping.gates import is_selected
from convertro_cli.mapping.ledger_key import ledger_key, message_identity
from convertro_cli.mapping.lines import MappedLine, map_lines
from convertro_cli.mapping.message import message_time
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.wire import LONGEST_URL, build_url
from convertro_cli.reading.batch import LineBatch
from convertro_cli.segment.ids import plain_number

PLACES_KEPT = 5
"""How many places of each kind of warning are kept, for the summary to name."""

TOO_LONG = "request_too_long"


ReadyCall = tuple[bytes, str, str, str, str]
"""A call ready to go: all that delivering and recording need to know of it.

Its key in the ledger; its URL; its event type, empty for calls that are no events; its value,
written plainly, and empty likewise; and the name of the reason why it cannot be sent at all, most
often empty. Plain tuples cross from process to process in a fifth of the time of named ones.
"""

ReadyMessage = tuple[int, int, int, list[ReadyCall], bytes | None, str | None]
"""A message with its calls: the line's number, where it starts and ends in the batch, its calls.

For an event out of a dead-letter file its bytes and its first place follow.
"""


class InvalidLine(NamedTuple):
    """A line that is no sound message; places as in ``ReadyMessage``."""

    number: int
    start: int
    end: int
    reason: str
    detail: str
    original: bytes | None = None
    source: str | None = None


@dataclass(slots=True)
class BatchCounts:
    """What is counted of a batch, whatever is done with it.

    ``mapped`` counts the messages that yield calls; ``warning_places`` has the numbers of a few
    lines for each kind of warning.
    """

    mapped: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    warning_places: dict[str, list[int]] = field(default_factory=dict)
    invalid: list[InvalidLine] = field(default_factory=list)
    exhausted: bool = False
    """Whether the limit of messages was reached in this batch: nothing more is wanted."""

    @property
    def read(self) -> int:
        """The messages of the batch: its lines that are not blank."""
        return self.mapped + self.skipped.total() + len(self.invalid)

    def count(self, line: MappedLine) -> Mapped | None:
        """Count a line; give its calls where it has any."""
        outcome = line.outcome
        if isinstance(outcome, Mapped):
            self.mapped += 1
            if outcome.warnings:
                self._warn(outcome, line.number)
            return outcome
        if isinstance(outcome, Skipped):
            self.skipped[outcome.reason] += 1
        else:
            self._reject(line, outcome)
        return None

    def _reject(self, line: MappedLine, fault: Invalid) -> None:
        original, source = line.dead_letter or (None, None)
        place = (line.number, line.start, line.end)
        self.invalid.append(InvalidLine(*place, fault.reason.value, fault.detail, original, source))

    def _warn(self, outcome: Mapped, number: int) -> None:
        for warning in outcome.warnings:
            self.warnings[warning.value] += 1
            places = self.warning_places.setdefault(warning.value, [])
            if len(places) < PLACES_KEPT:
                places.append(number)


@dataclass(slots=True)
class MappedBatch(BatchCounts):
    """A batch made ready for delivery: its messages that have calls, in order."""

    messages: list[ReadyMessage] = field(default_factory=list)


def ready_message(line: MappedLine, outcome: Mapped, raw: bytes, rules: Rules) -> ReadyMessage:
    """Make a message's calls ready to go. ``raw`` is its line."""
    original, source = line.dead_letter or (None, None)
    identity = message_identity(line.message or {}, original or raw)
    calls = [ready_call(call, identity, rules) for call in outcome.calls]
    return line.number, line.start, line.end, calls, original, source


def ready_call(call: Call, identity: str, rules: Rules) -> ReadyCall:
    """Put a call into its request and give it its key in the ledger."""
    url = build_url(call, rules.wire)
    return (
        ledger_key(rules.ledger_scopes[call.mode], identity, call),
        url,
        call.event_type or "",
        plain_number(call.event_value) if call.kind == "event" else "",
        TOO_LONG if len(url) > LONGEST_URL else "",
    )


@dataclass(slots=True)
class MappingJob:
    """What every job has: the rules, and a ``limit`` of messages that counts down over batches."""

    rules: Rules
    limit: int | None = None

    def lines(self, batch: LineBatch, counts: BatchCounts) -> Iterator[MappedLine]:
        """Give the batch's lines, until the limit of messages that pass the filters is reached."""
        if self.limit is None:
            return map_lines(batch, self.rules)
        return self._limited(self.limit, batch, counts)

    def lines_with_calls(
        self, batch: LineBatch, counts: BatchCounts
    ) -> Iterator[tuple[MappedLine, Mapped]]:
        """Give the batch's lines that yield calls, and those calls; count all the others."""
        if self.limit is None:
            lines = map_lines(batch, self.rules, counts.skipped)
        else:
            lines = self.lines(batch, counts)
        for line in lines:
            outcome = counts.count(line)
            if outcome is not None:
                yield line, outcome

    def _limited(self, left: int, batch: LineBatch, counts: BatchCounts) -> Iterator[MappedLine]:
        for line in map_lines(batch, self.rules):
            if left <= 0:
                break
            left -= passes_selection(line, self.rules)
            yield line
        self.limit = left
        counts.exhausted = left <= 0


@dataclass(slots=True)
class ReplayJob(MappingJob):
    """Map a batch and make its calls ready to go."""

    def __call__(self, batch: LineBatch) -> MappedBatch:
        result = MappedBatch()
        for line, outcome in self.lines_with_calls(batch, result):
            raw = batch.data[line.start : line.end]
            result.messages.append(ready_message(line, outcome, raw, self.rules))
        return result


def passes_selection(line: MappedLine, rules: Rules) -> bool:
    """Whether a line is a message that the user's filters ask for, whatever becomes of it."""
    if not rules.selection:
        return True
    message = line.message
    if message is None or not isinstance(message.get("type"), str):
        return False
    time = message_time(message)
    timestamp = None if isinstance(time, Invalid) else time
    return is_selected(
        rules.selection,
        message["type"].lower(),
        message.get("event"),
        timestamp,
        message.get("receivedAt"),
    )
