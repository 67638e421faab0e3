"""Going through exports with a job: interrupts, input, files and progress, for every command."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Generic, TypeVar

from convertro_cli.errors import ExitCode
from convertro_cli.reading.batch import LineBatch
from convertro_cli.reading.sources import ExportSet
from convertro_cli.record.tally import Tally
from convertro_cli.run.files import RunFiles
from convertro_cli.run.input import Beside, RunInput, choose_workers
from convertro_cli.run.interrupts import Interrupts
from convertro_cli.run.progress import Progress, Watcher

Result = TypeVar("Result")

_TICK = 0.1


class Reading(Generic[Result]):
    """Reads exports and does a job with each batch, in the background and in order.

    Iterate over it, while it is entered, for the batches with the job's results: until the end of
    the last file, or an interrupt. The bytes and files are counted in ``tally``, what is damaged
    or left unread is told to the ``watcher``, and so is where the reading is. ``workers`` is None
    for the default; a ``limit`` of messages, which the job counts down, takes one process.
    ``beside`` is as ``RunInput`` has it.
    """

    def __init__(
        self,
        exports: ExportSet,
        job: Callable[[LineBatch], Result],
        watcher: Watcher,
        *,
        workers: int | None = None,
        limit: int | None = None,
        beside: Beside | None = None,
    ) -> None:
        self.tally = Tally()
        self.files = RunFiles(self.tally, watcher.notice, exports)
        self._watcher = watcher
        self._exports = exports
        self._progress = Progress(self.tally, exports.total_bytes)
        self._interrupts = Interrupts()
        self._input = RunInput(
            exports,
            job,
            workers=choose_workers(workers, exports.total_bytes, limit),
            beside=beside,
        )
        self._opened = ExitStack()
        self._started = time.monotonic()

    def __enter__(self) -> Reading[Result]:
        with ExitStack() as opened:
            opened.enter_context(self._interrupts)
            opened.enter_context(self._input)
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.__exit__(kind, error, trace)
        self.files.tell_of_unread()

    def __iter__(self) -> Iterator[tuple[LineBatch, Result]]:
        while not self._input.is_finished and not self._interrupts.stop_requested:
            taken = self._input.take(_TICK)
            if taken is not None:
                self.files.follow(taken[0])
                yield taken
            self._progress.count_files(self._exports)
            self._watcher.tick(self._progress)

    @property
    def is_finished(self) -> bool:
        """Whether every batch was given."""
        return self._input.is_finished

    @property
    def is_interrupted(self) -> bool:
        """Whether a signal ended it."""
        return self._interrupts.exit_code is not None

    @property
    def exit_code(self) -> ExitCode:
        """How a command ends that only read: interrupted, with damage met, or well."""
        damaged = ExitCode.UNREADABLE_EXPORT if self.tally.files["damaged"] else ExitCode.OK
        return self._interrupts.exit_code or damaged

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._started
