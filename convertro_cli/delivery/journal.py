"""The sender's side of the ledger: which calls are marked, and what waits for the next commit.

It keeps the promise that a crash leaves at most ``WINDOW`` calls in doubt. A commit is carried
out in the background, since waiting for a disk would leave the answers of the other side lying.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import NamedTuple

from msgspec import Struct, field

from convertro_cli.delivery.pending import PendingCall
from convertro_cli.record.dead_letters import DeadLetters
from convertro_cli.record.ledger import (
    CallState,
    Failure,
    FinishedFile,
    Ledger,
    Marked,
    Settled,
)

WINDOW = 256
_COMMIT_AT = 256
_COMMIT_AFTER = 0.25


class _Changes(Struct):
    """What happened since the last commit."""

    sent: list[bytes] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    states: dict[bytes, CallState] = field(default_factory=dict)
    finished: list[FinishedFile] = field(default_factory=list)


class Contested(NamedTuple):
    """A call that was not marked, since another run is at it, or was.

    ``key`` is the call's or its order's, whichever was refused; ``settled`` is None where
    another run is sending it now.
    """

    call: PendingCall
    key: bytes
    settled: Settled | None


class Journal:
    """Collects what became of calls and commits it together with the next marks.

    ``in_doubt`` are the calls that earlier runs left marked: they stay so until they are
    settled. ``writer`` carries out the commits, one at a time. ``before_commit`` is called before
    each. Times are in seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        dead_letters: DeadLetters,
        run: int,
        *,
        writer: Executor,
        in_doubt: Iterable[bytes] = (),
        before_commit: Callable[[], None] | None = None,
    ) -> None:
        self.run = run
        self._ledger = ledger
        self._dead_letters = dead_letters
        self._writer = writer
        self._in_doubt = set(in_doubt)
        self._orders_in_doubt = set(ledger.orders_in_doubt())
        self._marked: set[bytes] = set()
        self._marked_orders: set[bytes] = set()
        self._changes = _Changes()
        self._changed_at: float | None = None
        self._being_written = _Changes()
        self._being_marked: Sequence[PendingCall] = ()
        self._commit: Future[Marked] | None = None
        self._contested: list[Contested] = []
        self._lease = ledger.lease
        self._before_commit = before_commit

    @property
    def room(self) -> int:
        """How many calls the next commit may mark."""
        return WINDOW - len(self._marked)

    @property
    def is_writing(self) -> bool:
        """Whether a commit is under way."""
        return self._commit is not None

    @property
    def unwritten(self) -> int:
        """How many calls, at most, were delivered and are not noted on disk."""
        return len(self._being_written.sent) + len(self._changes.sent)

    @property
    def is_clean(self) -> bool:
        """Whether all that was noted is on disk."""
        return self._commit is None and self._changed_at is None

    def is_due(self, now: float) -> bool:
        """Whether what waits should be committed for its own sake: much of it, or for long."""
        if self._lease is not None and self._lease.is_due():
            return True
        return self._changed_at is not None and (
            len(self._changes.states) >= _COMMIT_AT or now - self._changed_at >= _COMMIT_AFTER
        )

    @property
    def may_send(self) -> bool:
        """Whether what is marked is surely this run's still: not if it was silent for too long."""
        return self._lease is None or self._lease.is_held()

    def is_in_doubt(self, call: PendingCall) -> bool:
        """Whether an earlier run left this call in doubt, or one for the same order."""
        return call.key in self._in_doubt or call.order_key in self._orders_in_doubt

    def sent(self, call: PendingCall, now: float) -> None:
        """Note that a call was delivered."""
        self._note_sent(call.key)
        self._in_doubt.discard(call.key)
        if call.order_key:
            self._note_sent(call.order_key)
            self._orders_in_doubt.discard(call.order_key)
        self._unmark(call, now)

    def order_sent(self, order_key: bytes, now: float) -> None:
        """Note that an order is known to be delivered, by a call of an earlier run."""
        self._note_sent(order_key)
        self._change(now)

    def order_repeated(self, call: PendingCall, now: float) -> None:
        """Note that a call is in no doubt any more: its order was sent for another message."""
        if call.key in self._in_doubt:
            self._in_doubt.discard(call.key)
            self._change(now)

    def failed(self, failure: Failure, call: PendingCall | None, now: float) -> None:
        """Note that a call, or a line that is no message, failed for good."""
        self._changes.failed.append(failure)
        self._changes.states[failure.key] = CallState.FAILED
        self._in_doubt.discard(failure.key)
        if call is None:
            self._change(now)
        else:
            self._orders_in_doubt.discard(call.order_key)
            self._unmark(call, now)

    def finished(self, file: FinishedFile, now: float) -> None:
        """Note that a file was replayed to its end.

        It is known with what was noted before of its calls, or after that: never without.
        """
        self._changes.finished.append(file)
        self._change(now)

    def released(self, call: PendingCall, now: float) -> None:
        """Note that a call is known not to have been delivered, and waits for another try."""
        if call.marked:
            self._unmark(call, now)

    def left_in_doubt(self, call: PendingCall) -> None:
        """Note that a call stays marked for good: it may have arrived, and is left alone."""
        self._in_doubt.add(call.key)
        self._marked.discard(call.key)
        if call.order_key:
            self._orders_in_doubt.add(call.order_key)
            self._marked_orders.discard(call.order_key)
        call.marked = False

    def look_up(self, keys: Sequence[bytes]) -> dict[bytes, Settled]:
        """Tell which of these calls are settled on disk."""
        return self._ledger.look_up(keys)

    def settled_lately(self, key: bytes) -> Settled | None:
        """Tell how a call was settled, if that is not on disk yet."""
        state = self._changes.states.get(key) or self._being_written.states.get(key)
        return Settled(state, self.run) if state is not None else None

    def begin_commit(self, calls: Sequence[PendingCall] = ()) -> None:
        """Begin to put on disk all that was noted, and to mark these calls as being sent.

        Not while another commit is under way. The calls come out of ``finish_commit``.
        """
        assert self._commit is None
        if self._before_commit is not None:
            self._before_commit()
        self._being_written, self._changes = self._changes, _Changes()
        self._being_marked = calls
        self._changed_at = None
        self._marked.update([call.key for call in calls])
        self._marked_orders.update([call.order_key for call in calls if call.order_key])
        sending = b"".join(self._marked | self._in_doubt)
        orders = b"".join(self._marked_orders | self._orders_in_doubt)
        write = self._write(self._being_written, self._dead_letters.take(), sending, orders, calls)
        self._commit = self._writer.submit(write)

    def finish_commit(self, *, wait: bool = False) -> Sequence[PendingCall]:
        """Give the calls that are marked on disk since the last time.

        None of them while the commit is under way, unless told to wait for it. Raises
        ConvertroError where the ledger or the dead letters could not be written; then it does so
        each time, for a later commit would lack what that one should have written.
        """
        if self._commit is None or not (wait or self._commit.done()):
            return ()
        marked = self._commit.result()
        self._commit = None
        self._being_written = _Changes()
        calls, self._being_marked = self._being_marked, ()
        if marked.refused:
            calls = self._without_refused(calls, marked.refused)
        for call in calls:
            call.marked = True
        if marked.doubtful:
            self._note_doubts(calls, marked.doubtful)
        return calls

    def contested(self) -> list[Contested]:
        """Give the calls that could not be marked since the last time."""
        contested, self._contested = self._contested, []
        return contested

    def _without_refused(
        self, calls: Sequence[PendingCall], refused: Mapping[bytes, Settled | None]
    ) -> list[PendingCall]:
        """Take out the calls that another run has; those of an order likewise."""
        rest = []
        for call in calls:
            key = next((key for key in (call.key, call.order_key) if key in refused), None)
            if key is None:
                rest.append(call)
                continue
            self._marked.discard(call.key)
            self._marked_orders.discard(call.order_key)
            self._contested.append(Contested(call, key, refused[key]))
            if call.order_key:  # the other one of the two may be marked: it is let go of at once
                self._change(float("-inf"))
        return rest

    def _note_doubts(self, calls: Sequence[PendingCall], doubtful: frozenset[bytes]) -> None:
        """Take over the doubts of runs that were lost: they stay until the calls are settled."""
        for call in calls:
            if call.key in doubtful or call.order_key in doubtful:
                call.uncertain = True
                self._in_doubt.add(call.key)
                if call.order_key:
                    self._orders_in_doubt.add(call.order_key)

    def _write(
        self,
        changes: _Changes,
        letters: bytes,
        sending: bytes,
        orders: bytes,
        calls: Sequence[PendingCall],
    ) -> Callable[[], Marked]:
        def write() -> Marked:
            # Dead letters first: a call must not be known as failed while its letter may be lost.
            self._dead_letters.append(letters)
            return self._ledger.commit(
                self.run,
                sending=sending,
                orders=orders,
                sent=changes.sent,
                failed=changes.failed,
                finished=changes.finished,
                again=_settled_before(calls),
            )

        return write

    def _note_sent(self, key: bytes) -> None:
        self._changes.sent.append(key)
        self._changes.states[key] = CallState.SENT

    def _unmark(self, call: PendingCall, now: float) -> None:
        self._marked.discard(call.key)
        self._marked_orders.discard(call.order_key)
        call.marked = False
        self._change(now)

    def _change(self, now: float) -> None:
        if self._changed_at is None:
            self._changed_at = now


def _settled_before(calls: Sequence[PendingCall]) -> dict[bytes, int]:
    """Give those keys of calls that a run settled, though they are sent all the same."""
    again = {call.key: call.settled_by for call in calls if call.settled_by}
    again.update({call.order_key: by for call in calls if (by := call.order_settled_by)})
    return again
