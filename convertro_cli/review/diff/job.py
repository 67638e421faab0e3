"""The job that worker processes do with a batch: map each message twice, and compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from convertro_cli.mapping.calls import Invalid, InvalidReason, Mapped, Skipped, SkipReason
from convertro_cli.mapping.calls import Outcome as MappedTo
from convertro_cli.mapping.jobs import BatchCounts, CallKeys, MappingJob
from convertro_cli.mapping.lines import MappedLine
from convertro_cli.mapping.message import map_message
from convertro_cli.mapping.retyping import TypedKeys, typed_keys
from convertro_cli.mapping.rules import Rules, Wire
from convertro_cli.reading.batch import LineBatch
from convertro_cli.review.diff.calls import ShownCall
from convertro_cli.review.diff.changes import Place
from convertro_cli.review.diff.compare import Comparison
from convertro_cli.review.diff.samples import Groups, Handed
from convertro_cli.review.diff.tally import DiffTally, Outcome
from convertro_cli.review.masking import Masking
from convertro_cli.segment.ids import InexactNumberError, read_id
from convertro_cli.segment.json_text import read_json_exactly

_WHATEVER_THE_RULES = frozenset(
    {
        SkipReason.UNSUPPORTED_TYPE,
        InvalidReason.MISSING_TYPE,
        InvalidReason.UNKNOWN_TYPE,
    }
)
"""The reasons that only the message decides."""

_BY_FILTERS = frozenset(
    {
        SkipReason.DROPPED_BY_FILTER,
        SkipReason.SAMPLED_OUT,
        SkipReason.DROPPED_BY_TRANSFORMATION,
    }
)
_SENT = Outcome()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a comparison is to give: so many samples of each kind of change, whether every change
    is written down, and how its ids are shown; and whether to note events whose types differ."""

    samples: int = 3
    written: Masking | None = None
    types: bool = False

    def open(self, handed: Handed | None = None) -> Comparison:
        """Begin a comparison; ``handed`` has the samples of those before it."""
        tally = DiffTally(Groups(self.samples))
        return Comparison(tally, self.written, Handed() if handed is None else handed)


@dataclass(slots=True)
class DiffPart:
    """What comparing a batch gave.

    ``changes`` has every change as a line, if wanted. ``exhausted`` says that the limit of
    messages was reached, ``fault`` what is wrong with a saved run. The tally is as if no call
    came before: ``before`` and ``after`` are for finding those that did, and ``spans`` has
    where in the batch the lines lie that have calls, by their numbers; ``written`` likewise
    has their changes. ``typed`` has the keys of events whose types differ.
    """

    tally: DiffTally
    before: CallKeys = field(default_factory=CallKeys)
    after: CallKeys = field(default_factory=CallKeys)
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    written: dict[int, bytes] = field(default_factory=dict)
    typed: list[TypedKeys] = field(default_factory=list)
    changes: bytes = b""
    exhausted: bool = False
    fault: str | None = None

    def note_calls(
        self,
        line: MappedLine,
        sides: Iterable[tuple[CallKeys, MappedTo, Rules]],
        batch: LineBatch,
    ) -> None:
        """Note the calls of a message on each side."""
        for keys, outcome, rules in sides:
            if isinstance(outcome, Mapped):
                self.spans[line.number] = (line.start, line.end)
                keys.add(line, outcome, batch, rules)
                del keys.identities[:]  # nobody asks whether ids are shared

    def note_types(
        self, line: MappedLine, before: Iterable[str | None], batch: LineBatch, rules: Rules
    ) -> None:
        """Note the keys of a message's events under the types of before and of now."""
        if isinstance(line.outcome, Mapped):
            types = [each for each in before if each is not None]
            keys = typed_keys(line, line.outcome.calls, types, batch, rules)
            if keys is not None:
                self.typed.append(keys)


