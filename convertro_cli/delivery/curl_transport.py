"""Requests by libcurl's multi interface: many at once on one thread, connections kept alive."""

from __future__ import annotations

import errno
import time
from collections import deque

import certifi
import pycurl

from convertro_cli.delivery.clock import WakingTime
from convertro_cli.delivery.transport import (
    KEPT_BODY,
    TOLD_BODY,
    USER_AGENT,
    RequestOutcome,
    TransportOptions,
)
from convertro_cli.delivery.used_connections import UsedConnections

_CONNECTING_FAULTS = {
    pycurl.E_COULDNT_RESOLVE_HOST: "host_not_found",
    pycurl.E_COULDNT_RESOLVE_PROXY: "proxy_not_found",
    pycurl.E_COULDNT_CONNECT: "connection_failed",
    pycurl.E_SSL_CONNECT_ERROR: "connection_failed",
    pycurl.E_PEER_FAILED_VERIFICATION: "untrusted_certificate",
    pycurl.E_SSL_CACERT_BADFILE: "untrusted_certificate",
}
_NO_HTTP = {pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_FTP_WEIRD_SERVER_REPLY}
_NO_TLS = ("wrong version number", "packet length too long", "http request", "unknown protocol")
_TIMED_OUT = pycurl.E_OPERATION_TIMEDOUT
_LONGEST_SELECT = 0.5
_NEVER_MS = 7 * 86_400_000  # libcurl's own default is five minutes for connecting


class _Body:
    """Keeps the beginning of an answer's body; more than a little of it ends the transfer."""

    def __init__(self) -> None:
        self.received = 0
        self.beginning = b""

    def clear(self) -> None:
        """Forget the body before."""
        self.received = 0
        self.beginning = b""

    def take(self, chunk: bytes) -> int | None:
        """Count a chunk; a wrong count tells libcurl to stop."""
        if self.received < TOLD_BODY:
            self.beginning += chunk[: TOLD_BODY - self.received]
        self.received += len(chunk)
        return None if self.received <= KEPT_BODY else 0


class CurlTransport:
    """Carries requests on reused handles.

    Timeouts are kept here and not by libcurl, whose clock goes on while the program is stopped: it
    would drop an answer that had come in the meantime.
    """

    name = "curl"

    def __init__(self, options: TransportOptions) -> None:
        self._options = options
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, options.connections)
        self._multi.setopt(pycurl.M_MAXCONNECTS, options.connections)
        self._connections = UsedConnections()
        self._idle: deque[_Handle] = deque()
        self._busy: dict[pycurl.Curl, _Handle] = {}  # in the order in which they were started
        self._time = WakingTime()

    @property
    def in_flight(self) -> int:
        """How many requests were started and have not come out of ``poll``."""
        return len(self._busy)

    def start(self, token: int, url: str) -> None:
        """Start a request."""
        handle = self._idle.pop() if self._idle else _Handle(self._options, self._connections)
        handle.begin(token, url, self._time.now() + self._options.timeout)
        self._busy[handle.curl] = handle
        self._multi.add_handle(handle.curl)

    def poll(self, timeout: float) -> list[RequestOutcome]:
        """Give the requests that have ended, waiting up to ``timeout`` seconds for the first."""
        outcomes = self._advance()
        if outcomes or timeout <= 0:
            return outcomes
        deadline = time.monotonic() + timeout
        while not outcomes and (left := deadline - time.monotonic()) > 0:
            self._multi.select(min(left, _LONGEST_SELECT))
            outcomes = self._advance()
        return outcomes

    def close(self) -> None:
        """Drop what is under way and let go of all connections."""
        for handle in self._busy.values():
            self._multi.remove_handle(handle.curl)
            handle.curl.close()
        for handle in self._idle:
            handle.curl.close()
        self._busy.clear()
        self._idle.clear()
        self._multi.close()

    def _advance(self) -> list[RequestOutcome]:
        self._multi.perform()
        outcomes: list[RequestOutcome] = []
        more = 1
        while more:
            more, succeeded, failed = self._multi.info_read()
            for curl in succeeded:
                outcomes.append(self._finish(curl, 0))
            for curl, code, message in failed:
                outcomes.append(self._finish(curl, code, message))
        self._drop_overdue(outcomes)
        return outcomes

    def _drop_overdue(self, outcomes: list[RequestOutcome]) -> None:
        """End what has taken too long. What has come is read before that, however late it is."""
        now = self._time.now()
        while self._busy:
            handle = next(iter(self._busy.values()))
            if handle.deadline > now:
                return
            outcomes.append(self._finish(handle.curl, _TIMED_OUT))

    def _finish(self, curl: pycurl.Curl, code: int, message: str = "") -> RequestOutcome:
        self._connections.remember(curl)
        self._multi.remove_handle(curl)
        handle = self._busy.pop(curl)
        self._idle.append(handle)
        return handle.outcome(code, message)


