"""The job that worker processes do with a batch: compare what each message becomes.

Before is what other rules make of it, or what a saved dry run says that it became.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from msgspec import Struct, field

from convertro_cli.mapping.calls import Invalid, InvalidReason, Mapped, Outcome, Skipped, SkipReason
from convertro_cli.mapping.jobs import BatchCounts, CallKeys, MappingJob
from convertro_cli.mapping.lines import MappedLine
from convertro_cli.mapping.message import map_message
from convertro_cli.mapping.retyping import TypedKeys, typed_keys
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.url_limit import UrlLimit
from convertro_cli.reading.batch import LineBatch, with_lines_at
from convertro_cli.review.diff.calls import ShownCall
from convertro_cli.review.diff.compare import Comparer, Wanted, WhichMessage
from convertro_cli.review.diff.samples import Handed
from convertro_cli.review.diff.saved import At, SavedLine, at, saved_beside
from convertro_cli.review.diff.saved_lines import SavedLineError, read_message
from convertro_cli.review.diff.tally import NOT_IN_SAVED_RUN, NOT_IN_THIS_RUN, DiffTally, OneSide
from convertro_cli.run.repeats import Repeated
from convertro_cli.segment.ids import InexactNumberError, read_id
from convertro_cli.segment.json_text import read_json_exactly

_WHATEVER_THE_RULES = frozenset(
    {SkipReason.UNSUPPORTED_TYPE, InvalidReason.MISSING_TYPE, InvalidReason.UNKNOWN_TYPE}
)
"""The reasons that only the message decides."""

_BY_FILTERS = frozenset(
    {SkipReason.DROPPED_BY_FILTER, SkipReason.SAMPLED_OUT, SkipReason.DROPPED_BY_TRANSFORMATION}
)
_SENT = OneSide()
_ABSENT_THEN = OneSide(reason=NOT_IN_SAVED_RUN)
_ABSENT_NOW = OneSide(reason=NOT_IN_THIS_RUN)

_LINE, _GONE = 1, 0
"""The changes of a line come after those of saved lines before it that are of nothing here."""


class DiffPart(Struct):
    """What comparing a batch gave.

    ``written`` has the changes, if wanted, by the numbers of lines. ``exhausted`` says that the
    limit of messages was reached, ``fault`` what is wrong with a saved run. The tally is as if no
    call came before: ``before`` and ``after`` are for finding those that did, and ``spans`` has
    where in the batch the lines lie that have calls. ``typed`` has the keys of events whose types
    differ.
    """

    tally: DiffTally
    before: CallKeys = field(default_factory=CallKeys)
    after: CallKeys = field(default_factory=CallKeys)
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    written: dict[tuple[int, int], bytes] = field(default_factory=dict)
    typed: list[TypedKeys] = field(default_factory=list)
    exhausted: bool = False
    fault: str | None = None

    @property
    def changes(self) -> bytes:
        """Every change, a line each, in the order of the export."""
        return b"".join(self.written[place] for place in sorted(self.written))

    def write(self, number: int, changes: bytes, place: int = _LINE) -> None:
        """Keep the changes of a line, in place of those that it had."""
        if changes or (number, place) in self.written:
            self.written[number, place] = changes

    def note_types(self, line: MappedLine, before: OneSide, batch: LineBatch, rules: Rules) -> None:
        """Note the keys of a message's events under the types of before and of now."""
        if isinstance(line.outcome, Mapped):
            types = [call.event_type for call in before.calls if call.event_type is not None]
            keys = typed_keys(line, line.outcome.calls, types, batch, rules)
            if keys is not None:
                self.typed.append(keys)


