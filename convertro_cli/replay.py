"""The replay: joins the four rooms. Reads, maps, delivers and records, and returns a report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import orjson

from convertro_cli.delivery.delivery import Delivery
from convertro_cli.delivery.transports import open_transport
from convertro_cli.errors import ConvertroError
from convertro_cli.mapping.jobs import MappedBatch, ReplayJob
from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.batch import line_by_line
from convertro_cli.reading.export_set import ExportSet
from convertro_cli.reading.joined import parts_of
from convertro_cli.reading.listed import TellCount
from convertro_cli.record.backends import OpenLedger, open_ledger
from convertro_cli.record.counts import RunCounts, write_counts
from convertro_cli.record.earlier_runs import SETTINGS
from convertro_cli.run.claiming import ClaimedFiles
from convertro_cli.run.interrupts import Interrupts
from convertro_cli.run.letters_again import LettersAgain, find_letters
from convertro_cli.run.options import delivery_options, shared_options, transport_options
from convertro_cli.run.plan import JobBundle, Plan, ReplayOptions
from convertro_cli.run.progress import Watcher, tell_of_list
from convertro_cli.run.reading import Batches, Files, Reading
from convertro_cli.run.report import CanaryReport, Report, how_it_ended
from convertro_cli.settings.load import LoadedSettings
from convertro_cli.text import count

DRAIN_SECONDS = 10.0
"""How long an interrupted run waits for the requests that are under way."""

_TICK = 0.1
_COUNTS_EVERY = 0.25
_ASK_AGAIN_EVERY = 0.5
_MOST_AT_A_STEP = 64  # small batches: the answers must not wait for all of them


def replay(
    loaded: LoadedSettings,
    arguments: Sequence[str],
    *,
    selection: Selection,
    options: ReplayOptions,
    watcher: Watcher,
    bundle: JobBundle | None = None,
) -> Report:
    """Replay exports to Convertro; in place of what the arguments name, those of a ``bundle``.

    Raises ConvertroError for what stops a run before it starts. What stops it later stands in
    the report, with the counts so far.
    """
    place = loaded.ledger
    again: LettersAgain | None = None
    with ExitStack() as opened:
        interrupts = Interrupts()
        shared = shared_options(loaded, interrupts, watcher.notice, bundle)
        opened_ledger = opened.enter_context(open_ledger(place, options.command, shared))
        opened.enter_context(interrupts)
        plan = Plan(loaded, place.state, opened_ledger.ledger, selection, options, bundle)
        if options.dead_letters:
            again = opened.enter_context(find_letters(place))
            arguments = again.paths
        exports = plan.find(arguments, told_of_list(watcher, interrupts))
        run = _Run(
            loaded,
            opened_ledger,
            plan,
            exports,
            interrupts,
            watcher,
            tells_counts=bundle is not None,
        )
        report = run.carry_out()
        try:
            came_to_end = report.problem is None and not report.interrupted
            if again is not None and plan.takes_whole_files and came_to_end:
                opened_ledger.ledger.letters_tried(again.reached)
            if plan.rules.suppressed is not None and bundle is None:
                report.note_forgotten(opened_ledger.forget(plan.rules.suppressed))
        except ConvertroError as error:
            report.note_problem(error)
        return report


def told_of_list(watcher: Watcher, interrupts: Interrupts) -> TellCount:
    """Let the watcher see how the list of files grows; an interrupt ends that."""
    show = tell_of_list(watcher)

    def tell(count: int) -> None:
        if interrupts.exit_code is not None:
            raise ConvertroError(
                "Stopped while the exports were listed; nothing was sent.",
                exit_code=interrupts.exit_code,
            )
        show(count)

    return tell


class _Run:
    """One replay, from its first batch to its report."""

    def __init__(
        self,
        loaded: LoadedSettings,
        opened: OpenLedger,
        plan: Plan,
        exports: ExportSet,
        interrupts: Interrupts,
        watcher: Watcher,
        *,
        tells_counts: bool = False,
    ) -> None:
        self._tells_counts = tells_counts
        self._counts_told_at = float("-inf")
        self._loaded = loaded
        self._ledger = opened.ledger
        self._letters = opened.letters
        self._plan = plan
        self._exports = exports
        self._interrupts = interrupts
        self._reading = Reading(
            exports,
            watcher,
            workers=plan.options.workers,
            limit=plan.options.limit,
            interrupts=interrupts,
        )
        self._tally = self._reading.tally
        self._problem: ConvertroError | None = None
        self._claimed = self._claim_files()

    def carry_out(self) -> Report:
        """Do it all, and report."""
        letters = self._letters
        transport = open_transport(
            self._loaded.settings.delivery.transport, transport_options(self._loaded)
        )
        with (
            self._reading,
            ThreadPoolExecutor(1, "ledger") as writer,
            closing(letters),
            closing(transport),
        ):
            delivery = Delivery(
                delivery_options(self._loaded, self._plan.options),
                transport=transport,
                ledger=self._ledger,
                dead_letters=letters,
                writer=writer,
                spool_folder=self._loaded.state_folder,
                tally=self._tally,
                before_commit=lambda: self._tell_counts(delivery) if self._tells_counts else None,
            )
            try:
                self._deliver(delivery)
            except ConvertroError as error:
                self._problem = error
            finally:
                if self._claimed is not None:
                    self._claimed.stop()
            try:  # whatever it was: what is under way may still be answered, and noted
                self._end(delivery)
            except ConvertroError as error:
                self._problem = self._problem or error
            self._tally.calls["in_doubt"] += delivery.count_in_doubt()
        return self._report(delivery, transport.name)

    def _tell_counts(self, delivery: Delivery, *, now: bool = False) -> None:
        """Let the ledger have the counts, for whoever adds up those of many runs."""
        if now or time.monotonic() - self._counts_told_at >= _COUNTS_EVERY:
            self._counts_told_at = time.monotonic()
            counts = RunCounts(self._tally, delivery.latency.buckets, delivery.transport)
            self._ledger.note_counts(write_counts(counts))

    def _claim_files(self) -> ClaimedFiles | None:
        """Have each file only while no other run has it, where there can be another."""
        claims, options = self._ledger.files, self._plan.options
        if claims is None:
            return None
        again = options.reread or options.resend or not self._plan.takes_whole_files
        return ClaimedFiles(self._exports, claims, self._plan.digest_for, again=again)

    def _deliver(self, delivery: Delivery) -> None:
        """Take in and deliver until all is done, or an interrupt or an error ends it."""
        job = ReplayJob(self._plan.rules, self._plan.options.limit)
        claimed = self._claimed
        if claimed is None:
            self._deliver_files(delivery, job, self._exports)
            return
        while self._deliver_files(delivery, job, claimed):
            if claimed.is_done or not self._wait_for_others(delivery, claimed):
                return

    def _wait_for_others(self, delivery: Delivery, claimed: ClaimedFiles) -> bool:
        """Wait until a file that another run had is free, or done; whether to go on then."""
        ask_at = time.monotonic()
        while not self._interrupts.stop_requested:
            if time.monotonic() >= ask_at:
                if claimed.has_news():
                    return True
                ask_at = time.monotonic() + _ASK_AGAIN_EVERY
            self._step(delivery)
            if delivery.is_idle:  # then nothing in there takes any time
                time.sleep(_TICK)
        return False

    def _deliver_files(self, delivery: Delivery, job: ReplayJob, files: Files) -> bool:
        """Deliver some files to their end; tell whether more are wanted after that."""
        cut = line_by_line if self._plan.options.canary is not None else None
        joins = cut is None and self._plan.options.limit is None  # else each is taken by itself
        opened = self._reading.batches(job, files, recognise=True, beside=cut, joins=joins)
        with opened as batches:
            wanted = True
            while not self._interrupts.stop_requested:
                wanted = wanted and self._take_in(delivery, batches)
                self._step(delivery)
                if delivery.is_idle and (batches.is_finished or not wanted):
                    delivery.finish()
                    if delivery.is_idle:  # else another message for a refused order goes now
                        return wanted
        return False

    def _step(self, delivery: Delivery) -> None:
        """Do what can be done now, and show where the run is."""
        delivery.step(_TICK)
        self._finish_files(delivery)
        self._show(delivery)
        if self._plan.options.max_failed is not None:
            self._plan.options.max_failed.check(self._tally)

    def _take_in(self, delivery: Delivery, batches: Batches[MappedBatch]) -> bool:
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
            files = [self._reading.files.follow(part) for part in parts_of(batch)]
            delivery.take(batch, mapped, files)
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
        is_copy = self._claimed is not None and self._plan.options.dead_letters
        counts = self._plan.takes_whole_files and not is_copy
        for place, identity in self._reading.files.completed():
            if identity is not None and counts:
                delivery.finish_file(identity, self._plan.digest_for(identity.path))
            if self._claimed is not None:
                self._claimed.release(place, identity if counts else None)

    def _show(self, delivery: Delivery) -> None:
        progress = self._reading.progress
        progress.follow(delivery.state(), stopping=self._interrupts.stop_requested)
        if (trouble := self._ledger.trouble) is not None:
            progress.trouble = trouble
        elif self._claimed is not None and self._claimed.waits_for and delivery.is_idle:
            held = self._claimed.waits_for
            progress.trouble = f"waiting for another run, which has what is left: {held}"
        self._reading.show()

    def _report(self, delivery: Delivery, transport: str) -> Report:
        report = Report(
            self._tally,
            dry_run=False,
            exit_code=how_it_ended(self._tally, self._problem, self._interrupts.exit_code),
            elapsed_s=self._reading.elapsed_s,
            transport=transport,
            interrupted=self._reading.is_interrupted,
            problem=self._problem.message if self._problem else None,
            latency_p50_s=delivery.latency.percentile(0.5),
            latency_p95_s=delivery.latency.percentile(0.95),
            canary=_canary(delivery),
        )
        if self._problem and self._problem.hint:
            report.advice.append(self._problem.hint)
        if unwritten := delivery.count_unwritten():
            report.advice.append(
                f"Of the calls that were delivered, the last ones ({count(unwritten)} at most) "
                "could not be noted: the next run sends them again, unless told --at-most-once."
            )
        report.advice += self._reading.files.notes()
        report.advice += self._plan.notes(self._tally.messages["skipped"])
        if (refused := delivery.refused_all()) is not None:
            report.advice.append(refused)
        if self._tells_counts:
            self._tell_counts(delivery, now=True)
        try:
            told = report.as_json() | {SETTINGS: self._plan.settings.hex()}
            summary = orjson.dumps(told)
            self._ledger.end_run(delivery.run, summary, exit_code=int(report.exit_code))
        except ConvertroError as error:
            report.note_problem(error)
        return report


def _canary(delivery: Delivery) -> CanaryReport | None:
    if delivery.canary is None:
        return None
    return CanaryReport(delivery.canary.begun, stopped=delivery.canary.is_over)
