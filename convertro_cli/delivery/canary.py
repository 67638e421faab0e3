"""The canary: the first calls of a run go one by one, for a person to look at, and none after."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from convertro_cli.delivery.answers import Answer, read_answer
from convertro_cli.delivery.pending import PendingCall
from convertro_cli.delivery.retry import Verdict, reason
from convertro_cli.delivery.transport import RequestOutcome


class Tried(NamedTuple):
    """A request and what came of it: the call's number among the canary's, and which try it was.

    ``source`` is the message's place. Without an answer ``fault`` names what went wrong.
    ``elapsed`` is in seconds.
    """

    number: int
    attempt: int
    source: str
    event_type: str
    value: str
    url: str
    answer: Answer | None
    fault: str
    elapsed: float
    verdict: Verdict


class CanaryOptions(Struct, frozen=True):
    """How many ``calls`` go, and to whom each request is shown once it has ended."""

    calls: int
    show: Callable[[Tried], object]


class Canary:
    """Hands calls on one by one, as long as there are any left to be sent.

    Whoever delivers asks it to go on when the call before was answered. One that is to be tried
    again waits beside the next: it takes those to tell an event that always fails from an outage.
    Calls beyond the last one are let go of: they stay as they are, like all that an interrupted
    run does not get to.
    """

    def __init__(self, options: CanaryOptions, hand_on: Callable[[Sequence[PendingCall]], None]):
        self.begun = 0
        self._options = options
        self._hand_on = hand_on
        self._waiting: deque[PendingCall] = deque()
        self._numbers: dict[bytes, int] = {}

    @property
    def is_over(self) -> bool:
        """Whether the last call was handed on."""
        return self.begun >= self._options.calls

    @property
    def wants_more(self) -> bool:
        """Whether another call could be handed on, and none waits for that."""
        return not self._waiting and not self.is_over

    @property
    def has_next(self) -> bool:
        """Whether a call waits to be handed on."""
        return bool(self._waiting)

    def offer(self, calls: Iterable[PendingCall]) -> None:
        """Take in calls, in order."""
        if not self.is_over:
            self._waiting.extend(calls)

    def offer_next(self, call: PendingCall) -> None:
        """Take in a call that goes in the place of another one, for the same order."""
        if not self.is_over:
            self._waiting.appendleft(call)

    def go_on(self) -> None:
        """Hand on the next call, if one waits."""
        if not self._waiting:
            return
        self.begun += 1
        call = self._waiting.popleft()
        self._numbers[call.key] = self.begun
        self._hand_on([call])
        if self.is_over:
            self._waiting.clear()

    def show(self, call: PendingCall, outcome: RequestOutcome, verdict: Verdict) -> None:
        """Show a request that has ended."""
        tried = Tried(
            self._numbers[call.key],
            call.attempts,
            call.message.source,
            call.event_type,
            call.value,
            call.url,
            read_answer(outcome),
            reason(outcome) if outcome.status is None else "",
            outcome.elapsed,
            verdict,
        )
        self._options.show(tried)
