"""The replay: joins the four rooms. Reads, maps, delivers and records, and returns a report."""

from __future__ import annotations

from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from random import Random

import orjson

from convertro_cli.delivery.clock import Clock, MonotonicClock
from convertro_cli.delivery.intake import Intake, IntakeOptions
from convertro_cli.delivery.journal import Journal
from convertro_cli.delivery.outage import Outage
from convertro_cli.delivery.pace import Pace
from convertro_cli.delivery.retry import full_jitter
from convertro_cli.delivery.sender import Sender, SenderOptions
from convertro_cli.delivery.settling import Settling
from convertro_cli.delivery.transport import Transport, TransportOptions
from convertro_cli.delivery.transports import open_transport
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.mapping.jobs import ReplayJob
from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.sources import ExportSet
from convertro_cli.record.dead_letters import DeadLetterFile
from convertro_cli.record.forgetting import forget_suppressed
from convertro_cli.record.ledger import Ledger
from convertro_cli.record.state import RunLock, StateFolder
from convertro_cli.record.tally import Tally
from convertro_cli.run.files import RunFiles
from convertro_cli.run.input import RunInput, choose_workers
from convertro_cli.run.interrupts import Interrupts
from convertro_cli.run.plan import Plan, ReplayOptions
from convertro_cli.run.progress import Progress, Watcher
from convertro_cli.run.report import Report
from convertro_cli.settings.load import LoadedSettings

DRAIN_SECONDS = 10.0
"""How long an interrupted run waits for the requests that are under way."""

_TICK = 0.1
_WORTH_TELLING = 5.0


def replay(
    loaded: LoadedSettings,
    arguments: Sequence[str],
    *,
    selection: Selection,
    options: ReplayOptions,
    watcher: Watcher,
) -> Report:
    """Replay exports to Convertro.

    Raises ConvertroError for what stops a run before it starts. What stops it later stands in
    the report, with the counts so far.
    """
    state = StateFolder(loaded.state_folder)
    state.create()
    with ExitStack() as opened:
        opened.enter_context(RunLock(state.lock, options.command))
        ledger = opened.enter_context(Ledger(state.ledger))
        interrupts = opened.enter_context(Interrupts())
        plan = Plan(loaded, state, ledger, selection, options)
        exports = plan.find(arguments)
        run = _Run(loaded, state, ledger, plan, exports, interrupts, watcher)
        report = run.carry_out()
        if plan.rules.suppressed is not None:
            _forget(state, ledger, plan.rules.suppressed, report)
        return report


def _forget(state: StateFolder, ledger: Ledger, suppressed: Container[str], report: Report) -> None:
    """Leave nothing of suppressed users in the dead letters, of this run or of those before."""
    try:
        removed = sum(each.removed for each in forget_suppressed(state, ledger, suppressed))
    except ConvertroError as error:
        if report.problem is None:
            report.problem, report.exit_code = error.message, error.exit_code
        return
    if removed:
        report.advice.append(f"Dead letters of suppressed users, removed for good: {removed:,}.")


