"""Whose fault a failure is: the event's own, the load's, or the other side's."""

from __future__ import annotations

from convertro_cli.delivery.outage import Outage
from convertro_cli.delivery.pace import Pace
from convertro_cli.delivery.pending import PendingCall
from convertro_cli.delivery.transport import RequestOutcome


class Blame:
    """Judges failures by what became of other calls meanwhile."""

    def __init__(self, outage: Outage, pace: Pace) -> None:
        self._outage = outage
        self._pace = pace

    def is_suspect(self, call: PendingCall) -> bool:
        """Whether others succeeded since this call was tried."""
        first = call.first_started_at
        return first is not None and self._outage.had_success_since(first)

    def speaks_of_load(self, call: PendingCall, outcome: RequestOutcome) -> bool:
        """Whether a failure may be a sign of overload.

        That of a call which failed before while others did not says nothing of the pace.
        """
        if call.attempts > 1 and self.is_suspect(call):
            return False
        return outcome.status in {429, 503} or outcome.fault == "timeout"

    def telling_failures(self, call: PendingCall) -> int:
        """Count the failures of a call, but as one those that faults at any pace explain."""
        return max(1, call.attempts + 1 - max(1, self._pace.chance_failures))

    def is_events_own(self, call: PendingCall, why: str, now: float, *, is_alone: bool) -> bool:
        """Whether a failure is the event's own, and not that of an outage.

        It is when requests succeeded that were started after the call's first, and when no more
        calls failed of late than usually do. During an outage it is only when this is the only call
        left (``is_alone``) and the answer is 500, which speaks of the request, where 502, 503 and
        504 speak of the server.
        """
        if not self._outage.is_on(now) and (self.is_suspect(call) or self._outage.is_usual(now)):
            return True
        return is_alone and why == "http_500"
