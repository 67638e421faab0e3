"""How long answers took, in a bounded number of buckets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import ceil, log

_STEP = log(1.05)  # neighbouring buckets are 5 % apart
_SHORTEST = 0.0001


class LatencyHistogram:
    """Counts answers by how long they took; gives percentiles to within 5 %."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self._count = 0

    def add(self, seconds: float) -> None:
        """Count an answer."""
        self._buckets[ceil(log(max(seconds, _SHORTEST) / _SHORTEST) / _STEP)] += 1
        self._count += 1

    @property
    def buckets(self) -> Mapping[int, int]:
        """How many answers there are in each bucket."""
        return self._buckets

    def update(self, buckets: Mapping[int, int]) -> None:
        """Count the answers of another histogram, too."""
        self._buckets.update(buckets)
        self._count += sum(buckets.values())

    def percentile(self, share: float) -> float | None:
        """Give the seconds within which this share of the answers came; None without any."""
        passed = 0
        for bucket in sorted(self._buckets):
            passed += self._buckets[bucket]
            if passed >= share * self._count:
                return _SHORTEST * float(1.05**bucket)
        return None