class _Handle:
    """One of libcurl's handles, set up once for all its requests."""

    def __init__(self, options: TransportOptions, connections: UsedConnections) -> None:
        self.curl = curl = pycurl.Curl()
        self._connections = connections
        self._token = 0
        self.deadline = self._began_at = 0.0
        self._sent = False
        self._sent_in_vain = False
        self._body = _Body()
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.USERAGENT, USER_AGENT)
        curl.setopt(pycurl.FOLLOWLOCATION, 0)
        curl.setopt(pycurl.PATH_AS_IS, 1)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, _NEVER_MS)
        curl.setopt(pycurl.CAINFO, str(options.ca_bundle or certifi.where()))
        curl.setopt(pycurl.WRITEFUNCTION, self._body.take)
        curl.setopt(pycurl.PREREQFUNCTION, self._may_send)

    def begin(self, token: int, url: str, deadline: float) -> None:
        """Make ready for a request."""
        self._token = token
        self.deadline = deadline
        self._began_at = time.monotonic()
        self._sent = False
        if self._body.received:
            self._body.clear()
        self.curl.setopt(pycurl.URL, url)

    def outcome(self, code: int, message: str) -> RequestOutcome:
        """Say how the request ended. An answer whose head arrived counts, whatever came after."""
        curl = self.curl
        status = curl.getinfo(pycurl.RESPONSE_CODE)
        elapsed = curl.getinfo(pycurl.STARTTRANSFER_TIME) or curl.getinfo(pycurl.TOTAL_TIME)
        if status >= 200:  # below that, the answer itself was still to come
            retry_after = float(curl.getinfo(pycurl.RETRY_AFTER)) if status >= 300 else 0.0
            body = self._body.beginning
            kind = (curl.getinfo(pycurl.CONTENT_TYPE) or "") if body else ""
            return RequestOutcome(
                self._token,
                status,
                retry_after or None,
                elapsed=elapsed,
                body=body,
                content_type=kind,
            )
        fault, received = self._classify(code, message)
        elapsed = time.monotonic() - self._began_at
        return RequestOutcome(self._token, fault=fault, maybe_received=received, elapsed=elapsed)

    def _classify(self, code: int, message: str) -> tuple[str, bool]:
        """Name a fault, and say whether the request may have arrived."""
        if code == pycurl.E_COULDNT_CONNECT and self._was_refused():
            return "connection_refused", False
        if code == pycurl.E_SSL_CONNECT_ERROR and any(word in message for word in _NO_TLS):
            return "wrong_protocol", False
        if code in _CONNECTING_FAULTS:
            return _CONNECTING_FAULTS[code], False
        if code == _TIMED_OUT:
            return "timeout", self._sent
        if code in _NO_HTTP:
            return "wrong_protocol", self._sent
        return "connection_lost" if self._sent else "connection_failed", self._sent

    def _was_refused(self) -> bool:
        return int(self.curl.getinfo(pycurl.OS_ERRNO)) == errno.ECONNREFUSED

    def _may_send(self, _ip: str, _local_ip: str, _port: int, local_port: int) -> int:
        """Note that the request goes out. It may do so once.

        When a connection that was used before breaks off without an answer, libcurl quietly sends
        the request again. That is right only if the other side had left before the first time: else
        it may have arrived, and whether to repeat it is not libcurl's to decide.
        """
        if self._sent and not self._sent_in_vain:
            return int(pycurl.PREREQFUNC_ABORT)
        self._sent = True
        self._sent_in_vain = self._connections.was_left(local_port)
        return int(pycurl.PREREQFUNC_OK)
