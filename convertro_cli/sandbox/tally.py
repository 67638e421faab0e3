"""Counts what the sandbox received and how it answered, exactly, from any number of threads."""

from __future__ import annotations

import threading
from collections import deque
from decimal import Decimal
from typing import Final, TypedDict

from convertro_cli.amounts import EXACTLY, Sum, add_up
from convertro_cli.sandbox.check import Call

_RATE_WINDOW_S: Final = 5


class EventTypeCounts(TypedDict):
    calls: int
    value: int | float


class Stats(TypedDict):
    """What GET /stats answers. ``requests`` is ``accepted`` + ``rejected`` + ``faults``, and
    ``accepted`` is ``unique`` + ``repeats``; calls and values are those of accepted requests."""

    requests: int
    accepted: int
    rejected: int
    faults: int
    unique: int
    repeats: int
    calls: dict[str, int]
    by_event_type: dict[str, EventTypeCounts]


class RequestCounts:
    """The counts, and the digests of the accepted requests (some 100 bytes each)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rejected = 0
        self._faults = 0
        self._repeats = 0
        self._seen: set[bytes] = set()
        self._calls: dict[Call, int] = {"event": 0, "user": 0, "install": 0}
        self._event_types: dict[str, Sum] = {}
        self._seconds: deque[tuple[int, int]] = deque(maxlen=_RATE_WINDOW_S + 1)

    def holds(self, digest: bytes) -> bool:
        """Whether a request with this digest was accepted before."""
        with self._lock:
            return digest in self._seen

    def accept(
        self,
        digest: bytes,
        call: Call,
        event_type: str | None = None,
        value: Decimal | None = None,
    ) -> None:
        with self._lock:
            if digest in self._seen:
                self._repeats += 1
            else:
                self._seen.add(digest)
            self._calls[call] += 1
            if event_type is not None and value is not None:
                total = self._event_types.setdefault(event_type, Sum())
                total.count += 1
                total.add_exactly(value)

    def reject(self) -> None:
        with self._lock:
            self._rejected += 1

    def fault(self) -> None:
        with self._lock:
            self._faults += 1

    def arrived(self, second: int) -> None:
        """Notes a request for the rate, at a whole second of a clock that does not go back."""
        with self._lock:
            count = 1
            if self._seconds and self._seconds[-1][0] == second:
                count += self._seconds.pop()[1]
            self._seconds.append((second, count))

    def per_second(self, second: int) -> float:
        """Requests a second over the last five full seconds before this one."""
        with self._lock:
            counts = [n for at, n in self._seconds if second - _RATE_WINDOW_S <= at < second]
        return sum(counts) / _RATE_WINDOW_S

    def stats(self) -> Stats:
        with self._lock:
            unique = len(self._seen)
            accepted = unique + self._repeats
            return Stats(
                requests=accepted + self._rejected + self._faults,
                accepted=accepted,
                rejected=self._rejected,
                faults=self._faults,
                unique=unique,
                repeats=self._repeats,
                calls={str(call): count for call, count in self._calls.items()},
                by_event_type={
                    name: EventTypeCounts(calls=total.count, value=_json_number(total.value))
                    for name, total in sorted(self._event_types.items())
                },
            )

    def value(self) -> Decimal:
        """The sum of all accepted events' values."""
        with self._lock:
            return add_up(self._event_types.values()).value


def _json_number(value: Decimal) -> int | float:
    """A whole sum as an integer, any other as the nearest double, which JSON writes shortest."""
    if value == value.to_integral_value(context=EXACTLY):
        return int(value)
    number = float(value)
    return number if abs(number) != float("inf") else int(value)
