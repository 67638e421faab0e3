"""Dry runs, inspect and diff on a cluster: other machines read and map, and this one adds up.

The parts come in the order of the exports and are the same as this process would have made, so
that whoever adds them up need not know where they are from.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from msgspec import Struct, field

from convertro_cli.cluster.bundles import Bundle, bundle_size, bundles_of
from convertro_cli.cluster.engine import Engine, EngineGoneError, open_engine
from convertro_cli.cluster.orders import LookOrder
from convertro_cli.cluster.outcomes import gone
from convertro_cli.cluster.place import ClusterPlace
from convertro_cli.reading.batch import LineBatch
from convertro_cli.run.reading import Done, Files
from convertro_cli.storage.options import StorageOptions

Result = TypeVar("Result")

_AHEAD = 2
"""Bundles that are out for each thread of the workers: what comes early waits on its worker."""

_TICK = 0.1


class ClusterSpread(Struct):
    """Has a job done on a cluster, bundle by bundle."""

    engine: Engine
    storage: StorageOptions | None = None
    _closed: threading.Event = field(default_factory=threading.Event)

    def run(
        self,
        job: Callable[[LineBatch], Result],
        files: Files,
        spare: Callable[[LineBatch, Result], LineBatch],
    ) -> Iterator[Done[Result]]:
        """Give the batches with what the job makes of them, in order. Raises ConvertroError."""
        self.engine.begin(LookOrder(job, spare, self.storage))
        total = files.total_bytes
        bundles = bundles_of(files, most_bytes=bundle_size(total, self.engine.threads))
        early: dict[int, Iterator[Any]] = {}
        wanted, is_last = 0, False
        while not self._closed.is_set():
            while not is_last and self.engine.under_way + len(early) < self._most:
                is_last = not self._submit(next(bundles, None))
            if wanted in early:
                yield from early.pop(wanted)
                wanted += 1
            elif is_last and not self.engine.under_way:
                return
            else:
                self._take(early)

    def close(self) -> None:
        """Give no more, from whatever thread."""
        self._closed.set()

    @property
    def _most(self) -> int:
        return max(2, _AHEAD * self.engine.threads)

    def _submit(self, bundle: Bundle | None) -> bool:
        if bundle is None:
            return False
        self.engine.submit(bundle)
        return True

    def _take(self, early: dict[int, Iterator[Any]]) -> None:
        try:
            taken = self.engine.take(_TICK)
        except EngineGoneError:
            raise gone(self.engine.place) from None
        if taken is not None:
            number, parts = taken
            early[number] = parts


@contextmanager
def open_spread(
    place: ClusterPlace, storage: StorageOptions | None, notice: Callable[[str], None]
) -> Iterator[ClusterSpread]:
    """Open a cluster for whoever only looks. Raises ConvertroError."""
    with open_engine(place, notice) as engine:
        spread = ClusterSpread(engine, storage)
        try:
            yield spread
        finally:
            spread.close()
