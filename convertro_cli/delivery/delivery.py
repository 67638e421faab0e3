"""The face of this room: takes mapped batches, and has every call in them delivered and noted.

Whoever delivers gives it a transport and a ledger, hands it batches while it wants more, and lets
it step until it is idle. Everything else of the room stands behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from msgspec import Struct

from convertro_cli.delivery import endings
from convertro_cli.delivery.answers import Success
from convertro_cli.delivery.canary import Canary, CanaryOptions
from convertro_cli.delivery.clock import Clock, MonotonicClock
from convertro_cli.delivery.intake import Intake, IntakeOptions
from convertro_cli.delivery.journal import Journal
from convertro_cli.delivery.latency import LatencyHistogram
from convertro_cli.delivery.outage import Outage
from convertro_cli.delivery.pace import Pace
from convertro_cli.delivery.pending import PendingCall, PendingFile
from convertro_cli.delivery.refusals import Refusals
from convertro_cli.delivery.retry import full_jitter
from convertro_cli.delivery.sender import Sender, SenderOptions
from convertro_cli.delivery.settling import Settling
from convertro_cli.delivery.spool import Spool
from convertro_cli.delivery.transport import Transport
from convertro_cli.delivery.waiting import Waiting
from convertro_cli.mapping.jobs import MappedBatch
from convertro_cli.reading.batch import LineBatch
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record.dead_letters import DeadLetters
from convertro_cli.record.ledger import Ledger
from convertro_cli.record.tally import Tally


class DeliveryOptions(Struct, frozen=True, kw_only=True):
    """How to deliver; times are in seconds, rates in calls a second.

    ``concurrency`` is None for as many requests at once as prove good, up to
    ``max_concurrency``. ``waits_for_start``: a port where nothing ever answered is waited for as
    long as for any outage. ``resend``: what earlier runs did does not count. ``at_most_once``: a
    call that may have arrived is left alone. ``success`` says which answers count as delivered;
    after ``stop_after_refusals`` of one kind in a row the delivery stops (0: never). With a
    ``canary`` calls go one by one, and only so many.
    """

    target: str
    account: str = ""
    site_id: str = ""
    concurrency: int | None = None
    max_concurrency: int = 256
    rate_limit: float | None = None
    max_attempts: int = 8
    outage_timeout: float = 900.0
    waits_for_start: bool = True
    resend: bool = False
    at_most_once: bool = False
    success: Success = "not-html"
    stop_after_refusals: int = 100
    canary: CanaryOptions | None = None


class DeliveryState(Struct, frozen=True):
    """Where a delivery is, for whoever shows it. Times are in seconds, from now.

    ``rate`` is the most calls a second that may start, None for no limit. ``outage`` is how long
    everything has failed, None if not everything does, and ``reason`` why. ``only_waits`` says
    that all that is left waits for its next try. ``retries`` counts what was to be tried again, by
    why; ``held_back_by`` is what keeps the pace down, empty if nothing does.
    """

    in_flight: int
    concurrency: int
    rate: float | None
    outage: float | None
    reason: str
    only_waits: bool
    next_try: float
    retries: Mapping[str, int]
    held_back_by: str
    patience: float = 0.0
    """How much longer an outage is waited for."""


class Delivery:
    """Delivers calls over a transport, and notes in the ledger what becomes of each.

    ``run`` is its number in the ledger, ``open_calls`` are the unsettled calls in memory.
    ``writer`` carries out the ledger's commits, one at a time. In ``spool_folder`` is what waits
    for another try and is too much for memory. ``before_commit`` is called before each commit.
    """

    def __init__(
        self,
        options: DeliveryOptions,
        *,
        transport: Transport,
        ledger: Ledger,
        dead_letters: DeadLetters,
        writer: Executor,
        spool_folder: Path,
        tally: Tally,
        clock: Clock | None = None,
        backoff: Callable[[int], float] | None = None,
        before_commit: Callable[[], None] | None = None,
    ) -> None:
        self._options = options
        self._clock = clock or MonotonicClock()
        self._tally = tally
        self.transport = transport.name
        self.run, in_doubt = ledger.begin_run(
            options.target, account=options.account, site_id=options.site_id
        )
        self.outage = Outage(options.outage_timeout, waits_for_start=options.waits_for_start)
        self.pace = Pace(
            fixed=options.concurrency if options.canary is None else 1,
            most=options.max_concurrency,
            rate_limit=options.rate_limit,
            now=self._clock.now(),
            shared=ledger.share_rate(options.rate_limit) if options.rate_limit else None,
        )
        journal = Journal(
            ledger,
            dead_letters,
            self.run,
            writer=writer,
            in_doubt=in_doubt,
            before_commit=before_commit,
        )
        self._journal = journal
        self.open_calls: dict[bytes, PendingCall] = {}
        self._spool = Spool(spool_folder)
        settling = Settling(
            journal=journal,
            dead_letters=dead_letters,
            tally=tally,
            spool=self._spool,
            open_calls=self.open_calls,
        )
        self._refusals = Refusals(
            journal=journal, settling=settling, stop_after=options.stop_after_refusals
        )
        self.canary = Canary(options.canary, self._offer) if options.canary is not None else None
        self._sender = Sender(
            transport=transport,
            journal=journal,
            settling=settling,
            pace=self.pace,
            outage=self.outage,
            refusals=self._refusals,
            waiting=Waiting(self._spool, self.open_calls),
            backoff=backoff or full_jitter(Random()),
            clock=self._clock,
            options=SenderOptions(options.max_attempts, options.at_most_once, options.success),
            watch=self.canary.show if self.canary is not None else None,
        )
        if self.canary is not None:
            settling.offer = self.canary.offer_next
        self._intake = Intake(
            journal=journal,
            settling=settling,
            dead_letters=dead_letters,
            options=IntakeOptions(options.resend, options.at_most_once),
            spool=self._spool,
            open_calls=self.open_calls,
        )
        ledger.while_away(self._pass_time)

    @property
    def wants_more(self) -> bool:
        """Whether another batch should be given: enough waits otherwise."""
        if self.canary is not None:
            return self.canary.wants_more
        return self._sender.wants_more

    @property
    def is_over(self) -> bool:
        """Whether no more is to be begun, whatever is left: a canary has had its calls."""
        return self.canary is not None and self.canary.is_over

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way or waits, and all that is known is on disk."""
        return self._sender.is_idle and not (self.canary is not None and self.canary.has_next)

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return self._sender.in_flight

    @property
    def latency(self) -> LatencyHistogram:
        """How long the answers took."""
        return self._sender.latency

    def take(self, batch: LineBatch, mapped: MappedBatch, files: Sequence[PendingFile]) -> None:
        """Take in a batch: count what it settles by itself, and line up its calls.

        ``files`` has the file of each batch that this one was joined of.
        """
        calls = self._intake.take(batch, mapped, files, self._clock.now())
        if self.canary is not None:
            self.canary.offer(calls)
        else:
            self._offer(calls)

    def step(self, longest_wait: float) -> None:
        """Do what can be done now, then wait for answers, at most ``longest_wait`` seconds.

        Raises ConvertroError with exit code 75 where it makes no sense to go on now, and with 74
        where the ledger or the dead letters cannot be written.
        """
        if self.canary is not None and (self._sender.is_idle or self._sender.only_waits):
            self.canary.go_on()
        self._sender.step(longest_wait)
        now = self._clock.now()
        if self._refusals.has_stopped and self._refusals.latest is not None:
            raise endings.refused(self._refusals.latest, self._refusals.in_a_row)
        if self.outage.next_probe(now) > self._options.outage_timeout and self.outage.is_on(now):
            raise endings.asked_to_wait(
                self._options.target, self.outage.next_probe(now), datetime.now(UTC)
            )
        if self.outage.is_given_up(now):
            raise endings.unreachable(
                self._options.target, self.outage.length(now), self.outage.reason
            )
        wait = self._sender.next_try
        if wait > self._options.outage_timeout and self._sender.only_waits:
            raise endings.asked_to_wait(self._options.target, wait, datetime.now(UTC))

    def _offer(self, calls: Iterable[PendingCall]) -> None:
        self._sender.offer(calls)

    def _pass_time(self, seconds: float) -> None:
        """Wait for something else; what is answered meanwhile is taken."""
        if self._sender.in_flight:
            self._sender.drain(seconds)
        else:
            self._clock.sleep(seconds)

    def drain(self, longest_wait: float) -> None:
        """Start nothing more; wait so long for what is under way."""
        self._sender.drain(longest_wait)

    def finish_file(self, identity: FileIdentity, settings: bytes) -> None:
        """Note that a file was replayed to its end, now that all its calls are settled."""
        self._journal.finished((identity, settings), self._clock.now())

    def sync(self) -> None:
        """Put on disk all that is known, and wait until it is there."""
        self._sender.sync()

    def finish(self) -> None:
        """Settle what is held back, at the end of all input.

        Refusals that were too few to stop for are dead letters then.
        """
        self._refusals.settle(self._clock.now())
        self._sender.sync()

    def end(self) -> None:
        """Let go of all that is not settled: only what may have arrived stays in doubt."""
        self._sender.let_go()
        self._spool.close()

    def refused_all(self) -> str | None:
        """Say what the other side said, if it refused all that it answered; None if not."""
        answer = self._refusals.latest
        if answer is None or self._tally.calls["delivered"] or self._refusals.has_stopped:
            return None
        return f"Nothing was delivered: {endings.said(answer)} {endings.advice(answer)}"

    def count_in_doubt(self) -> int:
        """Count the calls that may have arrived, and whose outcome this run will not know."""
        return self._sender.count_in_doubt()

    def count_unwritten(self) -> int:
        """Count the calls, at most, that were delivered though the ledger could not note it."""
        return self._journal.unwritten

    def state(self) -> DeliveryState:
        """Say where the delivery is."""
        now = self._clock.now()
        return DeliveryState(
            in_flight=self._sender.in_flight,
            concurrency=self.pace.concurrency,
            rate=self.pace.rate(now),
            outage=self.outage.length(now) if self.outage.is_on(now) else None,
            reason=self.outage.reason,
            only_waits=self._sender.only_waits,
            next_try=self._sender.next_try,
            retries=self._sender.retries,
            held_back_by=self.pace.held_back_by(now),
            patience=max(0.0, self.outage.patience(now)),
        )
