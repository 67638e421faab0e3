"""Taking in mapped batches: what is settled already is counted, the rest goes to the sender."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from msgspec import Struct

from convertro_cli.delivery.journal import Journal
from convertro_cli.delivery.pending import PendingCall, PendingFile, PendingMessage
from convertro_cli.delivery.settling import Settling
from convertro_cli.delivery.spool import Spool
from convertro_cli.mapping.jobs import InvalidLine, MappedBatch, ReadyCall, calls_of
from convertro_cli.reading.batch import LineBatch
from convertro_cli.record.dead_letters import DeadLetters
from convertro_cli.record.ledger import CallState, Failure, Settled
from convertro_cli.record.message_ids import MessageIds
from convertro_cli.record.tally import Fate

_FAILED = frozenset({Fate.FAILED, Fate.ALREADY_FAILED})
"""What becomes of a call whose place another one for its order takes."""


class IntakeOptions(Struct, frozen=True):
    """``resend``: what earlier runs did does not count. ``at_most_once``: doubt is left alone."""

    resend: bool = False
    at_most_once: bool = False


class Intake:
    """Turns mapped batches into pending calls, by what the ledger knows of them.

    A call that is under way already, for a copy of its message, is not sent again: the copies
    share its fate. Where an order goes out once, so that its call waits for the outcome of one
    that is under way for another message: if that one fails for good, it takes its place.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        settling: Settling,
        dead_letters: DeadLetters,
        options: IntakeOptions,
        spool: Spool,
        open_calls: dict[bytes, PendingCall],
    ) -> None:
        self._journal = journal
        self._settling = settling
        self._dead_letters = dead_letters
        self._options = options
        self._spool = spool
        self._open = open_calls
        self._spooled: set[bytes] = set()
        self._open_orders: dict[bytes, PendingCall] = {}
        self._message_ids = MessageIds()
        settling.forget = self._forget

    def take(
        self, batch: LineBatch, mapped: MappedBatch, files: Sequence[PendingFile], now: float
    ) -> list[PendingCall]:
        """Count what a batch settles by itself; give the calls to deliver, in order.

        ``files`` has the file of each batch that this one was joined of.
        """
        mapped.note_shared_ids(
            self._message_ids.find_shared(
                (number, hash(message_id or 0), hash(text))
                for number, *_, (message_id, text) in mapped.messages
            )
        )
        self._settling.tally.note_batch(
            mapped.skipped, mapped.warnings, batch.place, mapped.warning_places
        )
        self._settling.tally.note_gates(mapped.kept_back, carries_consent=mapped.carries_consent)
        faults = [(line, _key_of_line(line, batch)) for line in mapped.invalid]
        all_calls = [call for message in mapped.messages for call in calls_of(message)]
        keys = [key for key, *_ in all_calls]
        orders = [order for *_, order in all_calls if order]
        settled = self._journal.look_up(keys + orders + [key for _, key in faults])
        self._spooled = self._spool.find(keys)  # a look-up that waits may put some there
        for line, key in faults:
            known = self._known(key, settled)
            self._reject(line, key, batch, known, now)
        calls: list[PendingCall] = []
        for number, start, end, ready, original, source, _ in mapped.messages:
            file = files[batch.part(number)]
            file.open_messages += 1
            message = PendingMessage(
                original or batch.data[start:end],
                source or batch.place(number),
                file,
                len(ready),
                original is not None,
            )
            for call in ready:
                pending = self._take_call(call, message, settled, now)
                if pending is not None:
                    calls.append(pending)
        return calls

    def _reject(
        self, line: InvalidLine, key: bytes, batch: LineBatch, known: Settled | None, now: float
    ) -> None:
        source = line.source or batch.place(line.number)
        self._settling.tally.reject(line.reason, source)
        if self._counts(known, tries_again=line.original is not None):
            return  # its letter was written by an earlier run that did not get to the end
        original = line.original or batch.data[line.start : line.end]
        length = line.length or (batch.overlong if line.original is None else 0)
        self._dead_letters.add(
            original, reason=line.reason, detail=line.detail, source=source, length=length
        )
        self._journal.failed(Failure(key, line.reason, source), None, now)

    def _take_call(
        self, ready: ReadyCall, message: PendingMessage, settled: dict[bytes, Settled], now: float
    ) -> PendingCall | None:
        key, url, event_type, value, fault, order_key = ready
        twin = self._open.get(key)
        if twin is not None:
            twin.followers.append(message)
            return None
        if key in self._spooled:
            self._spool.follow(key, message)
            return None
        known = self._known(key, settled)
        if known is not None and self._counts(known, tries_again=message.tries_again):
            self._take_known(known, order_key, message, settled, now)
            return None
        call = PendingCall(key, url, event_type, value, message, order_key=order_key)
        call.uncertain = self._journal.is_in_doubt(call)
        if settled:
            call.settled_by = _run_of(settled.get(key))
            call.order_settled_by = _run_of(settled.get(order_key))
        if fault:
            self._settling.failed(call, fault, now, detail=f"a URL of {len(url):,} characters")
            return None
        if order_key and self._counts(self._known(order_key, settled), tries_again=False):
            self._settling.order_repeated(call, now)
            return None
        if call.uncertain and self._options.at_most_once:
            self._settling.in_doubt(call)
            return None
        self._open[key] = call
        return call if self._is_first_of_its_order(call) else None

    def _take_known(
        self,
        known: Settled,
        order_key: bytes,
        message: PendingMessage,
        settled: dict[bytes, Settled],
        now: float,
    ) -> None:
        """Count a call that was settled before."""
        sent = known.state is CallState.SENT
        if sent and order_key and self._known(order_key, settled) is None:
            # It was sent when repeated orders were, too; from now on it is the one of its order.
            self._journal.order_sent(order_key, now)
        self._settling.already(message, Fate.ALREADY_DELIVERED if sent else Fate.ALREADY_FAILED)

    def _is_first_of_its_order(self, call: PendingCall) -> bool:
        """Whether a call may go; else it waits for the outcome of another one for its order."""
        if not call.order_key:
            return True
        first = self._open_orders.setdefault(call.order_key, call)
        if first is not call:
            first.heirs.append(call)
        return first is call

    def _forget(self, call: PendingCall, fate: Fate) -> None:
        if self._open_orders.get(call.order_key) is call:
            if fate in _FAILED and call.heirs:
                self._open_orders[call.order_key] = call.heirs[0]
            else:
                del self._open_orders[call.order_key]

    def _known(self, key: bytes, settled: dict[bytes, Settled]) -> Settled | None:
        return self._journal.settled_lately(key) or settled.get(key)

    def _counts(self, known: Settled | None, *, tries_again: bool) -> bool:
        """Whether it matters how a call was settled before."""
        if known is None:
            return False
        if known.run == self._journal.run:
            return True
        if self._options.resend:
            return False
        return known.state is CallState.SENT or not tries_again


def _run_of(settled: Settled | None) -> int:
    return settled.run if settled is not None else 0


def _key_of_line(line: InvalidLine, batch: LineBatch) -> bytes:
    """Give the ledger's key for an invalid line: its place and its bytes."""
    source = line.source or batch.place(line.number)
    original = line.original or batch.data[line.start : line.end]
    return blake2b(source.encode() + b"\n" + original, digest_size=16).digest()
