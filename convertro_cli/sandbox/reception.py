"""What happens to one request: it is checked, given a fault or accepted, logged, counted and
answered."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from hashlib import blake2b
from ipaddress import ip_address
from typing import Final

from msgspec import Struct

from convertro_cli.sandbox.check import Checked, check
from convertro_cli.sandbox.faults import Faults, FaultyAnswer
from convertro_cli.sandbox.http1 import BadRequestError, Request, Response
from convertro_cli.sandbox.log import Record, RequestLog, written_time
from convertro_cli.sandbox.page import View, render
from convertro_cli.sandbox.tally import RequestCounts, Stats

_LATEST: Final = 20
_ACCEPTED: Final = Response.sentence(200, "ok")
_NOT_GET: Final = "Convertro takes GET requests only."
_HAS_BODY: Final = "A request to Convertro has no body; everything is in its address."
_PAGE_HEADERS: Final = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
    ),
)


class Clocks(Struct, frozen=True):
    """The clocks: ``steady`` never goes back, ``wall`` is Unix time; both in seconds."""

    steady: Callable[[], float]
    wall: Callable[[], float]


class Reception:
    """Answers requests, from any number of threads; one lock makes the log, the counts and the
    order of requests agree."""

    def __init__(
        self,
        faults: Faults,
        clocks: Clocks,
        *,
        log: RequestLog | None = None,
        keep_requests: bool = False,
        local_names_only: bool = True,
    ) -> None:
        self._faults = faults
        self._clocks = clocks
        self._log = log
        self._lock = threading.Lock()
        self._tally = RequestCounts()
        self._latest: deque[Record] = deque(maxlen=_LATEST)
        self._kept: list[Record] | None = [] if keep_requests else None
        self._local_names_only = local_names_only

    def answer(self, request: Request) -> Response:
        """The answer to a request; a call is in the log and the counts when this returns.

        Raises ``ConvertroError`` when the log cannot be written; the request is then not counted.
        """
        own = self._own_page(request)
        return own if own is not None else self._receive(request)

    def refuse(self, bad: BadRequestError) -> Response:
        """The answer to bytes that are no request: logged and counted without a path."""
        nothing = Checked(None, "", {}, bad.sentence)
        with self._lock:
            self._note(nothing, bad.status, repeat=False)
            self._tally.reject()
        return Response.sentence(bad.status, bad.sentence)

    def stats(self) -> Stats:
        with self._lock:
            return self._tally.stats()

    def received(self) -> list[Record]:
        """All records so far, in order; kept only with ``keep_requests``."""
        with self._lock:
            if self._kept is None:
                raise RuntimeError("The sandbox keeps requests only with keep_requests=True.")
            return self._kept.copy()

    def _receive(self, request: Request) -> Response:
        checked = check(request.target)
        digest = blake2b(request.target.encode(), digest_size=16).digest()
        with self._lock:
            fault = self._faults.of_time()
            if fault is None:
                refusal = _refusal(request, checked)
                if refusal is not None:
                    self._note(checked, refusal.status, repeat=False)
                    self._tally.reject()
                    return refusal
                fault = self._faults.of_request(digest)
            if fault is not None:
                self._note(checked, fault.status, repeat=False)
                self._tally.fault()
                return _fault_answer(fault)
            self._accept(checked, digest)
            return _ACCEPTED

    def _accept(self, checked: Checked, digest: bytes) -> None:
        self._note(checked, 200, repeat=self._tally.holds(digest))
        assert checked.call is not None
        self._tally.accept(digest, checked.call, checked.event_type, checked.value)

    def _note(self, checked: Checked, status: int, *, repeat: bool) -> None:
        record = Record(
            at=written_time(self._clocks.wall()),
            call=checked.call,
            path=checked.path,
            params=checked.params,
            status=status,
            repeat=repeat,
        )
        if self._log is not None:
            self._log.write(record)
        self._latest.append(record)
        if self._kept is not None:
            self._kept.append(record)
        self._tally.arrived(int(self._clocks.steady()))

    def _own_page(self, request: Request) -> Response | None:
        """The answer to a request that is about the sandbox, not to Convertro; else None."""
        path = request.target.partition("?")[0]
        if path not in ("/", "/stats", "/favicon.ico"):
            return None
        if request.method != "GET":
            return _only_get(_NOT_GET)
        if self._local_names_only and not _is_local(request.header("Host")):
            # A page elsewhere could point a name of its own at this machine and read along.
            return Response.sentence(403, "Open the sandbox as 127.0.0.1 or localhost.")
        if path == "/stats":
            body = json.dumps(self.stats(), ensure_ascii=False, allow_nan=False).encode() + b"\n"
            return Response(200, body, "application/json", _PAGE_HEADERS)
        if path == "/":
            return Response(200, render(self._view()), "text/html; charset=utf-8", _PAGE_HEADERS)
        return Response.sentence(404, "The sandbox has no icon.")

    def _view(self) -> View:
        with self._lock:
            return View(
                stats=self._tally.stats(),
                value=self._tally.value(),
                per_second=self._tally.per_second(int(self._clocks.steady())),
                latest=tuple(reversed(self._latest)),
            )


def _refusal(request: Request, checked: Checked) -> Response | None:
    if request.method != "GET":
        return _only_get(_NOT_GET)
    if request.has_body:
        return Response.sentence(400, _HAS_BODY)
    return None if checked.refusal is None else Response.sentence(400, checked.refusal)


def _only_get(sentence: str) -> Response:
    return Response.sentence(405, sentence, ("Allow", "GET"))


def _fault_answer(fault: FaultyAnswer) -> Response:
    if fault.retry_after_s is None:
        return Response.sentence(fault.status, fault.sentence)
    return Response.sentence(
        fault.status, fault.sentence, ("Retry-After", str(fault.retry_after_s))
    )


def _is_local(host: str | None) -> bool:
    """Whether a Host header names this machine itself, or an address: no name that others own."""
    if host is None:
        return True
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    if name.lower() == "localhost":
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
