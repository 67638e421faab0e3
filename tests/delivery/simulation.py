"""Clients with a pace of their own before a simulated server, in simulated time.

Requests that start at the same instant travel together, so a minute of thousands of calls a second
takes little real time.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from itertools import count
from random import Random
from typing import Protocol

from convertro_cli.delivery.pace import Pace

_STEP = 0.005
"""How often a client looks at its clock while it waits for its rate, in seconds."""


class Server(Protocol):
    """Answers requests that arrive together; ``refusal`` is the status of those it refuses."""

    refusal: int

    def accept(self, requests: int, now: float, latency: float) -> int:
        """Give how many of them are answered with success; all are answered after ``latency``."""


class RateLimited:
    """Lets ``capacity`` calls a second pass, a tenth of a second's worth at once; else 429."""

    refusal = 429

    def __init__(self, capacity: float) -> None:
        self.capacity = capacity
        self._tokens = max(1.0, capacity / 10)
        self._at = 0.0

    def accept(self, requests: int, now: float, latency: float) -> int:
        burst = max(1.0, self.capacity / 10)
        self._tokens = min(burst, self._tokens + (now - self._at) * self.capacity)
        self._at = now
        accepted = min(requests, int(self._tokens + 1e-9))
        self._tokens -= accepted
        return accepted


class Crowded:
    """Has ``places``; who comes when all are taken gets a 503 after the same time."""

    refusal = 503

    def __init__(self, places: int) -> None:
        self.places = places
        self._leaving: list[float] = []

    def accept(self, requests: int, now: float, latency: float) -> int:
        while self._leaving and self._leaving[0] <= now:
            heapq.heappop(self._leaving)
        accepted = min(requests, self.places - len(self._leaving))
        for _ in range(accepted):
            heapq.heappush(self._leaving, now + latency)
        return accepted


class Patient:
    """Takes everything."""

    refusal = 500

    def accept(self, requests: int, now: float, latency: float) -> int:
        return requests


class _Count:
    """Counts things over time."""

    def __init__(self) -> None:
        self.total = 0
        self._times: list[float] = []
        self._totals = [0]

    def add(self, number: int, now: float) -> None:
        self.total += number
        self._times.append(now)
        self._totals.append(self.total)

    def between(self, start: float, end: float) -> int:
        return (
            self._totals[bisect_left(self._times, end)]
            - self._totals[bisect_left(self._times, start)]
        )


class Client:
    """Has always something to send, and sends it as its pace allows."""

    def __init__(self, server: Server, latency: float, *, pace: Pace, seed: int = 0) -> None:
        self.pace = pace
        self.in_flight = 0
        self.most_in_flight = 0
        self.good = _Count()
        self.bad = _Count()
        self.limits: list[tuple[float, int]] = []
        self._server = server
        self._latency = latency
        self._random = Random(seed)

    def start(self, now: float) -> tuple[float, int, int]:
        """Start what may start; give when the answers come, and how many are good and bad."""
        allowed = self.pace.allowance(self.in_flight, now)
        if allowed:
            self.pace.started(allowed, now)
        self.in_flight += allowed
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        latency = self._latency * self._random.uniform(0.8, 1.2)
        good = self._server.accept(allowed, now, latency)
        return now + latency, good, allowed - good

    def finish(self, started_at: float, good: int, bad: int, now: float) -> None:
        self.in_flight -= good + bad
        self.good.add(good, now)
        self.bad.add(bad, now)
        signs = [(started_at, str(self._server.refusal))] * bad
        self.pace.answered([started_at] * good, signs, now)
        self.limits.append((now, self.pace.concurrency))


class Simulation:
    """Runs clients against their servers until a point in simulated time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._order = count()
        self._events: list[tuple[float, int, Client, float, int, int]] = []
        self._wakes: dict[int, float] = {}

    def join(self, client: Client) -> None:
        """Let a client begin, now."""
        self._start(client)

    def run(self, until: float) -> None:
        while self._events and self._events[0][0] <= until:
            self.now, _, client, started_at, good, bad = heapq.heappop(self._events)
            if good or bad:
                client.finish(started_at, good, bad, self.now)
            elif self._wakes.get(id(client)) != self.now:
                continue  # it was woken before
            self._start(client)
        self.now = until

    def _start(self, client: Client) -> None:
        at, good, bad = client.start(self.now)
        if good or bad:
            self._push(at, client, good, bad)
        if client.in_flight < client.pace.concurrency:
            wake = self.now + max(_STEP, client.pace.wait(self.now))
            if not self.now < self._wakes.get(id(client), 0.0) <= wake:
                self._wakes[id(client)] = wake
                self._push(wake, client, 0, 0)

    def _push(self, at: float, client: Client, good: int, bad: int) -> None:
        heapq.heappush(self._events, (at, next(self._order), client, self.now, good, bad))
