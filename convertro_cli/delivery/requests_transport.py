"""Requests on a pool of threads and connections, by the *requests* library.

A session settles once what holds for every call: proxies, certificates, headers and the pool of
connections. Each call then goes straight to that pool, because preparing a request anew costs
more than sending it.
"""

from __future__ import annotations

import contextlib
import time
from queue import Empty, SimpleQueue
from threading import Thread

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Timeout

from convertro_cli.delivery.retry import read_retry_after
from convertro_cli.delivery.transport import KEPT_BODY, USER_AGENT, Outcome, TransportOptions

_CHUNK = 16 * 1024


class RequestsTransport:
    """Carries each request on a thread of its own, from a pool that grows as needed."""

    name = "requests"

    def __init__(self, options: TransportOptions) -> None:
        self._options = options
        self._wanted: SimpleQueue[tuple[int, str] | None] = SimpleQueue()
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._threads = 0
        self._in_flight = 0
        self._line: _Line | None = None

    @property
    def in_flight(self) -> int:
        """How many requests were started and have not come out of ``poll``."""
        return self._in_flight

    def start(self, token: int, url: str) -> None:
        """Start a request, on a new thread if all are at work."""
        self._in_flight += 1
        if self._line is None:
            self._line = _Line(url, self._options)
        if self._threads < min(self._in_flight, self._options.connections):
            self._threads += 1
            # Daemons: a request that hangs must not keep the program from ending.
            Thread(target=self._work, args=(self._line,), name="requests", daemon=True).start()
        self._wanted.put((token, url))

    def poll(self, timeout: float) -> list[Outcome]:
        """Give the requests that have ended, waiting up to ``timeout`` seconds for the first."""
        outcomes: list[Outcome] = []
        with contextlib.suppress(Empty):
            outcomes.append(self._outcomes.get(timeout=timeout))
            while True:
                outcomes.append(self._outcomes.get_nowait())
        self._in_flight -= len(outcomes)
        return outcomes

    def close(self) -> None:
        """Let the threads end when their requests do."""
        for _ in range(self._threads):
            self._wanted.put(None)
        if self._line is not None:
            self._line.close()

    def _work(self, line: _Line) -> None:
        while (wanted := self._wanted.get()) is not None:
            self._outcomes.put(line.fetch(*wanted))


class _Line:
    """The way to one server: its pool of connections, and how to send on it."""

    def __init__(self, url: str, options: TransportOptions) -> None:
        self._session = requests.Session()
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=options.connections)
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
        # Prepared without the session, which would look for a password in ~/.netrc.
        request = requests.Request("GET", url, headers=headers).prepare()
        verify = str(options.ca_bundle) if options.ca_bundle else certifi.where()
        settings = self._session.merge_environment_settings(url, {}, True, verify, None)
        self._headers = dict(request.headers)
        pool = adapter.get_connection_with_tls_context(request, verify, proxies=settings["proxies"])
        adapter.cert_verify(pool, url, verify, None)  # type: ignore[no-untyped-call]
        assert isinstance(pool, HTTPConnectionPool)
        self._pool = pool
        # An HTTP proxy wants the whole address, everybody else the path.
        whole = not adapter.request_url(request, settings["proxies"]).startswith("/")
        self._cut = 0 if whole else url.index("/", url.index("//") + 2)
        self._timeout = options.timeout

    def fetch(self, token: int, url: str) -> Outcome:
        """Send one request and wait for its end."""
        started = time.monotonic()
        try:
            response = self._pool.urlopen(
                "GET",
                url[self._cut :],
                headers=self._headers,
                redirect=False,
                retries=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                timeout=Timeout(connect=self._timeout, read=self._timeout),
            )
        except Exception as error:  # whatever it is, the loop must hear of it
            fault, received = _classify(error)
            return Outcome(
                token, fault=fault, maybe_received=received, elapsed=time.monotonic() - started
            )
        retry_after = read_retry_after(response.headers.get("Retry-After"))
        outcome = Outcome(token, response.status, retry_after, elapsed=time.monotonic() - started)
        _finish(response, started + self._timeout)
        return outcome

    def close(self) -> None:
        """Let go of all connections."""
        self._pool.close()
        self._session.close()


def _classify(error: Exception) -> tuple[str, bool]:
    """Name a fault, and say whether the request may have arrived."""
    if isinstance(error, ProxyError):
        error = error.original_error
    if isinstance(error, SSLError):
        untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
        return "untrusted_certificate" if untrusted else "connection_failed", False
    # The second is what http.client says when a proxy does not let us through.
    if isinstance(error, NewConnectionError) or "Tunnel connection failed" in str(error):
        return "connection_failed", False
    if isinstance(error, ConnectTimeoutError):
        return "timeout", False
    if isinstance(error, ReadTimeoutError):
        return "timeout", True
    return "connection_lost", True


def _finish(response: BaseHTTPResponse, deadline: float) -> None:
    """Read the rest of an answer if it is short, to keep its connection; else drop both.

    Whatever happens here, the answer is known already: its body does not matter.
    """
    read = 0
    with contextlib.suppress(HTTPError, OSError):
        while chunk := response.read1(_CHUNK):
            read += len(chunk)
            if read > KEPT_BODY or time.monotonic() > deadline:
                response.close()
                return
        response.release_conn()
        return
    response.close()
