"""Dask, as far as it is used here: tasks go out, a bundle each, and come back in any order."""

from __future__ import annotations

import logging
import secrets
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.resource_tracker import ensure_running
from queue import Empty, SimpleQueue
from typing import Any, Final
from uuid import uuid4

import dask
from distributed import Client, Future, LocalCluster
from distributed.scheduler import KilledWorker
from distributed.security import Security

from convertro_cli.cluster import frames, task
from convertro_cli.cluster.bundles import Bundle
from convertro_cli.cluster.orders import Order
from convertro_cli.cluster.outcomes import given_up, not_installed, process_died, unexpected
from convertro_cli.cluster.parcel import pack
from convertro_cli.cluster.place import ClusterPlace
from convertro_cli.cluster.reaching import CONNECT_WITHIN, cannot_be_reached, first_line, reach

_CLOSE_WITHIN: Final = 10
_RESULT_WITHIN: Final = 60
_TELL_WITHIN: Final = 5
_RETRIES: Final = 2
_HEARD_WITHIN: Final = 4.0
_HEARD_A_WORKER: Final = 0.01
"""Seconds: the more workers there are, the more seldom Dask has each of them tell that it lives."""

_OF_THE_TERMINAL: Final = frozenset({signal.SIGINT, signal.SIGHUP})
_COUNT_EVERY: Final = 1.0
_TALKERS: Final = frozenset({"distributed", "tornado", "asyncio", "bokeh"})
_NEVER: Final = logging.CRITICAL + 1
# Bundles go to workers in numbers that its users choose: nobody has to be warned of their size.
# A cluster that is made here shows nothing over HTTP.
_CONFIG: Final = {
    "distributed.admin.large-graph-warning-threshold": "4GB",
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}


class EngineGoneError(Exception):
    """The scheduler is not there any more, or has forgotten this driver and its tasks."""


class Engine:
    """Carries out one order for any number of bundles, on all workers that there are."""

    def __init__(self, client: Client, place: ClusterPlace) -> None:
        self.place = place
        self._client = client
        self._seed = secrets.randbelow(1 << 32)
        self._threads, self._counted_at = 0, float("-inf")
        self._packed_order = b""
        self._order: Future | None = None
        self._under_way: dict[int, Future] = {}
        self._done: SimpleQueue[tuple[int, Future]] = SimpleQueue()

    @property
    def threads(self) -> int:
        """How many bundles can be under way at once, on all workers that there are lately."""
        now = time.monotonic()
        if self.is_there and now - self._counted_at >= _COUNT_EVERY:
            self._counted_at = now
            with suppress(OSError, TimeoutError):
                self._threads = sum(self._client.nthreads().values())
        return self._threads

    @property
    def is_there(self) -> bool:
        """Whether the scheduler is."""
        return bool(self._client.status == "running")

    @property
    def under_way(self) -> int:
        """How many bundles were submitted and are not done."""
        return len(self._under_way)

    @property
    def some_sleep(self) -> bool:
        """Whether nothing was heard of some workers lately, though all of them are connected."""
        return self._awake() is not None

    def begin(self, order: Order) -> None:
        """Say what is to be done with all bundles. It goes out once, as the result of a task."""
        self._packed_order = pack(order)
        self._order = self._send_order()

    def submit(self, bundle: Bundle) -> None:
        """Have a bundle dealt with, after those that were submitted before."""
        self._submit(bundle)

    def begin_anew(self, bundles: Iterable[Bundle]) -> None:
        """Have bundles that are under way begun by workers that do not sleep.

        What comes of them the first time is dropped.
        """
        where: dict[str, Any] = {}
        if awake := self._awake():
            where = {"workers": awake, "allow_other_workers": True}
            self._order = self._send_order(**where)  # it may lie on one that sleeps
        for bundle in bundles:
            self._submit(bundle, **where)

    def take(self, timeout: float) -> tuple[int, Iterator[Any]] | None:
        """Give the number of a bundle that is done, and the parts of its result; None if none is.

        Walking through the parts raises ConvertroError where the bundle has a fault. Raises
        ConvertroError where a bundle was given up, and EngineGoneError.
        """
        try:
            number, future = self._done.get(timeout=max(timeout, 0.001))
        except Empty:
            if not self.is_there:
                raise EngineGoneError from None
            return None
        if self._under_way.get(number) is not future:
            return None  # it was begun anew meanwhile
        content = self._result_of(future)
        if content is None:  # it lay on a worker that is gone: whoever has the task now will tell
            self._await(number, future)
            return None
        del self._under_way[number]
        return number, frames.parts_in(content)

    def cancel(self) -> None:
        """Want nothing more: what waits is forgotten, and what is under way told to end."""
        if not self.is_there:
            return  # a scheduler that is gone has forgotten all by itself
        with suppress(Exception):  # it may go at this moment
            self._client.cancel(list(self._under_way.values()), force=True)
        self._under_way.clear()

    def _submit(self, bundle: Bundle, **where: Any) -> None:
        future = self._client.submit(
            task.carry_out,
            self._order,
            pack(bundle),
            self._seed,
            task.this_program(),
            key=f"bundle-{bundle.number}-{uuid4().hex}",
            retries=_RETRIES,
            pure=False,
            **where,
        )
        self._under_way[bundle.number] = future
        self._await(bundle.number, future)

    def _send_order(self, **where: Any) -> Future:
        return self._client.submit(bytes, self._packed_order, key=f"order-{uuid4().hex}", **where)

    def _awake(self) -> list[str] | None:
        """Give the workers that were heard of lately; None where that is true of all of them.

        Dask takes minutes to miss one whose machine sleeps, and hands it tasks until then.
        """
        with suppress(Exception):  # the scheduler may go at this moment: that is told elsewhere
            found = self._client.sync(
                self._client.scheduler.identity, callback_timeout=_TELL_WITHIN
            )
            seen = {name: each["last_seen"] for name, each in found["workers"].items()}
            limit = max(seen.values(), default=0.0) - _HEARD_WITHIN - _HEARD_A_WORKER * len(seen)
            awake = [name for name, at in seen.items() if at >= limit]
            return awake if len(awake) < len(seen) else None
        return None

    def _await(self, number: int, future: Future) -> None:
        future.add_done_callback(lambda done: self._done.put((number, done)))

    def _result_of(self, future: Future) -> bytes | None:
        if future.status == "cancelled":
            raise EngineGoneError
        try:
            content: bytes = future.result(timeout=_RESULT_WITHIN)
        except KilledWorker as error:
            raise given_up(str(error.last_worker), error.allowed_failures + 1) from None
        except task.BundleProcessError as error:
            raise process_died(str(error)) from None
        except ImportError as error:
            raise not_installed(error) from None
        except (OSError, TimeoutError) as error:
            if self.is_there:
                return None
            raise EngineGoneError from error
        except Exception as error:
            if not self.is_there or future.status == "cancelled":
                raise EngineGoneError from error
            raise unexpected(error) from error
        return content