class DiffJob:
    """Compare what the messages of a batch become with what they became before.

    Without rules ``before`` the batches have saved lines beside them, and a message is the same
    where its place and its id are. ``limit`` counts down over batches, as in a replay; saved lines
    beyond it are left alone.
    """

    def __init__(
        self, before: Rules | None, after: Rules, wanted: Wanted, limit: int | None = None
    ) -> None:
        self.before = before
        self.after = after
        self.wanted = wanted
        self._mapper = MappingJob(after, limit)
        self._handed = Handed()
        self._new = UrlLimit(after.wire)
        same_wire = before is None or before.wire == after.wire
        self._old = self._new if same_wire or before is None else UrlLimit(before.wire)

    def __call__(self, batch: LineBatch) -> DiffPart:
        comparison = self.wanted.open(self._handed)
        part = DiffPart(comparison.tally)
        try:
            if self.before is None:
                self._compare_saved(batch, part, comparison)
            else:
                self._compare_rules(batch, part, comparison, self.before)
        except SavedLineError as fault:
            part.fault = str(fault)
        comparison.finish()
        return part

    def compare_line(
        self,
        comparison: Comparer,
        line: MappedLine,
        batch: LineBatch,
        saved: Sequence[SavedLine] = (),
        repeats: tuple[Repeated | None, Repeated | None] = (None, None),
    ) -> OneSide:
        """Compare what a message became with what it is now; give what it became.

        ``saved`` are its lines in a saved run. What a call repeats on a side is left out there.
        """
        comparison.tally.messages.read += 1
        message = _which(line, batch)
        now = _without(self._side(line.outcome, self._new), repeats[1])
        if self.before is not None:
            then = _without(self._side(map_again(line, batch, self.before), self._old), repeats[0])
            comparison.compare(message, then, now)
            return then
        if not saved:
            comparison.compare(message, _ABSENT_THEN, now)
            return _ABSENT_THEN
        comparison.tally.matched += 1
        found = read_message(saved)
        if found.which.message_id == message.message_id:
            comparison.compare(message, found.side, now)
        else:
            comparison.compare(*found, _ABSENT_NOW)
            comparison.compare(message, _ABSENT_THEN, now)
        return found.side

    def _compare_rules(
        self, batch: LineBatch, part: DiffPart, comparison: Comparer, before: Rules
    ) -> None:
        counts, is_same_wire = BatchCounts(), self._old is self._new
        for line in self._mapper.lines(batch, counts):
            old = map_again(line, batch, before)
            _note_calls(line, old, batch, before, part, part.before)
            _note_calls(line, line.outcome, batch, self.after, part, part.after)
            if _are_alike(old, line.outcome) and (is_same_wire or not isinstance(old, Mapped)):
                self._count_unchanged(comparison, line)
                continue
            then = self.compare_line(comparison, line, batch)
            part.write(line.number, comparison.take_lines())
            if self.wanted.types:
                part.note_types(line, then, batch, self.after)
        part.exhausted = counts.exhausted

    def _compare_saved(self, batch: LineBatch, part: DiffPart, comparison: Comparer) -> None:
        counts, saved = BatchCounts(), saved_beside(batch)
        number = batch.first_line
        for line in self._mapper.lines(batch, counts):
            number = line.number
            here, index = at(*batch.locate(number))
            _compare_gone(comparison, saved.take((here, index)))
            part.write(number, comparison.take_lines(), _GONE)
            _note_calls(line, line.outcome, batch, self.after, part, part.after)
            then = self.compare_line(comparison, line, batch, saved.take((here, index + 1)))
            part.write(number, comparison.take_lines())
            if self.wanted.types:
                part.note_types(line, then, batch, self.after)
        if not counts.exhausted:
            _compare_gone(comparison, saved.rest())
            part.write(number + 1, comparison.take_lines(), _GONE)
        part.exhausted = counts.exhausted

    def _count_unchanged(self, comparison: Comparer, line: MappedLine) -> None:
        """Count a message that is the same on both sides."""
        tally = comparison.tally
        tally.messages.read += 1
        if isinstance(line.outcome, Mapped):
            event = _track_name(line.message)
            for call in line.outcome.calls:
                comparison.count_unchanged(ShownCall(call, self._new), event)
            tally.messages.count(_SENT, _SENT)
        else:
            unsent = self._side(line.outcome, self._new)
            tally.messages.count(unsent, unsent)

    def _side(self, outcome: Outcome, limit: UrlLimit) -> OneSide:
        """Give what a dry run writes of a message."""
        if isinstance(outcome, Mapped):
            return OneSide([ShownCall(call, limit) for call in outcome.calls])
        reason = outcome.reason.value
        if isinstance(outcome, Invalid):
            return OneSide(reason=reason, line={"invalid": reason, "detail": outcome.detail})
        is_filtered = isinstance(outcome, Skipped) and outcome.reason in _BY_FILTERS
        dropped_by = outcome.title if is_filtered else None
        return OneSide(reason=reason, line={"skip": reason}, filter=dropped_by)