@dataclass(slots=True)
class DiffJob:
    """Compare what the messages of a batch become under two sets of rules.

    ``limit`` counts down over batches, as in a replay.
    """

    before: Rules
    after: Rules
    wanted: Wanted
    limit: int | None = None
    handed: Handed = field(default_factory=Handed)

    def __call__(self, batch: LineBatch) -> DiffPart:
        comparison = self.wanted.open(self.handed)
        mapper, counts = MappingJob(self.after, self.limit), BatchCounts()
        part = DiffPart(comparison.tally)
        old, new = self.before.wire, self.after.wire
        if old == new:
            old = new
        for line in mapper.lines(batch, counts):
            comparison.tally.messages.read += 1
            before = map_again(line, batch.data, self.before)
            sides = ((part.before, before, self.before), (part.after, line.outcome, self.after))
            part.note_calls(line, sides, batch)
            if _are_alike(before, line.outcome) and (old is new or not isinstance(before, Mapped)):
                count_unchanged(comparison.tally, line, new)
            else:
                if self.wanted.types and isinstance(before, Mapped):
                    types = [call.event_type for call in before.calls]
                    part.note_types(line, types, batch, self.after)
                place = place_of(line, batch)
                done = len(comparison.lines)
                comparison.compare(place, outcome_of(before, old), outcome_of(line.outcome, new))
                if len(comparison.lines) > done:
                    part.written[line.number] = b"".join(comparison.lines[done:])
        self.limit = mapper.limit
        comparison.finish()
        part.changes, part.exhausted = b"".join(comparison.lines), counts.exhausted
        return part


def map_again(line: MappedLine, data: bytes, rules: Rules) -> MappedTo:
    """Map a line that was mapped under some rules under others, without parsing it again.

    ``data`` is what the line is cut out of. The filters of the two are the same.
    """
    if line.message is None or getattr(line.outcome, "reason", None) in _WHATEVER_THE_RULES:
        return line.outcome
    try:
        return map_message(line.message, rules)
    except InexactNumberError:  # these rules ask for an id or a trait that the others did not
        letter = line.dead_letter
        event = data[line.start : line.end] if letter is None else letter.original
        return map_message(read_json_exactly(event), rules)


def count_unchanged(tally: DiffTally, line: MappedLine, wire: Wire) -> None:
    """Count a message that is the same on both sides."""
    if isinstance(line.outcome, Mapped):
        event = track_name(line.message)
        for call in line.outcome.calls:
            tally.count_unchanged(ShownCall(call, wire), event)
        tally.messages.count(_SENT, _SENT)
    else:
        unsent = Outcome(reason=line.outcome.reason.value, filter=filter_of(line.outcome))
        tally.messages.count(unsent, unsent)


def filter_of(outcome: MappedTo) -> str | None:
    """Give the title of the destination filter or transformation that dropped a message."""
    if isinstance(outcome, Skipped) and outcome.reason in _BY_FILTERS:
        return outcome.title
    return None


def place_of(line: MappedLine, batch: LineBatch) -> Place:
    """Tell where a message stands, and what it is."""
    message = line.message or {}
    return Place(
        batch.place(line.number), read_id(message.get("messageId")), track_name(line.message)
    )


def track_name(message: Mapping[str, Any] | None) -> str | None:
    """Give the name of a track; None for an identify, and where there is no name."""
    if message is None:
        return None
    kind, event = message.get("type"), message.get("event")
    is_track = isinstance(kind, str) and kind.lower() == "track"
    return event if is_track and isinstance(event, str) else None


def outcome_of(outcome: MappedTo, wire: Wire) -> Outcome:
    """Give what a dry run writes of a message."""
    if isinstance(outcome, Mapped):
        return Outcome([ShownCall(call, wire) for call in outcome.calls])
    reason = outcome.reason.value
    if isinstance(outcome, Invalid):
        return Outcome(reason=reason, line={"invalid": reason, "detail": outcome.detail})
    return Outcome(reason=reason, line={"skip": reason}, filter=filter_of(outcome))


def _are_alike(before: MappedTo, after: MappedTo) -> bool:
    """Whether two outcomes of one message are the same, if requests are made alike."""
    if isinstance(before, Mapped) and isinstance(after, Mapped):
        return before.calls == after.calls
    return before is after or before == after
