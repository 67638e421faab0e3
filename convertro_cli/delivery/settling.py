"""Settling calls and messages: from an outcome to the journal, the dead letters and the counts."""

from __future__ import annotations

from collections.abc import Callable

from convertro_cli.delivery.answers import Answer
from convertro_cli.delivery.journal import Journal
from convertro_cli.delivery.pending import PendingCall, PendingMessage
from convertro_cli.delivery.spool import Spool
from convertro_cli.record.dead_letters import DeadLetters
from convertro_cli.record.ledger import CallState, Failure
from convertro_cli.record.tally import Fate, Tally

_SHARED_FATE = {Fate.DELIVERED: Fate.ALREADY_DELIVERED, Fate.FAILED: Fate.ALREADY_FAILED}


class Settling:
    """Notes what became of each call, and of each message once all its calls are settled.

    ``open_calls`` are the calls that are not settled, by their keys: each leaves them when it is.
    ``forget`` is called with each call for an order that is settled, and how, ``offer`` with a call
    that is to be delivered after all: another message's for an order whose first call failed.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        dead_letters: DeadLetters,
        tally: Tally,
        spool: Spool,
        open_calls: dict[bytes, PendingCall],
    ) -> None:
        self.tally = tally
        self.forget: Callable[[PendingCall, Fate], object] = lambda _, __: None
        self.offer: Callable[[PendingCall], object] = lambda _: None
        self._spool = spool
        self._open_calls = open_calls
        self._journal = journal
        self._dead_letters = dead_letters

    def delivered(self, call: PendingCall, now: float) -> None:
        """A call was answered with success."""
        self._journal.sent(call, now)
        self.tally.deliver(call.event_type, call.value)
        self._settle(call, Fate.DELIVERED)
        for heir in call.heirs:
            self.order_repeated(heir, now)

    def failed(
        self,
        call: PendingCall,
        reason: str,
        now: float,
        *,
        detail: str = "",
        answer: Answer | None = None,
    ) -> None:
        """A call failed for good: its message becomes a dead letter, once."""
        message = call.message
        if message.fate is not Fate.FAILED:
            self._dead_letters.add(
                message.original,
                reason=reason,
                detail=detail or _attempts(call.attempts),
                answer=answer,
                source=message.source,
            )
            message.reason = reason
            self.tally.places.note(reason, message.source)
        self._journal.failed(Failure(call.key, reason, message.source), call, now)
        self.tally.settle_call(Fate.FAILED)
        self._settle(call, Fate.FAILED)
        self._offer_heir(call)

    def settled_elsewhere(self, call: PendingCall, state: CallState, now: float) -> None:
        """Another run settled a call first, which is for the same event in another file."""
        sent = state is CallState.SENT
        self._share(call, Fate.ALREADY_DELIVERED if sent else Fate.ALREADY_FAILED)
        if not sent:
            self._offer_heir(call)
        elif call.heirs:
            self._journal.order_sent(call.order_key, now)
            for heir in call.heirs:
                self.order_repeated(heir, now)

    def _offer_heir(self, call: PendingCall) -> None:
        """Let the next call for the order of one that failed take its place."""
        if call.heirs:
            heir, *others = call.heirs
            heir.heirs = others
            heir.uncertain |= call.uncertain
            self.offer(heir)

    def order_repeated(self, call: PendingCall, now: float) -> None:
        """A call is for an order that was sent for another message: it is left out."""
        self._journal.order_repeated(call, now)
        self._share(call, Fate.REPEATED_ORDER)

    def in_doubt(self, call: PendingCall) -> None:
        """A call may have arrived, and is left alone. The ledger keeps it marked."""
        self._journal.left_in_doubt(call)
        self.tally.settle_call(Fate.IN_DOUBT)
        call.message.file.clean = False
        self._settle(call, Fate.IN_DOUBT)
        for heir in call.heirs:  # the order may have arrived, so these are left alone, too
            heir.message.file.clean = False
            self._share(heir, Fate.IN_DOUBT)

    def already(self, message: PendingMessage, fate: Fate) -> None:
        """A call of a message was settled before."""
        self.tally.settle_call(fate)
        self.close_call(message, fate)

    def close_call(self, message: PendingMessage, fate: Fate) -> None:
        """Note one call's fate in its message; the last one settles the message."""
        message.fate = max(message.fate, fate)
        message.open_calls -= 1
        if message.open_calls == 0:
            self.tally.settle_message(message.fate, message.reason)
            message.file.open_messages -= 1
        if message.spooled:
            self._spool.note(message)

    def _share(self, call: PendingCall, fate: Fate) -> None:
        """Note that a call which never went out has the fate of another one."""
        self.tally.settle_call(fate)
        self._settle(call, fate)

    def _settle(self, call: PendingCall, fate: Fate) -> None:
        self._open_calls.pop(call.key, None)
        if call.order_key:
            self.forget(call, fate)
        self.close_call(call.message, fate)
        for message in call.followers:
            shared = _SHARED_FATE.get(fate, fate)
            self.already(message, shared)
            message.file.clean = message.file.clean and fate is not Fate.IN_DOUBT


def _attempts(attempts: int) -> str:
    return "after 1 attempt" if attempts == 1 else f"after {attempts} attempts"
