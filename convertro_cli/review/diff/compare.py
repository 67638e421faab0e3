"""One message before and after: its calls paired, counted, sampled and written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from convertro_cli.review.diff.calls import Fields, ShownCall
from convertro_cli.review.diff.changes import Place, change_line
from convertro_cli.review.diff.pairing import Pair, pair_calls
from convertro_cli.review.diff.samples import Handed, Kind, Sample
from convertro_cli.review.diff.tally import DiffTally, Outcome
from convertro_cli.review.diff.totals import cut_name
from convertro_cli.review.masking import Masking


@dataclass(slots=True)
class Comparison:
    """Compares messages into a tally; ``written`` says how every change is shown, if at all."""

    tally: DiffTally
    written: Masking | None
    handed: Handed = field(default_factory=Handed)
    lines: list[bytes] = field(default_factory=list)

    def finish(self) -> DiffTally:
        """Give the tally of all that was compared."""
        self.tally.sum_up()
        self.handed.note(self.tally.groups)
        return self.tally

    def compare(self, place: Place, before: Outcome, after: Outcome) -> None:
        """Compare what a message becomes on the two sides."""
        self.tally.messages.count(before, after)
        if before.reason is not None or after.reason is not None:
            self._note_reasons(place, before, after)
        for pair in pair_calls(before.calls, after.calls):
            self.tally.count_pair(pair, place.event)
            if pair.verdict != "unchanged":
                kind = _kind(pair, before.reason, after.reason)
                self._sample(kind, partial(_sample, place, pair))
                if self.written is not None:
                    self._write(pair.verdict, place, *_sides(pair), pair.fields)

    def _note_reasons(self, place: Place, before: Outcome, after: Outcome) -> None:
        if before.reason == after.reason:
            return
        if after.reason is None:
            self._write("newly_sent", place, before.line, None)
        elif before.reason is None:
            self._write("newly_skipped", place, None, after.line)
        elif before.line is not None and after.line is not None:
            kind = Kind("skipped_otherwise", was=before.reason, now=after.reason)
            self._sample(kind, lambda: Sample(*place, before.line, after.line))
            self._write("skipped_otherwise", place, before.line, after.line)

    def _sample(self, kind: Kind, make: Callable[[], Sample]) -> None:
        groups = self.tally.groups
        groups.note(kind, None if self.handed.are_enough(kind, groups.wanted) else make)

    def _write(
        self,
        change: str,
        place: Place,
        before: Fields | None,
        after: Fields | None,
        fields: tuple[str, ...] = (),
    ) -> None:
        if self.written is not None:
            self.lines.append(change_line(change, place, before, after, fields, self.written))


def _kind(pair: Pair, was: str | None, now: str | None) -> Kind:
    if pair.fields:
        return Kind("changed", fields=pair.fields)
    call = pair.after if pair.before is None else pair.before
    assert call is not None
    event_type = None if call.event_type is None else cut_name(call.event_type)
    return Kind(pair.verdict, call.kind, event_type, was=was, now=now)


def _sample(place: Place, pair: Pair) -> Sample:
    return Sample(*place, *_sides(pair))


def _sides(pair: Pair) -> tuple[Fields | None, Fields | None]:
    return _fields(pair.before), _fields(pair.after)


def _fields(call: ShownCall | None) -> Fields | None:
    return None if call is None else call.fields
