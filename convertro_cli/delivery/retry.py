"""What an outcome means, and how long to wait before the next try."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from random import Random

from urllib3.exceptions import InvalidHeader
from urllib3.util.retry import Retry

from convertro_cli.delivery.answers import Success, is_success
from convertro_cli.delivery.transport import RequestOutcome

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 60.0

UNEXPECTED_ANSWER = "unexpected_answer"
"""The reason of a 2xx that is no success by ``[wire] success``: somebody else's answer."""

# urllib3's own policy object says which answers are worth another try and reads Retry-After.
_POLICY = Retry(total=None, status_forcelist=(408, 425, 429, 500, 502, 503, 504))


class Verdict(Enum):
    """What an outcome means for its call."""

    DELIVERED = "delivered"
    RETRY = "retry"
    FAILED = "failed"


def judge(outcome: RequestOutcome, success: Success = "not-html") -> Verdict:
    """Judge an outcome: a success is delivered, what may pass is tried again, the rest failed."""
    if outcome.status is None:
        return Verdict.RETRY
    if is_success(outcome, success):
        return Verdict.DELIVERED
    return Verdict.RETRY if _POLICY.is_retry("GET", outcome.status) else Verdict.FAILED


def reason(outcome: RequestOutcome) -> str:
    """Name an outcome that was no success: ``http_400``, ``timeout``, ``unexpected_answer``, …"""
    if outcome.status is not None and 200 <= outcome.status < 300:
        return UNEXPECTED_ANSWER
    return f"http_{outcome.status}" if outcome.status is not None else outcome.fault or "unknown"


def read_retry_after(value: str | None) -> float | None:
    """Read a Retry-After header, in seconds or as a date, as seconds from now."""
    if not value:
        return None
    try:
        return _POLICY.parse_retry_after(value)
    except InvalidHeader:
        return None


def full_jitter(random: Random) -> Callable[[int], float]:
    """Give the backoff: for the n-th failure, any time up to a bound that doubles with n.

    Spreading the tries over the whole span keeps many clients that failed together from coming
    back together.
    """

    def backoff(failures: int) -> float:
        bound = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(failures - 1, 30))
        return random.uniform(0, bound)

    return backoff