def keep_lines_with_calls(batch: LineBatch, part: DiffPart) -> LineBatch:
    """Leave of a batch only the lines that may have to be looked at again; ``part`` follows."""
    spared, place, spans = with_lines_at(batch, part.spans.values()), 0, {}
    for number, (start, end) in part.spans.items():
        spans[number] = place, place + end - start
        place += end - start
    part.spans = spans
    return spared


def map_again(line: MappedLine, batch: LineBatch, rules: Rules) -> Outcome:
    """Map a line that was mapped under some rules under others, without parsing it again.

    The filters of the two are the same.
    """
    if line.message is None or getattr(line.outcome, "reason", None) in _WHATEVER_THE_RULES:
        return line.outcome
    try:
        return map_message(line.message, rules)
    except InexactNumberError:  # these rules ask for an id or a trait that the others did not
        letter = line.dead_letter
        event = batch.data[line.start : line.end] if letter is None else letter.original
        return map_message(read_json_exactly(event), rules)


def _note_calls(
    line: MappedLine,
    outcome: Outcome,
    batch: LineBatch,
    rules: Rules,
    part: DiffPart,
    keys: CallKeys,
) -> None:
    """Note the calls of a message on one side."""
    if isinstance(outcome, Mapped):
        part.spans[line.number] = (line.start, line.end)
        keys.add(line, outcome, batch, rules)
        del keys.identities[:]  # nobody asks whether ids are shared


def _which(line: MappedLine, batch: LineBatch) -> WhichMessage:
    message = line.message or {}
    message_id, event = read_id(message.get("messageId")), _track_name(line.message)
    return WhichMessage(batch.place(line.number), message_id, event)


def _track_name(message: Mapping[str, Any] | None) -> str | None:
    """Give the name of a track; None for an identify, and where there is no name."""
    if message is None:
        return None
    kind, event = message.get("type"), message.get("event")
    is_track = isinstance(kind, str) and kind.lower() == "track"
    return event if is_track and isinstance(event, str) else None


def _without(side: OneSide, repeated: Repeated | None) -> OneSide:
    """Leave the calls that are sent; without any the message is counted by why."""
    if repeated is None:
        return side
    calls = [call for call, why in zip(side.calls, repeated.calls, strict=True) if why is None]
    return OneSide(calls) if calls else OneSide(reason=repeated.fate.name.lower())


def _are_alike(before: Outcome, after: Outcome) -> bool:
    """Whether two outcomes of one message are the same, if requests are made alike."""
    if isinstance(before, Mapped) and isinstance(after, Mapped):
        return before.calls == after.calls
    return before is after or before == after


def _compare_gone(comparison: Comparer, lines: Iterable[SavedLine]) -> None:
    """Compare saved lines with nothing: there is no such message in this run."""

    def place(line: SavedLine) -> tuple[str, At]:
        return line.file, line.at

    for _, alike in groupby(lines, key=place):
        then = read_message(list(alike))
        comparison.compare(*then, _ABSENT_NOW)
