"""Calls that came before: they would not be sent, and so are no part of a side's counts.

Workers compare as if no call came before. The messages of which one did are compared twice more
here: as the worker did, which is taken out of the counts, and without the calls that are not
sent. They are no change either, though a dry run keeps their lines. Of a saved dry run its lines
say what came before then.
"""

from __future__ import annotations

from convertro_cli.mapping.jobs import CallKeys
from convertro_cli.mapping.lines import map_lines
from convertro_cli.reading.batch import LineBatch
from convertro_cli.review.diff.job import DiffJob, DiffPart
from convertro_cli.review.diff.saved import saved_of
from convertro_cli.run.repeats import Repeated, RepeatSearch

_MOST_IN_MEMORY = 700_000  # on each side


class DiffRepeats:
    """Finds the calls that came before on each side, batch by batch, and takes them out."""

    def __init__(self, job: DiffJob) -> None:
        self._job = job
        self._before = RepeatSearch(most_in_memory=_MOST_IN_MEMORY)
        self._after = RepeatSearch(most_in_memory=_MOST_IN_MEMORY)

    def take_out(self, batch: LineBatch, part: DiffPart) -> None:
        """Correct the counts of a batch, and its changes."""
        before = _by_line(self._before, part.before)
        after = _by_line(self._after, part.after)
        for number in sorted({*before, *after}):
            start, end = part.spans[number]
            one = batch.only(number, start, end)
            line, saved = next(map_lines(one, self._job.after)), saved_of(batch, number)
            counted, sent = self._job.wanted.open(), self._job.wanted.open()
            self._job.compare_line(counted, line, one, saved)
            repeats = (before.get(number), after.get(number))
            self._job.compare_line(sent, line, one, saved, repeats)
            part.tally.take_out(counted.finish())
            part.tally.add(sent.finish())
            part.write(number, sent.take_lines())


def _by_line(search: RepeatSearch, keys: CallKeys) -> dict[int, Repeated]:
    return {keys.numbers[found.message]: found for found in search.review(keys).messages}
