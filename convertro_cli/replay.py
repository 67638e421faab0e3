"""The replay: joins the four rooms. Reads, maps, delivers and records, and returns a report."""

from __future__ import annotations

import time
from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import orjson

from convertro_cli.delivery.delivery import Delivery
from convertro_cli.delivery.transports import open_transport
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.mapping.jobs import MappedBatch, ReplayJob
from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.sources import ExportSet
from convertro_cli.record.dead_letters import DeadLetterFile
from convertro_cli.record.earlier_runs import SETTINGS
from convertro_cli.record.forgetting import forget_suppressed
from convertro_cli.record.ledger import Ledger
from convertro_cli.record.state import RunLock, StateFolder
from convertro_cli.record.tally import Tally
from convertro_cli.run.files import RunFiles
from convertro_cli.run.input import RunInput, choose_workers
from convertro_cli.run.interrupts import Interrupts
from convertro_cli.run.options import delivery_options, transport_options
from convertro_cli.run.plan import Plan, ReplayOptions
from convertro_cli.run.progress import Progress, Watcher
from convertro_cli.run.report import CanaryReport, Report
from convertro_cli.settings.load import LoadedSettings

DRAIN_SECONDS = 10.0
"""How long an interrupted run waits for the requests that are under way."""

_TICK = 0.1
_MOST_AT_A_STEP = 64  # small batches: the answers must not wait for all of them


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
        lock = opened.enter_context(RunLock(state.lock, options.command))
        ledger = opened.enter_context(Ledger(state.ledger, check=lock.check, notice=watcher.notice))
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
        self._tally = Tally()
        self._files = RunFiles(self._tally, watcher.notice, exports)
        self._progress = Progress(self._tally, exports.total_bytes)
        self._problem: ConvertroError | None = None

    def carry_out(self) -> Report:
        """Do it all, and report."""
        started = time.monotonic()
        letters = DeadLetterFile(self._state.dead_letters)
        transport = open_transport(
            self._loaded.settings.delivery.transport, transport_options(self._loaded)
        )
        with ThreadPoolExecutor(1, "ledger") as writer, closing(letters), closing(transport):
            delivery = Delivery(
                delivery_options(self._loaded, self._plan.options),
                transport=transport,
                ledger=self._ledger,
                dead_letters=letters,
                writer=writer,
                tally=self._tally,
            )
            try:
                self._deliver(delivery)
            except ConvertroError as error:
                self._problem = error
            try:  # whatever it was: what is under way may still be answered, and noted
                self._end(delivery)
            except ConvertroError as error:
                self._problem = self._problem or error
            self._tally.calls["in_doubt"] += delivery.count_in_doubt()
        return self._report(delivery, time.monotonic() - started, transport.name)

    def _deliver(self, delivery: Delivery) -> None:
        """Take in and deliver until all is done, or an interrupt or an error ends it."""
        options = self._plan.options
        job = ReplayJob(self._plan.rules, options.limit)
        workers = choose_workers(options.workers, self._exports.total_bytes, options.limit)
        one_by_one = options.canary is not None
        with RunInput(
            self._exports, job, workers=workers, recognise=True, line_by_line=one_by_one
        ) as batches:
            wanted = True
            while not self._interrupts.stop_requested:
                wanted = wanted and self._take_in(delivery, batches)
                delivery.step(_TICK)
                self._finish_files(delivery)
                self._show(delivery)
                if options.max_failed is not None:
                    options.max_failed.check(self._tally)
                if delivery.is_idle and (batches.is_finished or not wanted):
                    delivery.finish()
                    if delivery.is_idle:  # else another message for a refused order goes now
                        return

    def _take_in(self, delivery: Delivery, batches: RunInput[MappedBatch]) -> bool:
        """Take in what is there, as much as is wanted now; tell whether more of it ever is.

        A step marks what there is to send in one transaction, so there should be enough of it.
        """
        if delivery.is_over:
            return False
        for _ in range(_MOST_AT_A_STEP):
            if not delivery.wants_more or batches.is_finished:
                break
            taken = batches.take(_TICK if delivery.is_idle else 0)
            if taken is None:
                break
            batch, mapped = taken
            delivery.take(batch, mapped, self._files.follow(batch))
            if mapped.exhausted:
                return False
        return True

    def _end(self, delivery: Delivery) -> None:
        """Let what is under way come to its end, and put all that is known on disk."""
        until = time.monotonic() + DRAIN_SECONDS
        while delivery.in_flight and time.monotonic() < until:
            if self._interrupts.stop_at_once:
                break
            delivery.drain(_TICK)
            self._show(delivery)
        delivery.end()
        self._finish_files(delivery)
        delivery.sync()

    def _finish_files(self, delivery: Delivery) -> None:
        for identity in self._files.completed():
            if self._plan.takes_whole_files:
                delivery.finish_file(identity, self._plan.digest_for(identity.path))

    def _show(self, delivery: Delivery) -> None:
        self._progress.follow(delivery.state(), stopping=self._interrupts.stop_requested)
        if (waited := self._ledger.waited) is not None:
            self._progress.trouble = f"another program has held the ledger for {waited:.0f} s"
        self._watcher.tick(self._progress)

    def _report(self, delivery: Delivery, elapsed: float, transport: str) -> Report:
        report = Report(
            self._tally,
            dry_run=False,
            exit_code=self._exit_code(),
            elapsed_s=elapsed,
            transport=transport,
            interrupted=self._interrupts.exit_code is not None,
            problem=self._problem.message if self._problem else None,
            latency_p50_s=delivery.latency.percentile(0.5),
            latency_p95_s=delivery.latency.percentile(0.95),
            canary=_canary(delivery),
        )
        if self._problem and self._problem.hint:
            report.advice.append(self._problem.hint)
        report.advice += self._files.notes()
        if (refused := delivery.refused_all()) is not None:
            report.advice.append(refused)
        try:
            told = report.as_json() | {SETTINGS: self._plan.settings.hex()}
            summary = orjson.dumps(told)
            self._ledger.end_run(delivery.run, summary, exit_code=int(report.exit_code))
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


def _canary(delivery: Delivery) -> CanaryReport | None:
    if delivery.canary is None:
        return None
    return CanaryReport(delivery.canary.begun, stopped=delivery.canary.is_over)
