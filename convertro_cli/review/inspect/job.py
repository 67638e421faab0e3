"""The job of a worker process: map a batch of lines, and find out what is in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from convertro_cli.amounts import cut_name
from convertro_cli.mapping.browser import Mark, read_mark
from convertro_cli.mapping.calls import (
    Call,
    Invalid,
    InvalidReason,
    Mapped,
    Skipped,
    SkipReason,
)
from convertro_cli.mapping.gates import OTHER_TYPES, SUPPORTED_TYPES
from convertro_cli.mapping.jobs import TOO_LONG, BatchCounts, MappingJob
from convertro_cli.mapping.ledger_key import KEY_BYTES
from convertro_cli.mapping.lines import MappedLine, map_lines
from convertro_cli.mapping.modes import decide_mode, is_from_browser
from convertro_cli.mapping.rules import Rules, Selection, Wire
from convertro_cli.mapping.times import message_time
from convertro_cli.mapping.url_limit import UrlLimit
from convertro_cli.reading.batch import MAX_LINE, LineBatch, with_lines_at
from convertro_cli.record.tally import Fate
from convertro_cli.review.inspect.findings import BatchFindings
from convertro_cli.review.inspect.ids import hash_ids
from convertro_cli.review.inspect.profile import Profile, id_flags, name_of, source_of, track_facts
from convertro_cli.segment.days import DAY
from convertro_cli.segment.first_look import Usual, glimpse_usual
from convertro_cli.segment.ids import read_id
from convertro_cli.segment.times import usual_time


def rules_without_settings(selection: Selection | None = None) -> Rules:
    """Give rules that send whatever any settings could send."""
    return Rules(
        Wire({}),
        {},
        unmapped_events="send",
        require_order_id=False,
        delivered_in_browser="send",
        unreadable_amount="send",
        selection=selection or Selection(),
    )


def are_of_settings(rules: Rules) -> bool:
    """Whether rules are somebody's, so that the calls they lead to mean something."""
    return bool(rules.wire.targets)


def event_of(message: Mapping[str, Any] | None) -> str | None:
    """Give the name of a track as it is counted, empty for none; None for other messages."""
    if message is None or str(message.get("type")).lower() != "track":
        return None
    return name_of(message.get("event"))


class InspectJob(MappingJob):
    """Find out what is in a batch."""

    def __call__(self, batch: LineBatch) -> BatchFindings:
        ending = BatchCounts()
        looking = _Looking(self.rules, batch)
        if self.limit is None and not self.rules.has_selection:
            lines = map_lines(batch, self.rules, sift=looking.sift)
        else:
            lines = self.lines(batch, ending)
        # One thing after the other for the whole batch, not for each message: the processor keeps
        # the code of one thing in its caches, and not that of all.
        mapped = [*lines]
        events = [looking.look_at(line) for line in mapped]
        looking.note_calls(
            [
                (line, line.outcome, event)
                for line, event in zip(mapped, events, strict=True)
                if isinstance(line.outcome, Mapped)
            ]
        )
        return looking.finish(exhausted=ending.exhausted)


def keep_lines_with_calls(batch: LineBatch, result: BatchFindings) -> LineBatch:
    """Leave of a batch only the lines that may have to be looked at again; ``result`` follows."""
    spared, place, spans = with_lines_at(batch, result.spans), 0, []
    for start, end in result.spans:
        spans.append((place, place + end - start))
        place += end - start
    result.spans = spans
    return spared


_Kind = tuple[str, str | None, str | None]
"""The type of a message, its library and its channel."""


