"""One message before and after: its calls paired, counted, sampled, and every change written down.

    {"change":"changed","source":"export.ndjson:12","message_id":"m1","fields":["event_value"],
     "before":{"mode":"web","call":"event",…},"after":{"mode":"web","call":"event",…}}

``change`` is ``added``, ``removed`` or ``changed`` for a call, and ``newly_sent``,
``newly_skipped`` or ``skipped_otherwise`` for the line that a dry run with ``--include-skipped``
has of a message without calls. Whoever takes the line ``before`` (where it is not null) out of
the old dry run and puts the line ``after`` in has the new dry run, up to the order of one
message's calls; only a call that came before, which a dry run marks as a repeat, is no change.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

from msgspec import Struct

from convertro_cli.amounts import cut_name
from convertro_cli.review.diff.calls import CallPair, Fields, ShownCall, pair_calls
from convertro_cli.review.diff.samples import ChangeKind, ChangeSample, Groups, Handed
from convertro_cli.review.diff.tally import BeforeAfter, DiffTally, OneSide
from convertro_cli.review.masking import Masking
from convertro_cli.segment.days import DAY, day_of
from convertro_cli.segment.json_text import write_json


class WhichMessage(NamedTuple):
    """A message: where it stands, its id, and the name of the track (None if it is none)."""

    source: str
    message_id: str | None
    event: str | None


class Wanted(Struct, frozen=True):
    """What a comparison is to give: so many samples of each kind of change, whether every change
    is written down, and how its ids are shown; and whether to note events whose types differ."""

    samples: int = 3
    written: Masking | None = None
    types: bool = False

    def open(self, handed: Handed | None = None) -> Comparer:
        """Begin a comparison; ``handed`` has the samples of those before it."""
        tally = DiffTally(Groups(self.samples))
        return Comparer(tally, self.written, Handed() if handed is None else handed)


class Comparer:
    """Compares messages into a tally; ``written`` says how every change is shown, if at all.

    Calls that go into the same rows of all tables are counted together, and entered at the end.
    """

    def __init__(self, tally: DiffTally, written: Masking | None, handed: Handed) -> None:
        self.tally = tally
        self._written = written
        self._handed = handed
        self._lines: list[bytes] = []
        self._rows: dict[tuple[str, str | None, str | None, int], BeforeAfter] = {}

    def finish(self) -> DiffTally:
        """Give the tally of all that was compared."""
        tally = self.tally
        for (kind, event_type, event, day), row in self._rows.items():
            tally.by_call.of(kind).add(row)
            tally.by_day.of(_iso(day)).add(row)
            if kind != "user":
                tally.by_event.of(event).add(row)
            if kind == "event":
                tally.by_event_type.of(event_type).add(row)
        self._rows.clear()
        self._handed.note(tally.groups)
        return tally

    def take_lines(self) -> bytes:
        """Give the changes that were written down since the last time, a line each."""
        lines, self._lines = self._lines, []
        return b"".join(lines)

    def compare(self, message: WhichMessage, before: OneSide, after: OneSide) -> None:
        """Compare what a message becomes on the two sides."""
        self.tally.messages.count(before, after)
        if before.reason != after.reason:
            self._note_reasons(message, before, after)
        for pair in pair_calls(before.calls, after.calls):
            self._count(pair, message.event)
            if pair.verdict != "unchanged":
                kind = _kind(pair, before.reason, after.reason)
                self._sample(kind, partial(_sample, message, pair))
                if self._written is not None:
                    self._write(pair.verdict, message, *pair.sides, pair.fields)

    def count_unchanged(self, call: ShownCall, event: str | None) -> None:
        """Count a call that is the same on both sides; ``event`` names the track it is of."""
        self.tally.calls["unchanged"] += 1
        if call.is_sendable:
            row, value = self._row(call, event), call.event_value
            row.before.add_one(value)
            row.after.add_one(value)

    def _count(self, pair: CallPair, event: str | None) -> None:
        self.tally.calls[pair.verdict] += 1
        if pair.fields:
            self.tally.fields.update(pair.fields)
        if pair.before is not None and pair.before.is_sendable:
            self._row(pair.before, event).before.add_one(pair.before.event_value)
        if pair.after is not None and pair.after.is_sendable:
            self._row(pair.after, event).after.add_one(pair.after.event_value)

    def _row(self, call: ShownCall, event: str | None) -> BeforeAfter:
        key = (call.kind, call.event_type, event, call.timestamp // DAY)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = BeforeAfter()
        return row

    def _note_reasons(self, message: WhichMessage, before: OneSide, after: OneSide) -> None:
        if after.reason is None:
            self._write("newly_sent", message, before.line, None)
        elif before.reason is None:
            self._write("newly_skipped", message, None, after.line)
        elif before.line is not None and after.line is not None:
            kind = ChangeKind("skipped_otherwise", was=before.reason, now=after.reason)
            self._sample(kind, lambda: ChangeSample(*message, before.line, after.line))
            self._write("skipped_otherwise", message, before.line, after.line)

    def _sample(self, kind: ChangeKind, make: Callable[[], ChangeSample]) -> None:
        groups = self.tally.groups
        groups.note(kind, None if self._handed.are_enough(kind, groups.wanted) else make)

    def _write(
        self,
        change: str,
        message: WhichMessage,
        before: Fields | None,
        after: Fields | None,
        fields: tuple[str, ...] = (),
    ) -> None:
        masking = self._written
        if masking is None:
            return
        line = {
            "change": change,
            "source": message.source,
            "message_id": masking.value(message.message_id),
            **({"fields": fields} if fields else {}),
            "before": None if before is None else masking.call(before),
            "after": None if after is None else masking.call(after),
        }
        self._lines.append(write_json(line) + b"\n")


def _kind(pair: CallPair, was: str | None, now: str | None) -> ChangeKind:
    if pair.fields:
        return ChangeKind("changed", fields=pair.fields)
    call = pair.after if pair.before is None else pair.before
    assert call is not None
    event_type = None if call.event_type is None else cut_name(call.event_type)
    return ChangeKind(pair.verdict, call.kind, event_type, was=was, now=now)


def _sample(message: WhichMessage, pair: CallPair) -> ChangeSample:
    return ChangeSample(*message, *pair.sides)


@lru_cache(maxsize=1024)
def _iso(day: int) -> str:
    return day_of(day).isoformat()
