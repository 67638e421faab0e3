"""Driving a transport by hand, and addresses at which nobody answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from convertro_cli.delivery.transport import RequestOutcome, Transport

_PATIENCE = 15.0


def fetch(transport: Transport, *urls: str) -> list[RequestOutcome]:
    """Start these requests at once; give their outcomes in the order of the URLs."""
    for token, url in enumerate(urls):
        transport.start(token, url)
    outcomes = collect(transport, len(urls))
    return sorted(outcomes, key=lambda outcome: outcome.token)


def collect(transport: Transport, count: int) -> list[RequestOutcome]:
    """Wait for this many outcomes."""
    outcomes: list[RequestOutcome] = []
    until = time.monotonic() + _PATIENCE
    while len(outcomes) < count:
        assert time.monotonic() < until, f"{len(outcomes)} of {count} outcomes came"
        outcomes += transport.poll(0.5)
    return outcomes


def fetch_one(transport: Transport, url: str) -> RequestOutcome:
    """Carry out one request."""
    return fetch(transport, url)[0]


@contextmanager
def deaf_port() -> Iterator[int]:
    """Give a port where connections are neither accepted nor refused: its queue is full."""
    with ExitStack() as opened:
        listener = opened.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@contextmanager
def closed_port() -> Iterator[int]:
    """Give a port that is taken but not listened at: connections are refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
