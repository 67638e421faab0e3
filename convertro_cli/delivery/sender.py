"""The delivery loop: one thread that starts requests, takes their outcomes, and tries again.

Calls come in by ``offer``, are lined up and marked in the ledger, started as the pace allows, and
settled by their outcomes. What is to be tried again waits for its time beside the fresh calls, and
takes no room from them. ``step`` does all that can be done now and waits a little for what cannot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain, count

from msgspec import Struct

from convertro_cli.delivery.answers import Success, read_answer
from convertro_cli.delivery.blame import Blame
from convertro_cli.delivery.clock import LONGEST_LOOK, Clock
from convertro_cli.delivery.journal import Journal
from convertro_cli.delivery.latency import LatencyHistogram
from convertro_cli.delivery.line_up import STARVED_FOR, LineUp
from convertro_cli.delivery.outage import Outage
from convertro_cli.delivery.pace import Pace
from convertro_cli.delivery.pending import PendingCall
from convertro_cli.delivery.refusals import Refusals
from convertro_cli.delivery.retry import Verdict, judge, reason
from convertro_cli.delivery.settling import Settling
from convertro_cli.delivery.transport import RequestOutcome, Transport
from convertro_cli.delivery.waiting import Waiting

_SHORTEST_WAIT = 0.0005
_ONE_MORE_EVERY = 0.1


class SenderOptions(Struct, frozen=True):
    """``max_attempts`` for one call; whether a call that may have arrived is left alone.

    ``success`` says which answers count as delivered.
    """

    max_attempts: int
    at_most_once: bool = False
    success: Success = "not-html"


Watch = Callable[[PendingCall, RequestOutcome, Verdict], object]
"""Is told of each request that has ended, before its call is settled."""


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
        refusals: Refusals,
        waiting: Waiting,
        backoff: Callable[[int], float],
        clock: Clock,
        options: SenderOptions,
        watch: Watch | None = None,
    ) -> None:
        self.latency = LatencyHistogram()
        self.retries: Counter[str] = Counter()
        self.pace = pace
        self.outage = outage
        self._blame = Blame(outage, pace)
        self._refusals = refusals
        self._waiting = waiting
        self._transport = transport
        self._journal = journal
        self._settling = settling
        settling.offer = lambda call: self.offer([call])
        self._backoff = backoff
        self._clock = clock
        self._options = options
        self._watch = watch
        self._line = LineUp(
            journal=journal,
            settling=settling,
            waiting=waiting,
            pace=pace,
            at_most_once=options.at_most_once,
        )
        self._flying: dict[int, PendingCall] = {}
        self._tokens = count()
        self._held = 0
        self._epoch = 0
        self._looked_at = clock.now()
        self._one_more_at = 0.0
        self._good_concurrency = pace.concurrency

    @property
    def wants_more(self) -> bool:
        """Whether more calls should be offered: enough are there, and memory stays bounded."""
        return self._line.wants_more

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return len(self._flying)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way or waits, and all is on disk."""
        return self._is_at_rest and not self._line and not self._waiting and self._journal.is_clean

    @property
    def only_waits(self) -> bool:
        """Whether all that is left waits for its next try."""
        return bool(self._waiting) and self._is_at_rest and not self._line

    @property
    def next_try(self) -> float:
        """Give the seconds until something that waits for its time is tried."""
        now = self._clock.now()
        if self.outage.is_on(now):
            return self.outage.next_probe(now)
        due = self._waiting.next_due
        return max(0.0, due - now) if due is not None else 0.0

    def offer(self, calls: Iterable[PendingCall]) -> None:
        """Take in calls to deliver, in order."""
        self._line.offer(calls)

    def step(self, longest_wait: float) -> None:
        """Do what can be done now, then wait for outcomes, at most ``longest_wait`` seconds."""
        now = self._clock.now()
        if (asleep := now - self._looked_at) > LONGEST_LOOK + longest_wait:
            self.outage.slept(asleep)
        self._looked_at = now
        self._take_due_retries(now)
        self._mark(now)
        self._start_allowed()
        self._collect(longest_wait)

    def drain(self, longest_wait: float) -> None:
        """Start nothing more; take the outcomes of what is under way."""
        self._handle(self._transport.poll(longest_wait))

    def sync(self) -> None:
        """Put on disk all that is known, and wait until it is there."""
        now = self._clock.now()
        self._line.finish_commit(now, wait=True)
        while not self._journal.is_clean:
            self._journal.begin_commit()
            self._line.finish_commit(now, wait=True)

    def let_go(self) -> None:
        """Start nothing more, ever: what was marked but never sent is in no doubt."""
        self.sync()
        self._line.let_go(self._clock.now())
        self.sync()

    def count_in_doubt(self) -> int:
        """Count the calls that may have arrived, and whose outcome this run will not know."""
        calls = chain(self._line.held_back(), self._waiting.in_memory)
        waiting = sum(call.uncertain for call in calls)
        return len(self._flying) + waiting + self._refusals.uncertain

    def _take_due_retries(self, now: float) -> None:
        if self.outage.is_on(now):
            return
        for call in self._waiting.take(now, self._line.room_for_due):
            self._line_up(call)

    def _line_up(self, call: PendingCall) -> None:
        if call.holds:
            call.holds = False
            self._held = max(0, self._held - 1)
        self._line.line_up(call)

    def _mark(self, now: float) -> None:
        is_outage = self.outage.is_on(now)
        self._line.commit_if_worth_it(now, flying=len(self._flying), is_outage=is_outage)

    @property
    def _is_at_rest(self) -> bool:
        """Whether nothing is under way or could be; between two requests in turn, it could."""
        return not (self._flying or self._line.marked)

    @property
    def _is_alone(self) -> bool:
        """Whether a call whose outcome was just taken is the only one left."""
        is_last = self._is_at_rest and not self._line and not self._waiting
        return is_last and not self._journal.is_writing

    def _start_allowed(self) -> None:
        now = self._clock.now()
        if not self._journal.may_send:
            return
        if self.outage.is_on(now):
            self._probe(now)
            return
        allowed = min(len(self._line.marked), self._allowance(now))
        for _ in range(allowed):
            self._start(self._line.marked.popleft(), now)
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
        if not self._line.marked and not self._line:
            for call in self._waiting.take(float("inf"), 1):
                self._line_up(call)
            if not self._line.marked:
                self._mark(now)
        if self._line.marked:
            self._start(self._line.marked.popleft(), now)
            self.pace.started(1, now)

    def _start(self, call: PendingCall, now: float) -> None:
        if call.uncertain and not call.repeat_counted:
            call.repeat_counted = True
            self._settling.tally.calls["possibly_repeated"] += 1
        self._renew(call)
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
        if (due := self._waiting.next_due) is not None and self._line.room_for_due > 0:
            waits.append(due - now)
        if (
            self._line.marked
            and len(self._flying) < self.pace.concurrency
            and self._journal.may_send
        ):
            waits.append(max(self.pace.wait(now), self._one_more_at - now if self._held else 0.0))
        if self._line.is_starved or self._journal.is_writing:
            waits.append(STARVED_FOR)
        return max(_SHORTEST_WAIT, min(waits))

    def _handle(self, outcomes: list[RequestOutcome]) -> None:
        now = self._clock.now()
        answered: list[float] = []
        signs: list[tuple[float, str]] = []
        fresh = 0
        for outcome in outcomes:
            call = self._flying.pop(outcome.token)
            if outcome.status is not None:
                self.latency.add(outcome.elapsed)
            verdict = self._judge(call, outcome)
            if verdict is Verdict.RETRY:
                if self._blame.speaks_of_load(call, outcome):
                    signs.append((call.started_at, _in_short(outcome)))
                self._retry(call, outcome, now)
                continue
            answered.append(call.started_at)
            fresh += call.attempts == 1
            if verdict is Verdict.DELIVERED:
                self._refusals.settle(now)
                self._settling.delivered(call, now)
            elif (answer := read_answer(outcome)) is not None:
                self._refusals.refused(call, reason(outcome), answer, now)
        if answered or signs:
            self.pace.answered(answered, signs, now)
        if answered:
            self._held = 0
            if self.outage.succeeded(now, max(answered), fresh):
                self._resume()

    def _judge(self, call: PendingCall, outcome: RequestOutcome) -> Verdict:
        verdict = judge(outcome, self._options.success)
        if self._watch is not None:
            self._watch(call, outcome, verdict)
        return verdict

    def _resume(self) -> None:
        """Take up the work where it was before an outage, which is no event's fault."""
        self.pace.resume(self._good_concurrency // 2)
        self._epoch += 1

    def _renew(self, call: PendingCall) -> None:
        """Forget the attempts from before the last outage."""
        if call.epoch != self._epoch:
            call.epoch = self._epoch
            call.attempts = 0
            call.first_started_at = None

    def _retry(self, call: PendingCall, outcome: RequestOutcome, now: float) -> None:
        why = reason(outcome)
        fresh = call.attempts == 1
        self._renew(call)
        is_suspect = self._blame.is_suspect(call)
        self.retries[_in_short(outcome)] += 1
        if not self.outage.is_failing:
            self._good_concurrency = self.pace.concurrency
        self.outage.failed(now, why, outcome.retry_after, fresh=fresh and not is_suspect)
        if outcome.maybe_received:
            call.uncertain = True
            if self._options.at_most_once:
                self._settling.in_doubt(call)
                self._held += 1  # it has no next try, but others must not be lost in its place
                return
        if call.attempts >= self._options.max_attempts and self._blame.is_events_own(
            call, why, now, is_alone=self._is_alone
        ):
            self._settling.failed(call, why, now, answer=read_answer(outcome))
            return
        if not call.uncertain:
            self._journal.released(call, now)
        delay = max(self._backoff(self._blame.telling_failures(call)), outcome.retry_after or 0.0)
        call.holds = not is_suspect
        self._held += call.holds
        self._waiting.add(call, now + delay)


def _in_short(outcome: RequestOutcome) -> str:
    """Name a failure as the progress shows it: ``503``, ``timeout``, ``connection lost``, …"""
    return str(outcome.status) if outcome.status is not None else reason(outcome).replace("_", " ")
