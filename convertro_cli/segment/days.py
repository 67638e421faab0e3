"""Days, hours and months of Unix times; UTC throughout."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

_EPOCH = date(1970, 1, 1).toordinal()
_LAST = date.max.toordinal() - _EPOCH

HOUR, DAY = 3600, 86_400


def day_of(number: int) -> date:
    """Give the day of this number, counted from 1970.

    New Year's Eve of 9999 may be over in Greenwich; then it is that day once more.
    """
    return date.fromordinal(min(number, _LAST) + _EPOCH)


def hour_of(number: int) -> datetime:
    """Give the beginning of the hour of this number, counted from 1970."""
    day, hour = divmod(number, 24)
    return datetime.combine(day_of(day), datetime.min.time(), UTC) + timedelta(hours=hour)


def moment_of(timestamp: int) -> datetime:
    """Give the moment of a Unix time."""
    day, second = divmod(timestamp, DAY)
    return datetime.combine(day_of(day), datetime.min.time(), UTC) + timedelta(seconds=second)


@lru_cache(maxsize=4096)
def month_of(day: int) -> str:
    """Give the month of a day's number, as ``2024-03``."""
    return day_of(day).isoformat()[:7]
