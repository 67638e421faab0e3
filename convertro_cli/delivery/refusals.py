"""The circuit breaker: when everything is refused in the same way, it is not the events' fault."""

from __future__ import annotations

from typing import NamedTuple

from convertro_cli.delivery.answers import Answer
from convertro_cli.delivery.journal import Journal
from convertro_cli.delivery.pending import PendingCall
from convertro_cli.delivery.settling import Settling


class _Refused(NamedTuple):
    call: PendingCall
    reason: str
    answer: Answer


class Refusals:
    """Holds refusals back until an answer of another kind shows that they were the events' own.

    After ``stop_after`` of one kind in a row with no success between them it has stopped: they are
    left open, and so is all that is refused later. With 0 nothing is held back. The kind of a
    refusal is its reason; all redirects are one kind.
    """

    def __init__(self, *, journal: Journal, settling: Settling, stop_after: int) -> None:
        self.has_stopped = False
        self.latest: Answer | None = None
        self._journal = journal
        self._settling = settling
        self._stop_after = stop_after
        self._held: list[_Refused] = []
        self._kind = ""

    @property
    def uncertain(self) -> int:
        """How many of the calls that are held back may have arrived by an earlier request."""
        return sum(refused.call.uncertain for refused in self._held)

    @property
    def in_a_row(self) -> int:
        """How many calls are held back."""
        return len(self._held)

    def refused(self, call: PendingCall, reason: str, answer: Answer, now: float) -> None:
        """Note that a call was refused for good."""
        self.latest = answer
        kind = "redirect" if 300 <= answer.status < 400 else reason
        if kind != self._kind:
            self.settle(now)
            self._kind = kind
        self._held.append(_Refused(call, reason, answer))
        if not self._stop_after:
            self.settle(now)
            return
        if not call.uncertain:
            self._journal.released(call, now)
        self.has_stopped = self.has_stopped or len(self._held) >= self._stop_after

    def settle(self, now: float) -> None:
        """Let what is held back have failed, unless it was enough to stop."""
        if self.has_stopped:
            return
        held, self._held = self._held, []
        for call, reason, answer in held:
            self._settling.failed(call, reason, now, answer=answer)
