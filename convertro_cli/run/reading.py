"""A way through exports: interrupts, input, files and progress, the same for every command."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Generic, Protocol, TypeVar

from convertro_cli.errors import ExitCode
from convertro_cli.reading.batch import LineBatch
from convertro_cli.reading.export_set import ExportFile, ExportSet
from convertro_cli.reading.exports import read_exports
from convertro_cli.reading.joined import joined, parts_of
from convertro_cli.record.tally import Tally
from convertro_cli.run.files import RunFiles
from convertro_cli.run.interrupts import Interrupts
from convertro_cli.run.progress import Progress, Watcher
from convertro_cli.run.read_ahead import ReadAhead
from convertro_cli.workers.groups import Each, grouped
from convertro_cli.workers.pool import run_in_order

Result = TypeVar("Result")

Beside = Callable[[Iterable[LineBatch]], Iterable[LineBatch]]

_TICK = 0.1
_WORTH_WORKERS = 8 << 20
_MOST_BY_DEFAULT = 4


def choose_workers(wanted: int | None, total_bytes: int | None, limit: int | None = None) -> int:
    """Give the number of mapping processes: as wanted, else one a core where it is worth it.

    A ``limit`` counts messages in order, which one process alone can do.
    """
    if limit is not None:
        return 1
    if wanted is not None:
        return wanted
    if total_bytes is not None and total_bytes < _WORTH_WORKERS:
        return 1
    return min(len(os.sched_getaffinity(0)), _MOST_BY_DEFAULT)


class Files(Protocol):
    """Files to read, in order; ``total_bytes`` is None where that is not known."""

    @property
    def total_bytes(self) -> int | None: ...

    def __iter__(self) -> Iterator[ExportFile]: ...


Done = tuple[Sequence[LineBatch], Sequence[Result]]
"""Batches, and what a job made of each."""


class Spread(Protocol):
    """Has a job done on other machines."""

    def run(
        self,
        job: Callable[[LineBatch], Result],
        files: Files,
        spare: Callable[[LineBatch, Result], LineBatch],
    ) -> Iterator[Done[Result]]:
        """Give the batches of files with what a job makes of them, in order.

        ``spare`` leaves of each batch what is still needed once the job is done. Raises
        ConvertroError.
        """


class Batches(Generic[Result]):
    """Batches of lines with what a job made of them, in the order of the files."""

    def __init__(self, done: Iterator[Done[Result]]) -> None:
        self._feed = ReadAhead(done)
        self._taken: deque[tuple[LineBatch, Result]] = deque()

    def __enter__(self) -> Batches[Result]:
        self._feed.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._feed.stop()

    @property
    def is_finished(self) -> bool:
        """Whether every batch was taken."""
        return self._feed.is_finished and not self._taken

    def take(self, timeout: float) -> tuple[LineBatch, Result] | None:
        """Give the next batch and its result, or None if there is none yet."""
        if not self._taken:
            group = self._feed.take(timeout)
            if group is None:
                return None
            self._taken.extend(zip(*group, strict=True))
        return self._taken.popleft()


class Reading:
    """Goes through exports. The bytes and files are counted in ``tally``.

    What is damaged or left unread is told to the ``watcher``, and so is where the reading is.
    ``workers`` is None for the default; a ``limit`` of messages, which the job counts down, takes
    one process. ``interrupts`` are those of a run that has entered its own already. With a
    ``spread`` other machines read, and do the jobs.
    """

    def __init__(
        self,
        exports: ExportSet,
        watcher: Watcher,
        *,
        workers: int | None = None,
        limit: int | None = None,
        interrupts: Interrupts | None = None,
        spread: Spread | None = None,
    ) -> None:
        self.tally = Tally()
        self.files = RunFiles(self.tally, watcher.notice, exports)
        self.progress = Progress(self.tally, exports.total_bytes)
        self.is_finished = False
        """Whether ``each`` gave every batch."""
        self._exports = exports
        self._watcher = watcher
        self._workers = workers
        self._limit = limit
        self._spread = spread
        self._given = interrupts
        self._interrupts = interrupts or Interrupts()
        self._opened = ExitStack()
        self._started = time.monotonic()

    def __enter__(self) -> Reading:
        if self._given is None:
            self._opened.enter_context(self._interrupts)
        return self

    def __exit__(self, *ending: Any) -> None:
        self._opened.__exit__(*ending)
        self.files.tell_of_unread()

    def batches(
        self,
        job: Callable[[LineBatch], Result],
        files: Files | None = None,
        *,
        recognise: bool = False,
        beside: Beside | None = None,
        joins: bool = False,
    ) -> Batches[Result]:
        """Give the batches of some of the files, all of them by default, to be entered and taken.

        With ``recognise`` a file's last batch tells what the file is known by. ``beside`` makes
        of the batches those that the job is done with: it cuts them, or puts beside them what
        else the job needs. ``joins`` gives small batches as one, which ``parts_of`` takes apart.
        """
        if files is None:
            files = self._exports
        read: Iterable[LineBatch] = read_exports(files, recognise=recognise)
        groups: Iterable[list[LineBatch]] = grouped(read if beside is None else beside(read))
        if joins:
            groups = ([joined(group)] for group in groups)
        workers = choose_workers(self._workers, files.total_bytes, self._limit)
        return Batches(run_in_order(Each(job), groups, workers=workers))

    def each(
        self,
        job: Callable[[LineBatch], Result],
        *,
        beside: Beside | None = None,
        joins: bool = False,
        spare: Callable[[LineBatch, Result], LineBatch] = lambda batch, _: batch,
    ) -> Iterator[tuple[LineBatch, Result]]:
        """Give all batches one after the other, until their end or an interrupt.

        ``spare`` leaves of each what is still needed, where it comes from another machine.
        """
        if self._spread is not None:
            made = Batches(self._spread.run(job, self._exports, spare))
        else:
            made = self.batches(job, beside=beside, joins=joins)
        batches = self._opened.enter_context(made)
        while not batches.is_finished and not self._interrupts.stop_requested:
            taken = batches.take(_TICK)
            if taken is not None:
                for part in parts_of(taken[0]):
                    self.files.follow(part)
                yield taken
            self.show()
        self.is_finished = batches.is_finished

    def show(self) -> None:
        """Let the watcher see where the reading is."""
        self.progress.count_files(self._exports)
        self._watcher.tick(self.progress)

    @property
    def is_interrupted(self) -> bool:
        """Whether a signal ended it."""
        return self._interrupts.exit_code is not None

    @property
    def exit_code(self) -> ExitCode:
        """How a command ends that only reads: interrupted, with damage met, or well."""
        damaged = ExitCode.UNREADABLE_EXPORT if self.tally.files["damaged"] else ExitCode.OK
        return self._interrupts.exit_code or damaged

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._started
