"""Requests on a pool of threads and connections, by the *requests* library.

A session settles once what holds for every call: proxies, certificates, headers and the pool of
connections. Each call then goes straight to that pool, because preparing a request anew costs
more than sending it.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections.abc import Mapping
from http.client import BadStatusLine, HTTPConnection
from queue import Empty, SimpleQueue
from threading import Thread, local
from typing import Any

import certifi
import requests
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Timeout

from convertro_cli.delivery.clock import WakingTime
from convertro_cli.delivery.retry import read_retry_after
from convertro_cli.delivery.transport import (
    KEPT_BODY,
    TOLD_BODY,
    USER_AGENT,
    RequestOutcome,
    TransportOptions,
)

_CHUNK = 16 * 1024
_LONGEST_WAIT = 0.5
_NO_TLS = ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST", "UNKNOWN_PROTOCOL")
_current = local()


class _Errand:
    """One request on its way, and the connection that it is on."""

    def __init__(self, token: int, url: str, deadline: float) -> None:
        self.token = token
        self.url = url
        self.deadline = deadline
        self.is_overdue = False
        self.was_sent = False
        self.connection: HTTPConnection | None = None

    def break_off(self) -> None:
        """End it, from another thread: whoever reads from its connection reads its end."""
        self.is_overdue = True
        # It may not have a connection yet, or at this moment none any more.
        with contextlib.suppress(OSError, AttributeError, TypeError):
            # The plain socket's, since that of TLS must not be used by two threads at once.
            socket.socket.shutdown(self.connection.sock, socket.SHUT_RDWR)  # type: ignore[union-attr]


def _watched(kind: type[Any]) -> type[Any]:
    """Give a kind of connection that tells its errand when it is used."""

    class Watched(kind):  # type: ignore[misc]
        def connect(self) -> None:
            _current.errand.connection = self
            super().connect()

        def putrequest(self, *arguments: Any, **named: Any) -> None:
            _current.errand.connection = self
            super().putrequest(*arguments, **named)

        def endheaders(self, *arguments: Any, **named: Any) -> None:
            if self.sock is None:
                self.connect()
            _current.errand.was_sent = True
            super().endheaders(*arguments, **named)

    return Watched


class RequestsTransport:
    """Carries each request on a thread of its own, from a pool that grows as needed."""

    name = "requests"

    def __init__(self, options: TransportOptions) -> None:
        self._options = options
        self._wanted: SimpleQueue[_Errand | None] = SimpleQueue()
        self._outcomes: SimpleQueue[RequestOutcome] = SimpleQueue()
        self._threads = 0
        self._errands: dict[int, _Errand] = {}  # in the order in which they were started
        self._time = WakingTime()
        self._line: _Line | None = None

    @property
    def in_flight(self) -> int:
        """How many requests were started and have not come out of ``poll``."""
        return len(self._errands)

    def start(self, token: int, url: str) -> None:
        """Start a request, on a new thread if all are at work."""
        errand = _Errand(token, url, self._time.now() + self._options.timeout)
        self._errands[token] = errand
        if self._line is None:
            self._line = _Line(url, self._options)
        if self._threads < min(len(self._errands), self._options.connections):
            self._threads += 1
            # Daemons: a request that hangs must not keep the program from ending.
            Thread(target=self._work, args=(self._line,), name="requests", daemon=True).start()
        self._wanted.put(errand)

    def poll(self, timeout: float) -> list[RequestOutcome]:
        """Give the requests that have ended, waiting up to ``timeout`` seconds for the first."""
        until = time.monotonic() + timeout
        while True:
            left = until - time.monotonic()
            outcomes = self._collect(min(max(left, 0.0), _LONGEST_WAIT))
            self._break_off_overdue()
            if outcomes or left <= 0:
                return outcomes

    def _collect(self, timeout: float) -> list[RequestOutcome]:
        outcomes: list[RequestOutcome] = []
        with contextlib.suppress(Empty):
            outcomes.append(self._outcomes.get(timeout=timeout))
            while True:
                outcomes.append(self._outcomes.get_nowait())
        for outcome in outcomes:
            del self._errands[outcome.token]
        return outcomes

    def _break_off_overdue(self) -> None:
        """End what has taken too long in all, however steadily a little of it arrives."""
        now = self._time.now()
        for errand in self._errands.values():
            if errand.deadline > now:
                return
            errand.break_off()

    def close(self) -> None:
        """Let the threads end when their requests do."""
        for _ in range(self._threads):
            self._wanted.put(None)
        if self._line is not None:
            self._line.close()

    def _work(self, line: _Line) -> None:
        while (wanted := self._wanted.get()) is not None:
            self._outcomes.put(line.fetch(wanted))


class _PoolAdapter(HTTPAdapter):
    """Gives the pool that it would send a request on.

    What it calls for that, *requests* leaves to those who make an adapter of their own.
    """

    def pool_for(
        self, request: PreparedRequest, verify: str, proxies: Mapping[str, str]
    ) -> tuple[HTTPConnectionPool, bool]:
        """Give the pool, and whether a proxy wants the whole address of each request on it."""
        pool = self.get_connection_with_tls_context(request, verify, proxies=proxies)
        self.cert_verify(pool, request.url, verify, None)  # type: ignore[no-untyped-call]
        assert isinstance(pool, HTTPConnectionPool)
        pool.ConnectionCls = _watched(pool.ConnectionCls)
        return pool, not self.request_url(request, proxies).startswith("/")


class _Line:
    """The way to one server: its pool of connections, and how to send on it."""

    def __init__(self, url: str, options: TransportOptions) -> None:
        self._session = requests.Session()
        adapter = _PoolAdapter(pool_connections=1, pool_maxsize=options.connections)
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
        # Prepared without the session, which would look for a password in ~/.netrc.
        request = requests.Request("GET", url, headers=headers).prepare()
        verify = str(options.ca_bundle) if options.ca_bundle else certifi.where()
        settings = self._session.merge_environment_settings(url, {}, True, verify, None)
        self._headers = dict(request.headers)
        self._pool, whole = adapter.pool_for(request, verify, settings["proxies"])
        self._cut = 0 if whole else url.index("/", url.index("//") + 2)
        self._timeout = options.timeout

    def fetch(self, errand: _Errand) -> RequestOutcome:
        """Send one request and wait for its end."""
        started = time.monotonic()
        _current.errand = errand
        try:
            response = self._pool.urlopen(
                "GET",
                errand.url[self._cut :],
                headers=self._headers,
                redirect=False,
                retries=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                # How long an answer may take in all is not for a single read to say.
                timeout=Timeout(connect=self._timeout, read=None),
            )
        except Exception as error:  # whatever it is, the loop must hear of it
            elapsed = time.monotonic() - started
            fault, received = _classify(error, errand)
            return RequestOutcome(
                errand.token, fault=fault, maybe_received=received, elapsed=elapsed
            )
        retry_after = read_retry_after(response.headers.get("Retry-After"))
        elapsed = time.monotonic() - started
        body = _finish(response)
        kind = response.headers.get("Content-Type") or ""
        return RequestOutcome(
            errand.token,
            response.status,
            retry_after,
            elapsed=elapsed,
            body=body,
            content_type=kind,
        )

    def close(self) -> None:
        """Let go of all connections."""
        self._pool.close()
        self._session.close()


def _classify(error: Exception, errand: _Errand) -> tuple[str, bool]:
    """Name a fault, and say whether the request may have arrived."""
    if isinstance(error, ProxyError):
        error = error.original_error
        if isinstance(error, NameResolutionError):
            return "proxy_not_found", False
    if errand.is_overdue:
        return "timeout", errand.was_sent
    if isinstance(error, SSLError):
        return _classify_tls(str(error)), False
    if isinstance(error, NameResolutionError):
        return "host_not_found", False
    # The second is what http.client says when a proxy does not let us through.
    if isinstance(error, NewConnectionError) or "Tunnel connection failed" in str(error):
        cause = error.__cause__
        refused = isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED
        return "connection_refused" if refused else "connection_failed", False
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError | TimeoutError):
        return "timeout", errand.was_sent
    if isinstance(error, ProtocolError) and _is_no_http(error.args[-1]):
        return "wrong_protocol", True
    return "connection_lost", True


def _classify_tls(said: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return "untrusted_certificate"
    return "wrong_protocol" if any(word in said for word in _NO_TLS) else "connection_failed"


def _is_no_http(cause: object) -> bool:
    """Whether an answer began with something else than an answer in HTTP does."""
    if not isinstance(cause, BadStatusLine) or isinstance(cause, ConnectionError):
        return False
    return not "HTTP/".startswith(str(cause).strip("'\"\r\n ")[:5])


def _finish(response: BaseHTTPResponse) -> bytes:
    """Read the rest of an answer if it is short, to keep its connection; else drop both.

    Gives its beginning. Whatever happens here, the answer is known already.
    """
    beginning = b""
    read = 0
    with contextlib.suppress(HTTPError, OSError):
        while chunk := response.read1(_CHUNK):
            if read < TOLD_BODY:
                beginning += chunk[: TOLD_BODY - read]
            read += len(chunk)
            if read > KEPT_BODY:
                response.close()
                return beginning
        response.release_conn()
        return beginning
    response.close()
    return beginning
