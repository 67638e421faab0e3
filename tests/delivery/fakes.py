"""Stand-ins for what the delivery loop works with: a clock, a transport, a writer, a ledger.

With these an hour of retries and outages is over at once, and comes out the same every time.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple

from convertro_cli.delivery.transport import RequestOutcome
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record.ledger import (
    ALL_MARKED,
    CallState,
    Failure,
    FinishedFile,
    Ledger,
    Marked,
    Settled,
    split_keys,
)


class FakeClock:
    """A clock that stands still unless somebody waits."""

    def __init__(self, time: float = 1000.0) -> None:
        self.time = time

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.time += seconds


class Reply(NamedTuple):
    """What a request comes to: an answer, or a fault, after some seconds."""

    status: int | None = 200
    after: float = 0.05
    retry_after: float | None = None
    fault: str | None = None
    maybe_received: bool = False
    body: bytes = b""
    content_type: str = ""


OK = Reply()
LOST = Reply(None, fault="connection_lost", maybe_received=True)
REFUSED = Reply(None, fault="connection_refused", after=0.001)
TIMEOUT = Reply(None, fault="timeout", maybe_received=True, after=5.0)

Server = Callable[[str, float], Reply]
"""Decides what becomes of a request when it starts, by its URL and the time."""


class Start(NamedTuple):
    """A request as the transport saw it start."""

    at: float
    url: str
    reply: Reply


class FakeTransport:
    """Carries requests to a server that is a function; waiting for it winds the clock.

    ``watch`` is called with each request before it starts.
    """

    name = "fake"

    def __init__(
        self, server: Server, clock: FakeClock, watch: Callable[[str], None] = lambda _: None
    ) -> None:
        self.starts: list[Start] = []
        self.most_in_flight = 0
        self.is_closed = False
        self._server = server
        self._clock = clock
        self._watch = watch
        self._coming: list[tuple[float, int, RequestOutcome]] = []

    @property
    def in_flight(self) -> int:
        return len(self._coming)

    @property
    def urls(self) -> list[str]:
        """The requests that were started, in order."""
        return [start.url for start in self.starts]

    def start(self, token: int, url: str) -> None:
        assert not self.is_closed
        self._watch(url)
        now = self._clock.now()
        reply = self._server(url, now)
        self.starts.append(Start(now, url, reply))
        outcome = RequestOutcome(
            token,
            reply.status,
            reply.retry_after,
            reply.fault,
            maybe_received=reply.maybe_received,
            elapsed=reply.after,
            body=reply.body,
            content_type=reply.content_type,
        )
        heapq.heappush(self._coming, (now + reply.after, token, outcome))
        self.most_in_flight = max(self.most_in_flight, len(self._coming))

    def poll(self, timeout: float) -> list[RequestOutcome]:
        assert timeout >= 0
        until = self._clock.now() + timeout
        self._clock.time = max(
            self._clock.now(), min([until, *(at for at, _, _ in self._coming[:1])])
        )
        outcomes: list[RequestOutcome] = []
        while self._coming and self._coming[0][0] <= self._clock.now():
            outcomes.append(heapq.heappop(self._coming)[2])
        return outcomes

    def close(self) -> None:
        self.is_closed = True


class PromptWriter(Executor):
    """Carries out a commit at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class TardyWriter(Executor):
    """Carries out a commit only when it was asked for so many times, or is waited for."""

    def __init__(self, looks: int) -> None:
        self._looks = looks

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return _TardyFuture(lambda: fn(*args, **kwargs), self._looks)


class _TardyFuture(Future[Any]):
    def __init__(self, work: Callable[[], Any], looks: int) -> None:
        super().__init__()
        self._work = work
        self._looks = looks

    def done(self) -> bool:
        self._looks -= 1
        if self._looks < 0:
            self._carry_out()
        return super().done()

    def result(self, timeout: float | None = None) -> Any:
        self._carry_out()
        return super().result(timeout)

    def _carry_out(self) -> None:
        if super().done():
            return
        try:
            self.set_result(self._work())
        except Exception as error:
            self.set_exception(error)


class MemoryLedger(Ledger):
    """A ledger that forgets all with the test, and is quick."""

    def __init__(self) -> None:
        self.runs = 0
        self.calls: dict[bytes, Settled] = {}
        self.failures: dict[bytes, Failure] = {}
        self.sending: set[bytes] = set()
        self.orders: set[bytes] = set()
        self.commits = 0

    def __exit__(self, *_: object) -> None:
        pass

    def begin_run(
        self, target: str, *, account: str = "", site_id: str = ""
    ) -> tuple[int, frozenset[bytes]]:
        self.runs += 1
        return self.runs, frozenset(self.sending)

    def end_run(self, run: int, summary: bytes, *, exit_code: int | None = None) -> None:
        return None

    def is_finished(self, identity: FileIdentity, settings: bytes) -> bool:
        return False

    def find_finished(self, paths: Sequence[str], settings: bytes) -> dict[str, FileIdentity]:
        return {}

    def orders_in_doubt(self) -> frozenset[bytes]:
        return frozenset(self.orders)

    def look_up(self, keys: Sequence[bytes]) -> dict[bytes, Settled]:
        return {key: self.calls[key] for key in keys if key in self.calls}

    def commit(
        self,
        run: int,
        *,
        sending: bytes,
        orders: bytes = b"",
        sent: Sequence[bytes] = (),
        failed: Sequence[Failure] = (),
        finished: Sequence[FinishedFile] = (),
        again: Mapping[bytes, int] | None = None,
    ) -> Marked:
        self.commits += 1
        self.sending = set(split_keys(sending))
        self.orders = set(split_keys(orders))
        self.calls |= {key: Settled(CallState.SENT, run) for key in sent}
        self.calls |= {failure.key: Settled(CallState.FAILED, run) for failure in failed}
        self.failures |= {failure.key: failure for failure in failed}
        return ALL_MARKED