class _Run:
    """One replay, from its first batch to its report."""

    def __init__(
        self,
        loaded: LoadedSettings,
        state: StateFolder,
        ledger: Ledger,
        plan: Plan,
        exports: ExportSet,
        interrupts: Interrupts,
        watcher: Watcher,
    ) -> None:
        self._loaded = loaded
        self._state = state
        self._ledger = ledger
        self._plan = plan
        self._exports = exports
        self._interrupts = interrupts
        self._watcher = watcher
        self._clock: Clock = MonotonicClock()
        self._tally = Tally()
        self._files = RunFiles(self._tally, watcher.notice, exports)
        self._progress = Progress(self._tally, exports.total_bytes)
        self._problem: ConvertroError | None = None

    def carry_out(self) -> Report:
        """Do it all, and report."""
        started = self._clock.now()
        run, in_doubt = self._ledger.begin_run(self._loaded.settings.wire.base_url)
        letters = DeadLetterFile(self._state.dead_letters)
        transport = self._open_transport()
        with ThreadPoolExecutor(1, "ledger") as writer, closing(letters), closing(transport):
            journal = Journal(self._ledger, letters, run, writer=writer, in_doubt=in_doubt)
            settling = Settling(journal=journal, dead_letters=letters, tally=self._tally)
            sender = self._sender(transport, journal, settling)
            options = self._plan.options
            intake = Intake(
                journal=journal,
                settling=settling,
                dead_letters=letters,
                options=IntakeOptions(options.resend, options.at_most_once),
            )
            try:
                self._deliver(intake, sender, journal)
            except ConvertroError as error:
                self._problem = error
            try:  # whatever it was: what is under way may still be answered, and noted
                self._end(sender, journal)
            except ConvertroError as error:
                self._problem = self._problem or error
            self._tally.calls["in_doubt"] += sender.count_in_doubt()
        return self._report(run, started, sender, transport.name)

    def _open_transport(self) -> Transport:
        delivery = self._loaded.settings.delivery
        fixed = delivery.concurrency
        connections = fixed if isinstance(fixed, int) else delivery.max_concurrency
        return open_transport(
            delivery.transport,
            TransportOptions(delivery.timeout, connections, self._loaded.ca_bundle),
        )

    def _sender(self, transport: Transport, journal: Journal, settling: Settling) -> Sender:
        delivery = self._loaded.settings.delivery
        fixed = delivery.concurrency
        return Sender(
            transport=transport,
            journal=journal,
            settling=settling,
            pace=Pace(
                fixed=fixed if isinstance(fixed, int) else None,
                most=delivery.max_concurrency,
                rate_limit=delivery.rate_limit,
                now=self._clock.now(),
            ),
            outage=Outage(delivery.outage_timeout),
            backoff=full_jitter(Random()),
            clock=self._clock,
            options=SenderOptions(delivery.max_attempts, self._plan.options.at_most_once),
        )

    def _deliver(self, intake: Intake, sender: Sender, journal: Journal) -> None:
        """Take in and deliver until all is done, or something ends it."""
        options = self._plan.options
        job = ReplayJob(self._plan.rules, options.limit)
        workers = choose_workers(options.workers, self._exports.total_bytes, options.limit)
        with RunInput(self._exports.files, job, workers=workers) as batches:
            wanted = True
            while not self._interrupts.stop_requested:
                taken = None
                if wanted and sender.wants_more and not batches.is_finished:
                    taken = batches.take(_TICK if sender.is_idle else 0)
                if taken is not None:
                    batch, mapped = taken
                    file = self._files.follow(batch)
                    sender.offer(intake.take(batch, mapped, file, self._clock.now()))
                    wanted = not mapped.exhausted
                sender.step(_TICK)
                self._finish_files(sender, journal)
                self._show(sender)
                if self._is_given_up(sender):
                    return
                if sender.is_idle and (batches.is_finished or not wanted):
                    return

    def _end(self, sender: Sender, journal: Journal) -> None:
        """Let what is under way come to its end, and put all that is known on disk."""
        until = self._clock.now() + DRAIN_SECONDS
        while sender.in_flight and self._clock.now() < until and not self._interrupts.stop_at_once:
            sender.drain(_TICK)
            self._show(sender)
        sender.let_go()
        self._finish_files(sender, journal)

    def _finish_files(self, sender: Sender, journal: Journal) -> None:
        if not self._files.any_completed:
            return
        sender.sync()  # a file is done only when all that is known of its calls is on disk
        for identity in self._files.completed():
            if self._plan.takes_whole_files:
                digest = self._plan.digest_for(identity.path)
                self._ledger.finish_file(journal.run, identity, digest)

    def _is_given_up(self, sender: Sender) -> bool:
        now = self._clock.now()
        if not sender.outage.is_given_up(now):
            return False
        self._problem = ConvertroError(
            f"Convertro stayed unreachable for {sender.outage.length(now):.0f} s "
            f"at {self._loaded.settings.wire.base_url} ({sender.outage.reason}).",
            hint="Nothing is lost: run the same command again later. If it recurs, look at "
            "wire.base_url, the proxy and the certificates.",
            exit_code=ExitCode.TRY_LATER,
        )
        return True

    def _show(self, sender: Sender) -> None:
        now = self._clock.now()
        progress = self._progress
        progress.in_flight = sender.in_flight
        progress.concurrency = sender.pace.concurrency
        progress.rate = sender.pace.rate(now)
        progress.trouble = None
        if sender.outage.is_on(now):
            progress.trouble = (
                f"Convertro unreachable for {sender.outage.length(now):.0f} s "
                f"({sender.outage.reason}), next try in {sender.next_try:.0f} s"
            )
        elif sender.only_waits and (wait := sender.next_try) >= _WORTH_TELLING:
            progress.trouble = f"all that is left waits for its next try, in {wait:.0f} s"
        if self._interrupts.stop_requested:
            progress.trouble = f"stopping: waiting for {sender.in_flight} requests under way"
        self._watcher.tick(progress)

    def _report(self, run: int, started: float, sender: Sender, transport: str) -> Report:
        report = Report(
            self._tally,
            dry_run=False,
            exit_code=self._exit_code(),
            elapsed_s=self._clock.now() - started,
            transport=transport,
            interrupted=self._interrupts.exit_code is not None,
            problem=self._problem.message if self._problem else None,
            latency_p50_s=sender.latency.percentile(0.5),
            latency_p95_s=sender.latency.percentile(0.95),
        )
        if self._problem and self._problem.hint:
            report.advice.append(self._problem.hint)
        try:
            self._ledger.end_run(run, orjson.dumps(report.as_json()))
        except ConvertroError as error:
            if self._problem is None:
                report.problem, report.exit_code = error.message, error.exit_code
        return report

    def _exit_code(self) -> ExitCode:
        if self._problem is not None:
            return self._problem.exit_code
        if self._interrupts.exit_code is not None:
            return self._interrupts.exit_code
        if self._tally.files["damaged"]:
            return ExitCode.UNREADABLE_EXPORT
        messages = self._tally.messages
        if messages["failed"] or messages["invalid"] or self._tally.calls["in_doubt"]:
            return ExitCode.SOME_FAILED
        return ExitCode.OK