class _Looking:
    """Looks at the lines of one batch.

    A note costs as little as it can, because there is one for every message: most are only put on
    a list, and counted, cut and ordered at the end, once for all that are alike.
    """

    def __init__(self, rules: Rules, batch: LineBatch) -> None:
        self._rules = rules
        self._batch = batch
        self._limit = UrlLimit(rules.wire) if are_of_settings(rules) else None
        self._result = BatchFindings()
        self._found = self._result.found
        self._sifted: list[tuple[int, Usual]] = []
        self._kinds: list[tuple[int, _Kind]] = []
        self._skipped: list[SkipReason] = []
        self._events: list[str] = []
        self._amounts: defaultdict[str, list[float]] = defaultdict(list)
        self._profiles: list[Profile] = []
        self._marks: list[tuple[Mark, int | None]] = []
        self._times: list[int] = []
        self._ids: list[str] = []

    def sift(self, number: int, line: bytes) -> bool:
        """Note a line if a first look tells all that is noted of it; say whether it does.

        It does so of most messages of the types that yield no call, which are most of an export.
        """
        usual = glimpse_usual(line)
        if usual is None or usual.type not in OTHER_TYPES or len(line) > MAX_LINE:
            return False
        time = usual_time({"timestamp": usual.timestamp}, self._rules.latest)
        if time is None:
            return False
        self._times.append(time)
        self._sifted.append((number, usual))
        return True

    def look_at(self, line: MappedLine) -> str | None:
        """Note what a line is, and why it yields no call; give the name of a track asked for."""
        outcome = line.outcome
        if isinstance(outcome, Mapped):
            return self._note_message(line, outcome.calls[0])
        self._note_reason(outcome, line.number)
        return self._note_message(line, None)

    def note_calls(self, messages: Sequence[tuple[MappedLine, Mapped, str | None]]) -> None:
        """Note the calls that a dry run would give, with the names of tracks."""
        keys, spans, sent = self._result.keys, self._result.spans, []
        for line, mapped, event in messages:
            spans.append((line.start, line.end))
            message_id = keys.add(line, mapped, self._batch, self._rules, with_orders=True)
            if message_id is not None:
                self._ids.append(message_id)
            for warning in mapped.warnings:
                self._found.warn(warning.value, self._batch.place(line.number))
            if self._limit is None or all(map(self._limit.allows, mapped.calls)):
                sent.append((event, mapped.calls))
            else:
                self._note_too_long(line, mapped.calls, self._limit, event)
        self._found.outcomes.note_sent(sent, with_types=self._limit is not None)

    def finish(self, *, exhausted: bool) -> BatchFindings:
        """Put the notes together."""
        found = self._found
        self._skipped += [SkipReason.UNSUPPORTED_TYPE] * len(self._sifted)
        self._ids += [one.message_id for _, one in self._sifted if one.message_id.strip()]
        self._count_kinds()
        for name, count in Counter(self._events).items():
            found.events.at(cut_name(name)).count += count
        for name, amounts in self._amounts.items():
            row = found.amounts.at(cut_name(name))
            row.count += len(amounts)
            row.add_values(amounts)
        found.outcomes.skipped.update(
            {reason.value: count for reason, count in Counter(self._skipped).items()}
        )
        found.profiles.update(self._profiles)
        found.gates.note_marks(self._marks)
        found.times.note(self._times)
        found.ids.note(hash_ids(self._ids))
        messages, typed = found.messages, len(self._kinds) + len(self._sifted)
        messages["read"] = typed + messages["unreadable"] + messages["left_out"]
        messages["without_id"] = typed - len(self._ids)
        messages["without_time"] = typed - len(self._times)
        self._result.exhausted = exhausted
        return self._result

    def _count_kinds(self) -> None:
        """Count messages; of kinds that are equally frequent the one that was first is told first.

        Messages that are sifted out are noted before all others.
        """
        kinds = [(number, _kind_of(usual)) for number, usual in self._sifted]
        kinds += self._kinds
        kinds.sort(key=itemgetter(0))
        for (kind, library, channel), count in Counter([kind for _, kind in kinds]).items():
            self._found.types.at(cut_name(kind)).count += count
            self._found.sources.at((name_of(library), name_of(channel))).count += count

    def _note_too_long(
        self, line: MappedLine, calls: Sequence[Call], limit: UrlLimit, event: str | None
    ) -> None:
        """Note a message that has just been noted, one of whose calls cannot be sent at least."""
        keys, outcomes = self._result.keys, self._found.outcomes
        sound = [call for call in calls if limit.allows(call)]
        first = len(keys.keys) // KEY_BYTES - len(calls)
        keys.faults += [first + i for i, call in enumerate(calls) if call not in sound]
        outcomes.note(Fate.FAILED, None if event is None else cut_name(event))
        outcomes.note_calls(sound, None, with_types=True)
        outcomes.calls["failed"] += len(calls) - len(sound)
        self._found.places.note(TOO_LONG, (self._batch.place(line.number), ""))

    def _note_message(self, line: MappedLine, call: Call | None) -> str | None:
        """Note what a message is, and give the name of a track that is asked for.

        ``call`` is the first that it yields, if it does; then its id is noted with its calls.
        """
        message, found, rules = line.message, self._found, self._rules
        message_type = message.get("type") if message is not None else None
        if message is None or not isinstance(message_type, str):
            found.messages["unreadable"] += 1
            return None
        if not line.outcome.is_selected:
            found.messages["left_out"] += 1
            return None
        kind = message_type if message_type in SUPPORTED_TYPES else message_type.lower()
        self._kinds.append((line.number, (kind, *source_of(message))))
        if call is not None:
            time: int | None = call.timestamp
        else:
            time = _time(message, rules)
            message_id = read_id(message.get("messageId"))
            if message_id is not None:
                self._ids.append(message_id)
        if time is not None:
            self._times.append(time)
        if kind not in SUPPORTED_TYPES:
            return None
        found.gates.note(message)
        if is_from_browser(message):
            self._marks.append((read_mark(message), None if time is None else time // DAY))
        mode = call.mode if call is not None else decide_mode(rules.mode, kind, message)
        flags = id_flags(message, mode)
        name: str | None = None
        if kind == "track":
            name, facts, amount = track_facts(message, rules.events)
            flags |= facts
            self._events.append(name)
            if amount is not None:
                self._amounts[name].append(amount)
        self._profiles.append((kind, mode, flags))
        return name

    def _note_reason(self, outcome: Skipped | Invalid, number: int) -> None:
        kept_back = self._found.gates.kept_back
        if isinstance(outcome, Skipped):
            self._skipped.append(outcome.reason)
            if outcome.worth is not None:
                kept_back.note(outcome.reason.value, outcome.title, outcome.worth)
            return
        if outcome.reason is InvalidReason.UNREADABLE_AMOUNT:
            kept_back.note(outcome.reason.value, "", 0)
        self._found.outcomes.invalid[outcome.reason.value] += 1
        place = (self._batch.place(number), outcome.detail)
        self._found.places.note(outcome.reason.value, place)


def _kind_of(usual: Usual) -> _Kind:
    context, channel = usual.context, usual.channel
    return usual.type, context.library.name, context.channel if channel is None else channel


def _time(message: Mapping[str, Any], rules: Rules) -> int | None:
    time = message_time(message, rules.latest)
    return None if isinstance(time, Invalid) else time.seconds
