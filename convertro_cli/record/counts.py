"""The counts of a run as JSON: those of many machines are added up, to the last digit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from convertro_cli.amounts import Sum
from convertro_cli.record.tally import COUNTERS, Tally

_PLACES = ("places", "warning_places")


class RunCounts(NamedTuple):
    """The counts of a run, its answers by the buckets of how long they took, and its transport."""

    tally: Tally
    latency: Mapping[int, int]
    transport: str


def write_counts(counts: RunCounts) -> bytes:
    """Write the counts of a run."""
    tally = counts.tally
    return orjson.dumps(
        {
            **{name: getattr(tally, name) for name in (*COUNTERS, *_PLACES)},
            "by_event_type": {name: _shown(each) for name, each in tally.by_event_type.items()},
            "kept_back": [[*key, *_shown(each)] for key, each in tally.kept_back.totals.items()],
            "carries_consent": tally.carries_consent,
            "bytes_read": tally.bytes_read,
            "latency": {str(bucket): count for bucket, count in counts.latency.items()},
            "transport": counts.transport,
        }
    )


def read_counts(content: str | bytes) -> RunCounts:
    """Read what ``write_counts`` wrote."""
    found: dict[str, Any] = orjson.loads(content)
    tally = Tally(carries_consent=found["carries_consent"], bytes_read=found["bytes_read"])
    for name in COUNTERS:
        setattr(tally, name, Counter(found[name]))
    for name in _PLACES:
        getattr(tally, name).update(found[name])
    for name, total in found["by_event_type"].items():
        tally.by_event_type[name] = _sum(*total)
    for reason, title, *total in found["kept_back"]:
        tally.kept_back.totals[reason, title] = _sum(*total)
    latency = {int(bucket): count for bucket, count in found["latency"].items()}
    return RunCounts(tally, latency, found["transport"])


def _shown(total: Sum) -> tuple[int, str]:
    return total.count, str(total.value)


def _sum(count: int, value: str) -> Sum:
    return Sum(count, Decimal(value))
