"""Calls and messages on their way: what the delivery loop keeps of them until they are settled."""

from __future__ import annotations

from msgspec import Struct, field

from convertro_cli.record.tally import Fate


class PendingFile(Struct):
    """A file with messages that are not settled yet.

    ``clean`` turns False when a message of it was left in doubt: then it has to be read again.
    """

    open_messages: int = 0
    ended: bool = False
    clean: bool = True


class PendingMessage(Struct, weakref=True):
    """A message with calls that are not settled yet; ``original`` has its bytes.

    ``spooled`` is its number among what waits on disk, 0 if it never did.
    """

    original: bytes
    source: str
    file: PendingFile
    open_calls: int
    tries_again: bool
    fate: Fate = Fate.REPEATED_ORDER
    reason: str | None = None
    spooled: int = 0


class PendingCall(Struct):
    """A call that is not settled yet. Times are the delivery clock's.

    ``marked`` says that the ledger has it as being sent; ``uncertain`` that an earlier request
    for it may have arrived; ``followers`` are the same call of other messages, which share its
    fate. ``order_key`` is there where an order goes out once, whichever message brings it; then
    ``heirs`` are the calls of other messages for the same order, which wait for its outcome.
    ``holds`` says that it keeps a place while it waits. Its attempts count since the outage of
    the number ``epoch``. ``settled_by`` is the run that settled it, ``order_settled_by`` the one
    that settled its order, where it is sent all the same; 0 for none.
    """

    key: bytes
    url: str
    event_type: str
    value: str
    message: PendingMessage
    attempts: int = 0
    first_started_at: float | None = None
    started_at: float = 0.0
    marked: bool = False
    uncertain: bool = False
    repeat_counted: bool = False
    holds: bool = False
    epoch: int = 0
    followers: list[PendingMessage] = field(default_factory=list)
    order_key: bytes = b""
    heirs: list[PendingCall] = field(default_factory=list)
    settled_by: int = 0
    order_settled_by: int = 0
