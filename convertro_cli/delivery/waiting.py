"""Calls that wait for their next try: a few in memory, any number of them on disk."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count

from convertro_cli.delivery.pending import PendingCall
from convertro_cli.delivery.spool import Spool

_IN_MEMORY = 512


class Waiting:
    """Takes calls with the time at which they are due, and gives them back from then on.

    ``open_calls`` are the calls in memory by their keys: one that goes to disk leaves them, and
    comes back with it. What is marked in the ledger stays in memory; its number is bounded anyway.
    """

    def __init__(self, spool: Spool, open_calls: dict[bytes, PendingCall]) -> None:
        self._spool = spool
        self._open_calls = open_calls
        self._heap: list[tuple[float, int, PendingCall]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._heap) + len(self._spool)

    @property
    def in_memory(self) -> Iterator[PendingCall]:
        """The calls that wait in memory, among them all that may have arrived."""
        return (call for _, _, call in self._heap)

    @property
    def next_due(self) -> float | None:
        """When the first call is due; None if none waits."""
        heap = self._heap[0][0] if self._heap else None
        spool = self._spool.next_due
        if heap is None or spool is None:
            return spool if heap is None else heap
        return min(heap, spool)

    def add(self, call: PendingCall, due: float) -> None:
        """Let a call wait. One that others of its order wait for stays where they find it."""
        if call.marked or call.order_key or len(self._heap) < _IN_MEMORY:
            heapq.heappush(self._heap, (due, next(self._order), call))
            return
        self._spool.put(call, due)
        self._open_calls.pop(call.key, None)

    def take(self, until: float, most: int) -> list[PendingCall]:
        """Take out calls that are due by then, at most so many."""
        taken: list[PendingCall] = []
        while self._heap and self._heap[0][0] <= until and len(taken) < most:
            taken.append(heapq.heappop(self._heap)[2])
        for call in self._spool.take(until, most - len(taken)):
            self._open_calls[call.key] = call
            taken.append(call)
        return taken
