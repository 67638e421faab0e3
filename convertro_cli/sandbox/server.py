"""The sandbox as a server: its socket, a thread for each connection, its start and its end."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from types import FrameType, TracebackType
from typing import Final, Self

from convertro_cli.sandbox.faults import Faults
from convertro_cli.sandbox.http1 import BadRequestError, Connection, Response
from convertro_cli.sandbox.listener import Listener, listen
from convertro_cli.sandbox.log import Record, RequestLog
from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.reception import Clocks, Reception
from convertro_cli.sandbox.tally import Stats

_IDLE_S: Final = 300.0
_CLOSING_S: Final = 2.0


class Sandbox:
    """A local Convertro. As a context manager it listens from entry to exit::

        with Sandbox(SandboxOptions(port=0), keep_requests=True) as sandbox:
            requests.get(sandbox.url + "/api/user/acme/1/?id=u1&ts=1709290000")
            assert sandbox.stats()["accepted"] == 1

    ``clock`` (seconds, never back) times the faults, ``now`` (Unix seconds) the log. Raises
    ``ConvertroError`` where it cannot listen or open its log; where the log could not be written,
    when it closes.
    """

    def __init__(
        self,
        options: SandboxOptions,
        *,
        keep_requests: bool = False,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._options = options
        self._keep_requests = keep_requests
        self._clocks = Clocks(clock, now)
        self._endings: SimpleQueue[int | None] = SimpleQueue()
        self._closing = threading.Event()
        self._failure: BaseException | None = None
        self._log: RequestLog | None = None
        self._listener: Listener | None = None
        self._reception: Reception | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return self._started_listener().url

    @property
    def address(self) -> str:
        """The address and port that it is bound to."""
        return self._started_listener().address

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self._started_listener().is_loopback

    def stats(self) -> Stats:
        """The counts, as GET /stats gives them."""
        return self._started_reception().stats()

    def received(self) -> list[Record]:
        """The records of all requests so far, in order, as in the log; with ``keep_requests``."""
        return self._started_reception().received()

    def start(self) -> None:
        """Begins to listen; the time of an outage counts from here."""
        options = self._options
        if options.log is not None:
            self._log = RequestLog(options.log)
        try:
            listener = listen(options.host, options.port, self._serve)
        except BaseException:
            self._close_log()
            raise
        self._reception = Reception(
            Faults(options, self._clocks.steady),
            self._clocks,
            log=self._log,
            keep_requests=self._keep_requests,
            local_names_only=listener.is_loopback,
        )
        self._listener = listener
        listener.begin()

    def serve_forever(self, *, ready: Callable[[str], None] | None = None) -> int | None:
        """Serves until SIGINT or SIGTERM comes, closes, and returns that signal's number.

        ``ready`` is called with the URL once requests are taken and signals are caught: who waits
        for it may send either. For the main thread. Raises ``ConvertroError`` when it cannot
        start, and when the log cannot be written any more.
        """
        with _signals_to(self._endings.put):
            if self._listener is None:
                self.start()
            if ready is not None:
                ready(self.url)
            ending = self._endings.get()
            self.close()
        return ending

    def close(self) -> None:
        """Stops listening; answers in hand go out, within two seconds. Closing twice is fine."""
        if self._listener is not None and not self._closing.is_set():
            self._closing.set()
            self._listener.end(_CLOSING_S)
        self._close_log()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def __enter__(self) -> Self:
        if self._listener is None:
            self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._failure = None  # what went wrong inside says more
        self.close()

    def _serve(self, sock: socket.socket) -> None:
        """Answers one connection's requests until either side ends it."""
        connection = Connection(sock, idle_timeout_s=_IDLE_S)
        listener = self._started_listener()
        with listener.open(connection):
            try:
                while not self._closing.is_set() and self._exchange(connection):
                    pass
            except Exception as error:  # told where it is seen, not in a thread's traceback
                self._fail(error)

    def _exchange(self, connection: Connection) -> bool:
        """One request and its answer; False when the connection is over."""
        reception = self._started_reception()
        try:
            request = connection.next_request()
        except BadRequestError as bad:
            self._answer(connection, reception.refuse(bad), close=True)
            return False
        if request is None:
            return False
        answer = reception.answer(request)
        # A body is not read, so nothing that follows it on the connection can be trusted.
        close = not request.keep_alive or request.has_body or request.method not in ("GET", "HEAD")
        without_body = request.method == "HEAD"
        return self._answer(connection, answer, close=close, without_body=without_body)

    def _answer(
        self, connection: Connection, answer: Response, *, close: bool, without_body: bool = False
    ) -> bool:
        if self._options.latency_s:
            self._closing.wait(self._options.latency_s)
        close = close or self._closing.is_set()
        sent = connection.send(answer.rendered(close=close, without_body=without_body))
        if sent and close:
            connection.linger()
        return sent and not close

    def _fail(self, error: BaseException) -> None:
        if self._failure is None and not self._closing.is_set():
            self._failure = error
            self._endings.put(None)

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()

    def _started_listener(self) -> Listener:
        if self._listener is None:
            raise RuntimeError("The sandbox has not been started.")
        return self._listener

    def _started_reception(self) -> Reception:
        if self._reception is None:
            raise RuntimeError("The sandbox has not been started.")
        return self._reception


@contextlib.contextmanager
def _signals_to(take: Callable[[int], None]) -> Iterator[None]:
    """Hands SIGINT and SIGTERM over while it lasts.

    ``take`` runs in the middle of anything, so it must be reentrant, as ``SimpleQueue.put`` is.
    """

    def handler(number: int, _frame: FrameType | None) -> None:
        take(number)

    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
