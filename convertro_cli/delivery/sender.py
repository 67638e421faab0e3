"""The delivery loop: one thread that starts requests, takes their outcomes, and tries again.

Calls come in by ``offer``, are marked in the ledger, started as the pace allows, and settled by
their outcomes. What is to be tried again waits in a heap of due times. ``step`` does all that
can be done now and waits a little for what cannot.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count

from convertro_cli.delivery.clock import Clock
from convertro_cli.delivery.journal import Journal, Refusal
from convertro_cli.delivery.latency import LatencyHistogram
from convertro_cli.delivery.outage import Outage
from convertro_cli.delivery.pace import Pace
from convertro_cli.delivery.pending import PendingCall
from convertro_cli.delivery.retry import Verdict, judge, reason
from convertro_cli.delivery.settling import Settling
from convertro_cli.delivery.transport import Outcome, Transport

_ENOUGH_WAITING = 1024
_MARKED_AHEAD = 64
_WORTH_A_COMMIT = 96
_STARVED_FOR = 0.002
_SHORTEST_WAIT = 0.0005
_ONE_MORE_EVERY = 0.1
_ASK_AGAIN_AFTER = 0.5


@dataclass(frozen=True, slots=True)
class SenderOptions:
    """``max_attempts`` for one call; whether a call that may have arrived is left alone."""

    max_attempts: int
    at_most_once: bool = False


class Sender:
    """Delivers calls over a transport, and has each settled in the journal."""

    def __init__(
        self,
        *,
        transport: Transport,
        journal: Journal,
        settling: Settling,
        pace: Pace,
        outage: Outage,
        backoff: Callable[[int], float],
        clock: Clock,
        options: SenderOptions,
    ) -> None:
        self.latency = LatencyHistogram()
        self.pace = pace
        self.outage = outage
        self._transport = transport
        self._journal = journal
        self._settling = settling
        settling.offer = lambda call: self.offer([call])
        self._backoff = backoff
        self._clock = clock
        self._options = options
        self._fresh: deque[PendingCall] = deque()
        self._marked: deque[PendingCall] = deque()
        self._retries: list[tuple[float, int, PendingCall]] = []
        self._flying: dict[int, PendingCall] = {}
        self._tokens = count()
        self._held = 0
        self._one_more_at = 0.0
        self._starved_since: float | None = None
        self._good_concurrency = pace.concurrency

    @property
    def wants_more(self) -> bool:
        """Whether more calls should be offered: enough wait otherwise, and memory stays bounded."""
        return len(self._fresh) + len(self._retries) < _ENOUGH_WAITING

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return len(self._flying)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way or waits, and all is on disk."""
        busy = self._flying or self._marked or self._fresh or self._retries
        return not busy and self._journal.is_clean

    @property
    def only_waits(self) -> bool:
        """Whether all that is left waits for its next try."""
        return bool(self._retries) and not (self._flying or self._marked or self._fresh)

    @property
    def next_try(self) -> float:
        """Give the seconds until something that waits for its time is tried."""
        now = self._clock.now()
        if self.outage.is_on(now):
            return self.outage.next_probe(now)
        return max(0.0, self._retries[0][0] - now) if self._retries else 0.0

    def offer(self, calls: Iterable[PendingCall]) -> None:
        """Take in calls to deliver, in order."""
        self._fresh.extend(calls)

    def step(self, longest_wait: float) -> None:
        """Do what can be done now, then wait for outcomes, at most ``longest_wait`` seconds."""
        now = self._clock.now()
        self._take_due_retries(now)
        self._commit_if_worth_it(now)
        self._start_allowed()
        self._collect(longest_wait)

    def drain(self, longest_wait: float) -> None:
        """Start nothing more; take the outcomes of what is under way."""
        self._handle(self._transport.poll(longest_wait))

    def sync(self) -> None:
        """Put on disk all that is known, and wait until it is there."""
        now = self._clock.now()
        self._finish_commit(now, wait=True)
        while not self._journal.is_clean:
            self._journal.begin_commit()
            self._finish_commit(now, wait=True)

    def let_go(self) -> None:
        """Start nothing more, ever: what was marked but never sent is in no doubt."""
        self.sync()
        now = self._clock.now()
        for call in self._marked:
            if not call.uncertain:
                self._journal.released(call, now)
        self.sync()

    def count_in_doubt(self) -> int:
        """Count the calls that may have arrived, and whose outcome this run will not know."""
        waiting = [*self._marked, *(call for _, _, call in self._retries)]
        return len(self._flying) + sum(call.uncertain for call in waiting)

    def _take_due_retries(self, now: float) -> None:
        if self.outage.is_on(now):
            return
        while self._retries and self._retries[0][0] <= now:
            self._enqueue(heapq.heappop(self._retries)[2])
            self._held = max(0, self._held - 1)

    def _enqueue(self, call: PendingCall) -> None:
        # What was tried before goes first: its message is the oldest.
        (self._marked if call.marked else self._fresh).appendleft(call)

    def _commit_if_worth_it(self, now: float) -> None:
        self._finish_commit(now)
        if self._journal.is_writing:
            return
        wanted = min(len(self._fresh), self.pace.ahead(now) - len(self._marked))
        takes = min(self._journal.room, wanted) if self._may_mark(now) else 0
        if takes > 0 and len(self._marked) <= _MARKED_AHEAD and self._is_worth_it(takes, now):
            self._journal.begin_commit([self._fresh.popleft() for _ in range(takes)])
            self._starved_since = None
        elif self._journal.is_due(now) or (self._is_at_rest and not self._journal.is_clean):
            self._journal.begin_commit()
        self._finish_commit(now, wait=self._is_at_rest)

    def _finish_commit(self, now: float, *, wait: bool = False) -> None:
        """Take over what is marked, and what another run turned out to have."""
        self._take_marked(self._journal.finish_commit(wait=wait))
        for refusal in self._journal.refusals():
            self._take_back(refusal, now)

    def _take_marked(self, calls: Sequence[PendingCall]) -> None:
        for call in calls:
            if call.uncertain and self._options.at_most_once:
                self._settling.in_doubt(call)
            else:
                self._marked.append(call)

    def _take_back(self, refusal: Refusal, now: float) -> None:
        """Deal with a call that another run settled first, or is sending now.

        Whether that one is delivered, or is lost and leaves it in doubt, shows when it is asked
        for again.
        """
        call, key, settled = refusal
        if settled is None:
            due = now + _ASK_AGAIN_AFTER
            heapq.heappush(self._retries, (due, next(self._tokens), call))
        elif key == call.key:
            self._settling.settled_elsewhere(call, settled.state, now)
        else:
            for one in (call, *call.heirs):
                self._settling.order_repeated(one, now)

    @property
    def _is_at_rest(self) -> bool:
        """Whether nothing is under way or could be; between two requests in turn, it could."""
        return not (self._flying or self._marked)

    def _may_mark(self, now: float) -> bool:
        return not self.outage.is_on(now) or not self._marked

    def _is_worth_it(self, takes: int, now: float) -> bool:
        """Whether to pay for a transaction now, or to wait for a few more answers first."""
        enough = min(_WORTH_A_COMMIT, len(self._fresh), self.pace.ahead(now))
        if takes >= enough or not self._flying:
            return True
        if self._marked:
            return False
        if self._starved_since is None:
            self._starved_since = now
        return now - self._starved_since >= _STARVED_FOR

    def _start_allowed(self) -> None:
        now = self._clock.now()
        if not self._journal.may_send:
            return
        if self.outage.is_on(now):
            self._probe(now)
            return
        allowed = min(len(self._marked), self._allowance(now))
        for _ in range(allowed):
            self._start(self._marked.popleft(), now)
        self.pace.started(allowed, now)

    def _allowance(self, now: float) -> int:
        """Give how many requests may start now.

        While nothing succeeds, a call that failed keeps its place until its next try, so that a
        server that is down is not asked by one call after the other. It may be those calls' own
        fault, though: now and then another one has a try.
        """
        allowed = self.pace.allowance(len(self._flying) + self._held, now)
        if allowed or not self._held or now < self._one_more_at:
            return allowed
        self._one_more_at = now + _ONE_MORE_EVERY
        return min(1, self.pace.allowance(len(self._flying), now))

    def _probe(self, now: float) -> None:
        """During an outage, let a single request try whether it is over."""
        if self._flying or self.outage.next_probe(now) > 0:
            return
        if not self._marked and self._retries:
            self._enqueue(heapq.heappop(self._retries)[2])
            if not self._marked:
                self._commit_if_worth_it(now)
        if self._marked:
            self._start(self._marked.popleft(), now)
            self.pace.started(1, now)

    def _start(self, call: PendingCall, now: float) -> None:
        if call.uncertain and not call.repeat_counted:
            call.repeat_counted = True
            self._settling.tally.calls["possibly_repeated"] += 1
        call.attempts += 1
        call.started_at = now
        if call.first_started_at is None:
            call.first_started_at = now
        self._settling.tally.calls["attempts"] += 1
        token = next(self._tokens)
        self._flying[token] = call
        self._transport.start(token, call.url)

    def _collect(self, longest_wait: float) -> None:
        wait = self._wait(longest_wait)
        if self._flying:
            self._handle(self._transport.poll(wait))
        elif wait > 0 and not self.is_idle:
            self._clock.sleep(wait)

    def _wait(self, longest: float) -> float:
        now = self._clock.now()
        waits = [longest]
        if self.outage.is_on(now):
            if not self._flying:
                waits.append(self.outage.next_probe(now))
            return max(_SHORTEST_WAIT, min(waits))
        if self._retries:
            waits.append(self._retries[0][0] - now)
        if self._marked and len(self._flying) < self.pace.concurrency and self._journal.may_send:
            waits.append(max(self.pace.wait(now), self._one_more_at - now if self._held else 0.0))
        if self._starved_since is not None or self._journal.is_writing:
            waits.append(_STARVED_FOR)
        return max(_SHORTEST_WAIT, min(waits))

    def _handle(self, outcomes: list[Outcome]) -> None:
        now = self._clock.now()
        answered, latest_start = 0, 0.0
        for outcome in outcomes:
            call = self._flying.pop(outcome.token)
            if outcome.status is not None:
                self.latency.add(outcome.elapsed)
            verdict = judge(outcome)
            if verdict is Verdict.RETRY:
                self._retry(call, outcome, now)
                continue
            answered += 1
            latest_start = max(latest_start, call.started_at)
            if verdict is Verdict.DELIVERED:
                self._settling.delivered(call, now)
            else:
                self._settling.failed(call, reason(outcome), now)
        if answered:
            self._held = 0
            self.pace.good(answered, now)
            if self.outage.succeeded(now, latest_start):
                self._resume()

    def _resume(self) -> None:
        """Take up the work where it was before an outage, which is no event's fault."""
        self.pace.resume(self._good_concurrency // 2)
        for call in self._left():
            call.attempts = 0
            call.first_started_at = None

    def _retry(self, call: PendingCall, outcome: Outcome, now: float) -> None:
        why = reason(outcome)
        if not self.outage.is_failing:
            self._good_concurrency = self.pace.concurrency
        self.outage.failed(now, why, outcome.retry_after)
        if outcome.status in {429, 503} or outcome.fault == "timeout":
            self.pace.overloaded(call.started_at, now, too_many=outcome.status == 429)
        if outcome.maybe_received:
            call.uncertain = True
            if self._options.at_most_once:
                self._settling.in_doubt(call)
                self._held += 1  # it has no next try, but others must not be lost in its place
                return
        if call.attempts >= self._options.max_attempts and self._is_events_own(call, why, now):
            self._settling.failed(call, why, now)
            return
        if not call.uncertain:
            self._journal.released(call, now)
        delay = max(self._backoff(max(1, call.attempts)), outcome.retry_after or 0.0)
        heapq.heappush(self._retries, (now + delay, outcome.token, call))
        self._held += 1

    def _is_events_own(self, call: PendingCall, why: str, now: float) -> bool:
        """Whether a failure is the event's own, and not that of an outage.

        It is when requests succeeded that were started after the call's first; during an outage,
        only if that holds for every call left. And it is when this is the only call left and the
        answer is 500, which speaks of the request, where 502, 503 and 504 speak of the server.
        """
        if self._is_suspect(call):
            return not self.outage.is_on(now) or all(map(self._is_suspect, self._left()))
        alone = next(self._left(), None) is None and not self._journal.is_writing
        return alone and why == "http_500"

    def _is_suspect(self, call: PendingCall) -> bool:
        """Whether others succeeded since this call was tried."""
        first = call.first_started_at
        return first is not None and self.outage.had_success_since(first)

    def _left(self) -> Iterator[PendingCall]:
        """Give the calls that are not settled, whatever they wait for."""
        waiting = (call for _, _, call in self._retries)
        return chain(self._flying.values(), self._marked, self._fresh, waiting)
