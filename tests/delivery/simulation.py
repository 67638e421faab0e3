"""Clients with a pace of their own before a simulated server, in simulated time.

Requests that start at the same instant travel together, so a minute of thousands of calls a second
takes little real time.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Callable
from itertools import count
from random import Random

from convertro_cli.delivery.pace import Pace

_STEP = 0.002
"""How often a client looks at its clock while it waits for its rate, in seconds."""

Server = Callable[[float, float], tuple[int, float]]
"""From the time and the usual latency to the status and the latency of one answer."""


class RateLimited:
    """Lets ``capacity`` calls a second pass, a tenth of a second's worth at once; else 429."""

    def __init__(self, capacity: float) -> None:
        self.capacity = capacity
        self._tokens = max(1.0, capacity / 10)
        self._at = 0.0

    def __call__(self, now: float, latency: float) -> tuple[int, float]:
        burst = max(1.0, self.capacity / 10)
        self._tokens = min(burst, self._tokens + (now - self._at) * self.capacity)
        self._at = now
        if self._tokens < 1 - 1e-9:
            return 429, latency
        self._tokens -= 1
        return 200, latency


class Crowded:
    """Has ``places``; who comes when all are taken gets a 503 after the same time."""

    def __init__(self, places: int) -> None:
        self.places = places
        self._leaving: list[float] = []

    def __call__(self, now: float, latency: float) -> tuple[int, float]:
        while self._leaving and self._leaving[0] <= now:
            heapq.heappop(self._leaving)
        if len(self._leaving) >= self.places:
            return 503, latency
        heapq.heappush(self._leaving, now + latency)
        return 200, latency


class Client:
    """Has always something to send, and sends it as its pace allows."""

    def __init__(self, server: Server, latency: float, *, pace: Pace, seed: int = 0) -> None:
        self.pace = pace
        self.in_flight = 0
        self.most_in_flight = 0
        self.good: list[float] = []
        self.bad: list[float] = []
        self.limits: list[tuple[float, int]] = []
        self.server = server
        self.latency = latency
        self.random = Random(seed)

    def good_between(self, start: float, end: float) -> int:
        return bisect_left(self.good, end) - bisect_left(self.good, start)

    def bad_between(self, start: float, end: float) -> int:
        return bisect_left(self.bad, end) - bisect_left(self.bad, start)

    def start(self, now: float) -> list[tuple[float, int]]:
        """Start what may start; give when each answer comes, and its status."""
        allowed = self.pace.allowance(self.in_flight, now)
        self.pace.started(allowed, now)
        self.in_flight += allowed
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        jitter = self.random.uniform(0.8, 1.2)
        answers = (self.server(now, self.latency * jitter) for _ in range(allowed))
        return [(now + latency, status) for status, latency in answers]

    def finish(self, started_at: float, statuses: list[int], now: float) -> None:
        self.in_flight -= len(statuses)
        good = 0
        for status in statuses:
            if status == 200:
                good += 1
                self.good.append(now)
            else:
                self.bad.append(now)
                self.pace.overloaded(started_at, now, too_many=status == 429)
        if good:
            self.pace.good(good, now)
        self.limits.append((now, self.pace.concurrency))


class Simulation:
    """Runs clients against their servers until a point in simulated time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._order = count()
        self._events: list[tuple[float, int, Client, float, list[int]]] = []
        self._wakes: dict[int, float] = {}

    def join(self, client: Client) -> None:
        """Let a client begin, now."""
        self._start(client)

    def run(self, until: float) -> None:
        while self._events and self._events[0][0] <= until:
            self.now, _, client, started_at, statuses = heapq.heappop(self._events)
            if statuses:
                client.finish(started_at, statuses, self.now)
            elif self._wakes.get(id(client)) != self.now:
                continue  # it was woken before
            self._start(client)
        self.now = until

    def _start(self, client: Client) -> None:
        together: dict[float, list[int]] = {}
        for at, status in client.start(self.now):
            together.setdefault(at, []).append(status)
        for at, statuses in together.items():
            self._push(at, client, statuses)
        if client.in_flight < client.pace.concurrency:
            wake = self.now + max(_STEP, client.pace.wait(self.now))
            if not self.now < self._wakes.get(id(client), 0.0) <= wake:
                self._wakes[id(client)] = wake
                self._push(wake, client, [])

    def _push(self, at: float, client: Client, statuses: list[int]) -> None:
        heapq.heappush(self._events, (at, next(self._order), client, self.now, statuses))
