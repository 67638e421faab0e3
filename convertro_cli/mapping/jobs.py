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


class ReadyCall(NamedTuple):
    """A call ready to go: all that delivering and recording need to know of it.

    ``value`` is written plainly and empty for calls that are no events; ``fault`` names the
    reason why the call cannot be sent at all.
    """

    key: bytes
    url: str
    event_type: str
    value: str
    fault: str = ""


class ReadyMessage(NamedTuple):
    """A message with its calls; ``start`` and ``end`` cut its bytes out of the batch.

    For an event out of a dead-letter file ``original`` has its bytes and ``source`` its
    first place.
    """

    number: int
    start: int
    end: int
    calls: tuple[ReadyCall, ...]
    original: bytes | None = None
    source: str | None = None


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

    ``read`` counts its messages (lines that are not blank); ``warning_places`` has the numbers
    of a few lines for each kind of warning.
    """

    read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    warning_places: dict[str, list[int]] = field(default_factory=dict)
    invalid: list[InvalidLine] = field(default_factory=list)
    exhausted: bool = False
    """Whether the limit of messages was reached in this batch: nothing more is wanted."""

    def count(self, line: MappedLine) -> Mapped | None:
        """Count a line; give its calls where it has any."""
        self.read += 1
        outcome = line.outcome
        if isinstance(outcome, Skipped):
            self.skipped[outcome.reason] += 1
            return None
        if isinstance(outcome, Invalid):
            self._reject(line, outcome)
            return None
        if outcome.warnings:
            self._warn(outcome, line.number)
        return outcome

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
    calls = tuple([ready_call(call, identity, rules) for call in outcome.calls])
    return ReadyMessage(line.number, line.start, line.end, calls, original, source)


def ready_call(call: Call, identity: str, rules: Rules) -> ReadyCall:
    """Put a call into its request and give it its key in the ledger."""
    url = build_url(call, rules.wire)
    return ReadyCall(
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

    def _limited(self, left: int, batch: LineBatch, counts: BatchCounts) -> Iterator[MappedLine]:
        for line in map_lines(batch, self.rules):
            if left <= 0:
                break
            left -= passes_filters(line, self.rules)
            yield line
        self.limit = left
        counts.exhausted = left <= 0


@dataclass(slots=True)
class ReplayJob(MappingJob):
    """Map a batch and make its calls ready to go."""

    def __call__(self, batch: LineBatch) -> MappedBatch:
        result = MappedBatch()
        for line in self.lines(batch, result):
            outcome = result.count(line)
            if outcome is not None:
                raw = batch.data[line.start : line.end]
                result.messages.append(ready_message(line, outcome, raw, self.rules))
        return result


def passes_filters(line: MappedLine, rules: Rules) -> bool:
    """Whether a line is a message that the user's filters ask for, whatever becomes of it."""
    if not rules.filters:
        return True
    message = line.message
    if message is None or not isinstance(message.get("type"), str):
        return False
    time = message_time(message)
    timestamp = None if isinstance(time, Invalid) else time
    return is_selected(rules.filters, message["type"].lower(), message.get("event"), timestamp)
