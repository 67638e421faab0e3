"""The job of a worker process: map a batch of lines, and find out what is in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from convertro_cli.amounts import Sum, cut_name
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
from convertro_cli.mapping.modes import decide_mode
from convertro_cli.mapping.rules import Rules, Selection, Wire
from convertro_cli.mapping.times import message_time
from convertro_cli.mapping.url_limit import UrlLimit
from convertro_cli.reading.batch import MAX_LINE, LineBatch, with_lines_at
from convertro_cli.record.tally import Fate
from convertro_cli.review.inspect.findings import BatchFindings
from convertro_cli.review.inspect.ids import hash_ids
from convertro_cli.review.inspect.profile import id_flags, name_of, source_of, track_facts
from convertro_cli.segment.first_look import glimpse_usual
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


@dataclass(slots=True)
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
        for line, event in zip(mapped, events, strict=True):
            if isinstance(line.outcome, Mapped):
                looking.note_calls(line, line.outcome, event)
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

    A note costs as little as it can, because there is one for every message: names are only cut
    and times only ordered once for all that are alike.
    """

    def __init__(self, rules: Rules, batch: LineBatch) -> None:
        self._rules = rules
        self._batch = batch
        self._limit = UrlLimit(rules.wire) if are_of_settings(rules) else None
        self._result = BatchFindings()
        self._found = self._result.found
        self._kinds: defaultdict[_Kind, int] = defaultdict(int)
        self._met_at: dict[_Kind, int] = {}
        self._skipped: defaultdict[SkipReason, int] = defaultdict(int)
        self._events: defaultdict[str, int] = defaultdict(int)
        self._amounts: defaultdict[str, Sum] = defaultdict(Sum)
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
        context, channel = usual.context, usual.channel
        if channel is None:
            channel = context.channel
        self._count_kind((usual.type, context.library.name, channel), number)
        self._skipped[SkipReason.UNSUPPORTED_TYPE] += 1
        self._times.append(time)
        if usual.message_id.strip():  # as read_id has it
            self._ids.append(usual.message_id)
        return True

    def look_at(self, line: MappedLine) -> str | None:
        """Note what a line is, and why it yields no call; give the name of a track asked for."""
        outcome = line.outcome
        if isinstance(outcome, Mapped):
            return self._note_message(line, outcome.calls[0])
        self._note_reason(outcome, line.number)
        return self._note_message(line, None)

    def finish(self, *, exhausted: bool) -> BatchFindings:
        """Put the notes together."""
        found, typed = self._found, sum(self._kinds.values())
        for what in sorted(self._kinds, key=self._met_at.__getitem__):
            (kind, library, channel), count = what, self._kinds[what]
            found.types.at(cut_name(kind)).count += count
            found.sources.at((name_of(library), name_of(channel))).count += count
        for name, count in self._events.items():
            found.events.at(cut_name(name)).count += count
        for name, amounts in self._amounts.items():
            found.amounts.at(cut_name(name)).add(amounts)
        found.outcomes.skipped.update(
            {reason.value: count for reason, count in self._skipped.items()}
        )
        found.times.note(self._times)
        found.ids.note(hash_ids(self._ids))
        messages = found.messages
        messages["read"] = typed + messages["unreadable"] + messages["left_out"]
        found.messages["without_id"] = typed - len(self._ids)
        found.messages["without_time"] = typed - len(self._times)
        self._result.exhausted = exhausted
        return self._result

    def _count_kind(self, kind: _Kind, number: int) -> None:
        """Count a message; of kinds that are equally frequent the one that was first is told first.

        Messages that are sifted out are noted before all others.
        """
        self._kinds[kind] += 1
        if number < self._met_at.get(kind, inf):
            self._met_at[kind] = number

    def note_calls(self, line: MappedLine, mapped: Mapped, event: str | None) -> None:
        """Note the calls that a dry run would give; ``event`` names a track."""
        self._result.spans.append((line.start, line.end))
        self._result.keys.add(line, mapped, self._batch, self._rules, with_orders=True)
        for warning in mapped.warnings:
            self._found.warn(warning.value, self._batch.place(line.number))
        outcomes, calls = self._found.outcomes, mapped.calls
        name = None if event is None else cut_name(event)
        if self._limit is None:
            outcomes.note_calls(calls, outcomes.note(Fate.DELIVERED, name), with_types=False)
            return
        keys = self._result.keys
        sound = [call for call in calls if self._limit.allows(call)]
        if len(sound) == len(calls):
            outcomes.note_calls(calls, outcomes.note(Fate.DELIVERED, name), with_types=True)
            return
        first = len(keys.keys) // KEY_BYTES - len(calls)
        keys.faults += [first + i for i, call in enumerate(calls) if call not in sound]
        outcomes.note(Fate.FAILED, name)
        outcomes.note_calls(sound, None, with_types=True)
        outcomes.calls["failed"] += len(calls) - len(sound)
        self._found.places.note(TOO_LONG, (self._batch.place(line.number), ""))

    def _note_message(self, line: MappedLine, call: Call | None) -> str | None:
        """Note what a message is, and give the name of a track that is asked for.

        ``call`` is the first that it yields, if it does.
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
        self._count_kind((kind, *source_of(message)), line.number)
        message_id = read_id(message.get("messageId"))
        if message_id is not None:
            self._ids.append(message_id)
        time = call.timestamp if call is not None else _time(message, rules)
        if time is not None:
            self._times.append(time)
        name: str | None = None
        if kind in SUPPORTED_TYPES:
            found.gates.note(message, time)
            mode = call.mode if call is not None else decide_mode(rules.mode, kind, message)
            flags = id_flags(message, mode)
            if kind == "track":
                name, facts, amount = track_facts(message, rules.events)
                flags |= facts
                self._events[name] += 1
                if amount is not None:
                    self._amounts[name].add_one(amount)
            found.profiles[kind, mode, flags] += 1
        return name

    def _note_reason(self, outcome: Skipped | Invalid, number: int) -> None:
        kept_back = self._found.gates.kept_back
        if isinstance(outcome, Skipped):
            self._skipped[outcome.reason] += 1
            if outcome.worth is not None:
                kept_back.note(outcome.reason.value, outcome.title, outcome.worth)
            return
        if outcome.reason is InvalidReason.UNREADABLE_AMOUNT:
            kept_back.note(outcome.reason.value, "", 0)
        self._found.outcomes.invalid[outcome.reason.value] += 1
        place = (self._batch.place(number), outcome.detail)
        self._found.places.note(outcome.reason.value, place)


def _time(message: Mapping[str, Any], rules: Rules) -> int | None:
    time = message_time(message, rules.latest)
    return None if isinstance(time, Invalid) else time.seconds
