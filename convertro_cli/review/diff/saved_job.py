"""The job that worker processes do with a batch and its saved lines: map, and compare."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from convertro_cli.mapping.jobs import BatchCounts, MappingJob
from convertro_cli.mapping.lines import MappedLine
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.batch import LineBatch
from convertro_cli.review.diff.changes import Place
from convertro_cli.review.diff.compare import Comparison
from convertro_cli.review.diff.job import (
    DiffPart,
    Wanted,
    outcome_of,
    place_of,
)
from convertro_cli.review.diff.samples import Handed
from convertro_cli.review.diff.saved import At, SavedLine, Work, at
from convertro_cli.review.diff.saved_lines import SavedLineError, SavedMessage, read_message
from convertro_cli.review.diff.tally import NOT_IN_SAVED_RUN, NOT_IN_THIS_RUN, Outcome

_ABSENT_THEN = Outcome(reason=NOT_IN_SAVED_RUN)
_ABSENT_NOW = Outcome(reason=NOT_IN_THIS_RUN)


@dataclass(slots=True)
class SavedJob:
    """Compare what the messages of a batch became in a saved run with what they become now.

    A message is the same where its place and its id are. ``limit`` counts down over batches;
    saved lines beyond it are left alone.
    """

    after: Rules
    wanted: Wanted
    limit: int | None = None
    handed: Handed = field(default_factory=Handed)

    def __call__(self, work: Work) -> DiffPart:
        comparison = self.wanted.open(self.handed)
        part = DiffPart(comparison.tally)
        try:
            if work.batch is None:
                _compare_gone(comparison, work.saved)
            else:
                part.exhausted = self._compare_batch(part, comparison, work.batch, work.saved)
        except SavedLineError as fault:
            part.fault = str(fault)
        comparison.finish()
        part.changes = b"".join(comparison.lines)
        return part

    def _compare_batch(
        self,
        part: DiffPart,
        comparison: Comparison,
        batch: LineBatch,
        lines: Sequence[SavedLine],
    ) -> bool:
        saved = deque(lines)
        mapper, counts = MappingJob(self.after, self.limit), BatchCounts()
        for line in mapper.lines(batch, counts):
            here, index = at(*batch.locate(line.number))
            _compare_gone(comparison, _take(saved, (here, index)))
            now = outcome_of(line.outcome, self.after.wire)
            then = _take(saved, (here, index + 1))
            part.note_calls(line, ((part.after, line.outcome, self.after),), batch)
            self.compare_line(comparison, batch, line, then, now)
            if self.wanted.types:
                part.note_types(line, _types(then), batch, self.after)
        self.limit = mapper.limit
        if not counts.exhausted:
            _compare_gone(comparison, saved)
        return counts.exhausted

    def compare_line(
        self,
        comparison: Comparison,
        batch: LineBatch,
        line: MappedLine,
        lines: Sequence[SavedLine],
        now: Outcome,
    ) -> None:
        """Compare what a message became then, which its saved lines say, with what it is now."""
        comparison.tally.messages.read += 1
        place = place_of(line, batch)
        if not lines:
            comparison.compare(place, _ABSENT_THEN, now)
            return
        comparison.tally.matched += 1
        then = read_message(lines)
        if then.message_id == place.message_id:
            comparison.compare(place, then.outcome, now)
        else:
            comparison.compare(_place_then(then), then.outcome, _ABSENT_NOW)
            comparison.compare(place, _ABSENT_THEN, now)


def _types(lines: Sequence[SavedLine]) -> list[str | None]:
    """Give the event types of a message's saved calls."""
    return [call.event_type for call in read_message(lines).outcome.calls] if lines else []


def _compare_gone(comparison: Comparison, lines: Iterable[SavedLine]) -> None:
    """Compare saved lines with nothing: there is no such message in this run."""
    for _, alike in groupby(lines, key=lambda line: (line.file, line.at)):
        then = read_message(list(alike))
        comparison.compare(_place_then(then), then.outcome, _ABSENT_NOW)


def _take(lines: deque[SavedLine], end: At) -> list[SavedLine]:
    """Take the lines before a place in the file."""
    taken = []
    while lines and lines[0].at < end:
        taken.append(lines.popleft())
    return taken


def _place_then(then: SavedMessage) -> Place:
    return Place(then.source, then.message_id, None)
