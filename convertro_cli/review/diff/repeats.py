"""Calls that came before: they would not be sent, and so are no part of a side's counts.

Workers compare as if no call came before. The messages of which one did are compared twice more
here: as the worker did, which is taken out of the counts, and without the calls that are not
sent. They are no change either, though a dry run keeps their lines.
"""

from __future__ import annotations

from convertro_cli.mapping.jobs import CallKeys
from convertro_cli.mapping.lines import MappedLine, map_lines
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.batch import LineBatch
from convertro_cli.review.diff.job import DiffJob, DiffPart, map_again, outcome_of, place_of
from convertro_cli.review.diff.saved import Work, at
from convertro_cli.review.diff.saved_job import SavedJob
from convertro_cli.review.diff.tally import Outcome
from convertro_cli.run.repeats import Repeated, RepeatSearch

_MOST_IN_MEMORY = 700_000  # on each side


class DiffRepeats:
    """Finds the calls that came before on each side, batch by batch, and takes them out."""

    def __init__(self, job: DiffJob) -> None:
        self._job = job
        self._before = RepeatSearch(most_in_memory=_MOST_IN_MEMORY)
        self._after = RepeatSearch(most_in_memory=_MOST_IN_MEMORY)

    def take_out(self, work: Work, part: DiffPart) -> None:
        """Correct the counts of a batch, and its changes."""
        batch = work.batch
        if batch is None:
            return
        before = _by_line(self._before, part.before)
        after = _by_line(self._after, part.after)
        for number in sorted({*before, *after}):
            data = _line_of(batch, number, part)
            line = _map(batch, number, data, self._job.after)
            place = place_of(line, batch)
            old = outcome_of(map_again(line, data, self._job.before), self._job.before.wire)
            new = outcome_of(line.outcome, self._job.after.wire)
            counted, sent = self._job.wanted.open(), self._job.wanted.open()
            counted.compare(place, old, new)
            sent.compare(place, _sent(old, before.get(number)), _sent(new, after.get(number)))
            part.tally.take_out(counted.finish())
            part.tally.add(sent.finish())
            part.written[number] = b"".join(sent.lines)
        if before or after:
            part.changes = b"".join(part.written[number] for number in sorted(part.written))


class SavedRepeats:
    """The same where a saved dry run is the old side: its lines say what came before then."""

    def __init__(self, job: SavedJob) -> None:
        self._job = job
        self._search = RepeatSearch(most_in_memory=_MOST_IN_MEMORY)

    def take_out(self, work: Work, part: DiffPart) -> None:
        """Correct the counts of a batch, and its changes."""
        batch = work.batch
        if batch is None:
            return
        for number, repeated in _by_line(self._search, part.after).items():
            line = _map(batch, number, _line_of(batch, number, part), self._job.after)
            place = at(*batch.locate(number))
            then = [saved for saved in work.saved if saved.at == place]
            now = outcome_of(line.outcome, self._job.after.wire)
            counted, sent = self._job.wanted.open(), self._job.wanted.open()
            self._job.compare_line(counted, batch, line, then, now)
            self._job.compare_line(sent, batch, line, then, _sent(now, repeated))
            part.tally.take_out(counted.finish())
            part.tally.add(sent.finish())
            gone, new = b"".join(counted.lines), b"".join(sent.lines)
            part.changes = part.changes.replace(gone, new, 1) if gone else part.changes + new


def _line_of(batch: LineBatch, number: int, part: DiffPart) -> bytes:
    start, end = part.spans[number]
    return batch.data[start:end]


def _map(batch: LineBatch, number: int, data: bytes, rules: Rules) -> MappedLine:
    return next(map_lines(LineBatch(batch.file, batch.source, number, data, 0), rules))


def _by_line(search: RepeatSearch, keys: CallKeys) -> dict[int, Repeated]:
    return {keys.numbers[found.message]: found for found in search.review(keys).messages}


def _sent(outcome: Outcome, repeated: Repeated | None) -> Outcome:
    """Leave the calls that are sent; without any the message is counted by why."""
    if repeated is None:
        return outcome
    calls = [call for call, why in zip(outcome.calls, repeated.calls, strict=True) if why is None]
    return Outcome(calls) if calls else Outcome(reason=repeated.fate.name.lower())
