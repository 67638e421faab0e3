"""The input of a run: exports that are read and mapped in the background, batch by batch."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Generic, TypeVar

from convertro_cli.reading.batch import LineBatch
from convertro_cli.reading.exports import read_exports
from convertro_cli.reading.joined import joined
from convertro_cli.reading.sources import ExportFile
from convertro_cli.run.feed import Feed
from convertro_cli.workers.groups import Each, grouped
from convertro_cli.workers.pool import run_in_order

Result = TypeVar("Result")

Beside = Callable[[Iterable[LineBatch]], Iterable[LineBatch]]

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


class RunInput(Generic[Result]):
    """Batches of lines with what a job made of them, in the order of the files.

    With ``recognise`` a file's last batch tells what the file is known by. ``beside`` makes of
    the batches those that the job is done with: it cuts them, or puts beside them what else the
    job needs. ``joins`` gives small batches as one, which ``parts_of`` takes apart.
    """

    def __init__(
        self,
        files: Iterable[ExportFile],
        job: Callable[[LineBatch], Result],
        *,
        workers: int,
        recognise: bool = False,
        beside: Beside | None = None,
        joins: bool = False,
    ) -> None:
        batches: Iterable[LineBatch] = read_exports(files, recognise=recognise)
        if beside is not None:
            batches = beside(batches)
        groups: Iterable[list[LineBatch]] = grouped(batches)
        if joins:
            groups = ([joined(group)] for group in groups)
        self._feed = Feed(run_in_order(Each(job), groups, workers=workers))
        self._taken: deque[tuple[LineBatch, Result]] = deque()

    def __enter__(self) -> RunInput[Result]:
        self._feed.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