@contextmanager
def open_engine(place: ClusterPlace, notice: Callable[[str], None]) -> Iterator[Engine]:
    """Connect to a cluster, or make one that ends with this. Raises ConvertroError."""
    _hush()
    with ExitStack() as opened, dask.config.set(_CONFIG):
        client = opened.enter_context(_open_client(place))
        engine = Engine(client, place)
        opened.callback(engine.cancel)
        if not engine.threads:
            notice(
                f"There are no workers at {place.scheduler} yet: waiting for the first "
                f"(`dask worker {place.scheduler}` starts one)."
            )
        yield engine


def _hush() -> None:
    """Have Dask log nothing here: what matters is told in sentences. Workers have their logs."""
    names = ["distributed", *logging.root.manager.loggerDict]
    for name in names:
        if name.partition(".")[0] in _TALKERS:
            logging.getLogger(name).setLevel(_NEVER)


@contextmanager
def _open_client(place: ClusterPlace) -> Iterator[Client]:
    """Connect, and close without a word of whether that went well. Raises ConvertroError."""
    with ExitStack() as opened:
        if place.scheduler is not None:
            reach(place)
        try:
            cluster = place.scheduler or opened.enter_context(_local_cluster(place.processes or 1))
            client = Client(cluster, timeout=CONNECT_WITHIN, set_as_default=False)
        except (OSError, TimeoutError, ValueError, ImportError, RuntimeError) as error:
            raise cannot_be_reached(place, first_line(error)) from None
        try:
            yield client
        finally:
            with suppress(Exception):  # nothing is wanted from it any more
                client.close(timeout=_CLOSE_WITHIN)


def _local_cluster(processes: int) -> LocalCluster:
    """Make a cluster of processes. Whoever reaches a scheduler can run programs: so only we can.

    What a terminal sends to all is for this process alone: what is blocked while the cluster's own
    thread is made is so there for good, and in all processes that it starts.
    """
    ensure_running()  # when that starts something, it unblocks such signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_THE_TERMINAL)
    try:
        return LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # None is port 8787, which another one may have
            security=Security.temporary(),
            silence_logs=_NEVER,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
