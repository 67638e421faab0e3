"""The one interface between the delivery loop and the network, whatever carries the requests."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

from msgspec import Struct

USER_AGENT = "convertro"

KEPT_BODY = 64 * 1024
"""The bytes of an answer's body worth reading to keep a connection. The body does not matter."""

TOLD_BODY = 2048
"""The bytes of a body that are told: enough to see whose answer it is."""


class RequestOutcome(NamedTuple):
    """How one request ended.

    With an answer, ``status`` has its code, and ``retry_after`` the seconds that it asks to
    wait; ``body`` has the first ``TOLD_BODY`` bytes of its body, and ``content_type`` what those
    are said to be. Without one, ``fault`` names what went wrong (``timeout``, ``host_not_found``,
    ``connection_refused``, ``connection_failed``, ``connection_lost``, ``untrusted_certificate``,
    ``wrong_protocol``), and ``maybe_received`` says whether the request may have arrived all the
    same. ``elapsed`` is in seconds.
    """

    token: int
    status: int | None = None
    retry_after: float | None = None
    fault: str | None = None
    detail: str = ""
    maybe_received: bool = False
    elapsed: float = 0.0
    body: bytes = b""
    content_type: str = ""


class TransportOptions(Struct, frozen=True):
    """What a transport needs to know: seconds for connecting and for the answer, and whom to trust.

    ``connections`` is the most requests that will be under way at once.
    """

    timeout: float
    connections: int
    ca_bundle: Path | None = None


class Transport(Protocol):
    """Carries GET requests. Used from one thread only.

    Redirects are never followed, cookies never kept, proxies taken from the environment.
    """

    name: str

    def start(self, token: int, url: str) -> None:
        """Start a request. Never waits; its outcome comes from ``poll`` under this token."""

    def poll(self, timeout: float) -> list[RequestOutcome]:
        """Give the requests that have ended, waiting up to ``timeout`` seconds for the first."""

    @property
    def in_flight(self) -> int:
        """How many requests were started and have not come out of ``poll``."""

    def close(self) -> None:
        """Drop what is under way and let go of all connections, without waiting."""
