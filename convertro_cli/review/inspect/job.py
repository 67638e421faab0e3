"""The job of a worker process: map a batch of lines, and find out what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convertro_cli.mapping.calls import Call, Invalid, InvalidReason, Mapped, Outcome, Skipped
from convertro_cli.mapping.gates import SUPPORTED_TYPES
from convertro_cli.mapping.jobs import TOO_LONG, BatchCounts, MappingJob
from convertro_cli.mapping.ledger_key import KEY_BYTES
from convertro_cli.mapping.lines import MappedLine
from convertro_cli.mapping.modes import decide_mode
from convertro_cli.mapping.rules import Rules, Selection, Wire
from convertro_cli.mapping.times import message_time
from convertro_cli.reading.batch import LineBatch
from convertro_cli.review.inspect.days import DAY
from convertro_cli.review.inspect.notes import BatchFindings, BatchNotes, warned
from convertro_cli.review.inspect.profile import id_flags, source_of, track_facts
from convertro_cli.review.inspect.sendable import UrlLimit
from convertro_cli.review.inspect.sums import Sum
from convertro_cli.segment.ids import read_id


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


@dataclass(slots=True)
class InspectJob(MappingJob):
    """Find out what is in a batch.

    ``with_settings`` says that the rules are somebody's, so that the calls they lead to mean
    something and are counted as well.
    """

    with_settings: bool = True

    def __call__(self, batch: LineBatch) -> BatchFindings:
        ending = BatchCounts()
        notes = BatchNotes()
        limit = UrlLimit(self.rules.wire)
        read = 0
        for line in self.lines(batch, ending):
            read += 1
            outcome = line.outcome
            if isinstance(outcome, Mapped):
                notes.spans.append((line.start, line.end))
                notes.keys.add(line, outcome, batch, self.rules, with_orders=True)
                is_sent = self._note_calls(outcome, line.number, notes, limit)
                self._note_message(line, notes, outcome.calls[0], is_sent)
            else:
                _note_reason(outcome, line.number, notes)
                self._note_message(line, notes, None, False)
        notes.messages["read"] = read
        return notes.findings(exhausted=ending.exhausted)

    def _note_calls(self, mapped: Mapped, number: int, notes: BatchNotes, limit: UrlLimit) -> bool:
        """Note the calls that a dry run would give; say whether all of them can be sent."""
        for warning in mapped.warnings:
            notes.warnings[warning.value] += 1
            notes.note_place(warned(warning.value), number)
        failed = 0
        first = len(notes.keys.keys) // KEY_BYTES - len(mapped.calls)
        for index, call in enumerate(mapped.calls if self.with_settings else (), first):
            if not limit.allows(call):
                failed += 1
                notes.keys.faults.append(index)
                continue
            notes.calls[call.kind] += 1
            if call.kind == "event":
                kind = (call.event_type or "", call.timestamp // DAY)
                total = notes.values.get(kind)
                if total is None:
                    total = notes.values[kind] = Sum()
                total.count += 1
                total.add_value(call.event_value)
        if failed:
            notes.calls["failed"] += failed
            notes.failed[TOO_LONG] += 1
            notes.note_place(TOO_LONG, number)
        else:
            notes.messages["sent"] += 1
        return not failed

    def _note_message(
        self, line: MappedLine, notes: BatchNotes, call: Call | None, is_sent: bool
    ) -> None:
        """Note what a message is; ``call`` is the first that it yields, if it does."""
        message = line.message
        message_type = message.get("type") if message is not None else None
        if message is None or not isinstance(message_type, str):
            notes.messages["unreadable"] += 1
            return
        kind = message_type if message_type in SUPPORTED_TYPES else message_type.lower()
        if not line.outcome.is_selected:
            notes.messages["left_out"] += 1
            return
        time = call.timestamp if call is not None else _time(message, self.rules)
        notes.kinds[kind, *source_of(message)] += 1
        message_id = read_id(message.get("messageId"))
        if message_id is not None:
            notes.ids.append(message_id)
        if time is not None:
            notes.times.append(time)
        if kind in SUPPORTED_TYPES:
            notes.gates.note(message, time)
            mode = call.mode if call is not None else decide_mode(self.rules.mode, kind, message)
            flags = id_flags(message, mode)
            if kind == "track":
                flags |= self._note_track(message, notes, line.outcome if is_sent else None)
            notes.profiles[kind, mode, flags] += 1

    def _note_track(
        self, message: Mapping[str, Any], notes: BatchNotes, sent: Outcome | None
    ) -> int:
        name, flags, amount = track_facts(message, self.rules.events)
        total = notes.events.get(name)
        if total is None:
            total = notes.events[name] = Sum()
        total.count += 1
        if isinstance(sent, Mapped):
            total.sent += 1
            for call in sent.calls:
                if call.kind == "event":
                    total.add_sent(call.event_value)
        if amount is not None:
            total.add_value(amount)
        return flags


def _note_reason(outcome: Skipped | Invalid, number: int, notes: BatchNotes) -> None:
    if isinstance(outcome, Skipped):
        notes.skipped[outcome.reason] += 1
        if outcome.worth is not None:
            notes.gates.kept_back.add(outcome.reason.value, outcome.title, outcome.worth)
    else:
        if outcome.reason is InvalidReason.UNREADABLE_AMOUNT:
            notes.gates.kept_back.add(outcome.reason.value, "", 0)
        notes.invalid[outcome.reason.value] += 1
        notes.note_place(outcome.reason.value, number, outcome.detail)


def _time(message: Mapping[str, Any], rules: Rules) -> int | None:
    time = message_time(message, rules.latest)
    return None if isinstance(time, Invalid) else time.seconds
