"""Calls on their way to a request: fresh ones and due ones in turn, each marked before it goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from convertro_cli.delivery.journal import Contested, Journal
from convertro_cli.delivery.pace import Pace
from convertro_cli.delivery.pending import PendingCall
from convertro_cli.delivery.settling import Settling
from convertro_cli.delivery.waiting import Waiting

_ENOUGH_FRESH = 1024
_ENOUGH_DUE = 96
_MARKED_AHEAD = 64
_WORTH_A_COMMIT = 96
_ASK_AGAIN_AFTER = 0.5

STARVED_FOR = 0.002
"""The seconds for which a few more answers may be waited for, to pay for a transaction."""


class LineUp:
    """Has calls marked in the journal shortly before they start, many in one transaction.

    ``marked`` are those that can start. With ``at_most_once`` what may have arrived is none of
    them: it is in doubt, and stays so.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        settling: Settling,
        waiting: Waiting,
        pace: Pace,
        at_most_once: bool,
    ) -> None:
        self.marked: deque[PendingCall] = deque()
        self._journal = journal
        self._settling = settling
        self._waiting = waiting
        self._pace = pace
        self._at_most_once = at_most_once
        self._fresh: deque[PendingCall] = deque()
        self._due: deque[PendingCall] = deque()
        self._turn_of_due = False
        self._starved_since: float | None = None

    def __len__(self) -> int:
        """How many calls could be marked and started now."""
        return len(self._fresh) + len(self._due)

    @property
    def wants_more(self) -> bool:
        """Whether more fresh calls should be offered: enough are there, and memory is bounded."""
        return len(self._fresh) < _ENOUGH_FRESH

    @property
    def room_for_due(self) -> int:
        """How many more of those that waited for their next try are to be lined up."""
        return _ENOUGH_DUE - len(self._due)

    @property
    def is_starved(self) -> bool:
        """Whether there is too little to mark to be worth a transaction yet."""
        return self._starved_since is not None

    def offer(self, calls: Iterable[PendingCall]) -> None:
        """Take in fresh calls, in order."""
        self._fresh.extend(calls)

    def line_up(self, call: PendingCall) -> None:
        """Take in a call whose next try is due."""
        if call.marked:
            self.marked.appendleft(call)
        else:
            self._due.append(call)

    def held_back(self) -> Iterator[PendingCall]:
        """Give what may have arrived, as far as it is not under way."""
        return chain(self.marked, self._due)

    def let_go(self, now: float) -> None:
        """Have the marks taken back: what was marked but never sent is in no doubt."""
        for call in self.marked:
            if not call.uncertain:
                self._journal.released(call, now)

    def commit_if_worth_it(self, now: float, *, flying: int, is_outage: bool) -> None:
        """Mark what will soon start, as far as that is worth a transaction now.

        ``flying`` requests are under way.
        """
        self.finish_commit(now)
        if self._journal.is_writing:
            return
        wanted = min(len(self), self._pace.ahead(now) - len(self.marked))
        may_mark = not is_outage or not self.marked
        takes = min(self._journal.room, wanted) if may_mark else 0
        few = len(self.marked) <= _MARKED_AHEAD
        if takes > 0 and few and self._is_worth_it(takes, now, flying):
            self._journal.begin_commit([self._next() for _ in range(takes)])
            self._starved_since = None
        elif self._journal.is_due(now) or (
            not flying and not self.marked and not self._journal.is_clean
        ):
            self._journal.begin_commit()
        self.finish_commit(now, wait=not flying and not self.marked)

    def finish_commit(self, now: float, *, wait: bool = False) -> None:
        """Take over what is marked, and what another run turned out to have."""
        self._take_marked(self._journal.finish_commit(wait=wait))
        for contested in self._journal.contested():
            self._take_back(contested, now)

    def _next(self) -> PendingCall:
        """Give a fresh call and one that is due in turn, so that neither kind waits for long."""
        self._turn_of_due = not self._turn_of_due
        if self._due and (self._turn_of_due or not self._fresh):
            return self._due.popleft()
        return self._fresh.popleft()

    def _is_worth_it(self, takes: int, now: float, flying: int) -> bool:
        """Whether to pay for a transaction now, or to wait for a few more answers first."""
        enough = min(_WORTH_A_COMMIT, len(self), self._pace.ahead(now))
        if takes >= enough or not flying:
            return True
        if self.marked:
            return False
        if self._starved_since is None:
            self._starved_since = now
        return now - self._starved_since >= STARVED_FOR

    def _take_marked(self, calls: Sequence[PendingCall]) -> None:
        if not self._at_most_once:
            self.marked.extend(calls)
            return
        for call in calls:
            if call.uncertain:
                self._settling.in_doubt(call)
            else:
                self.marked.append(call)

    def _take_back(self, contested: Contested, now: float) -> None:
        """Deal with a call that another run settled first, or is sending now.

        Whether that one is delivered, or is lost and leaves it in doubt, shows when it is asked
        for again.
        """
        call, key, settled = contested
        if settled is None:
            self._waiting.add(call, now + _ASK_AGAIN_AFTER)
        elif key == call.key:
            self._settling.settled_elsewhere(call, settled.state, now)
        else:
            for one in (call, *call.heirs):
                self._settling.order_repeated(one, now)
