"""The driver of a job: hands out bundles, looks at what became of them, and ends it all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from convertro_cli.cluster.bundles import Bundle, bundle_size, bundles_of
from convertro_cli.cluster.engine import Engine, EngineGoneError
from convertro_cli.cluster.job_counts import JobCounts
from convertro_cli.cluster.outcomes import gone
from convertro_cli.cluster.replay_order import BundleEnd
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.export_set import ExportSet
from convertro_cli.reading.unread import Unread
from convertro_cli.record.postgres.jobs import SharedJob
from convertro_cli.record.tally import Tally
from convertro_cli.replay import DRAIN_SECONDS
from convertro_cli.run.interrupts import Interrupts
from convertro_cli.run.plan import ReplayOptions
from convertro_cli.run.progress import ClusterProgress, Progress, Watcher
from convertro_cli.run.read_ahead import ReadAhead
from convertro_cli.run.report import Report, how_it_ended
from convertro_cli.text import things

_TICK: Final = 0.1
_LOOK_EVERY: Final = 0.5
_AHEAD: Final = 256
"""Bundles that are out at least: enough for a cluster to see that it should grow."""

_AHEAD_A_THREAD: Final = 4
_MOST_TIMES: Final = 4
_STALLED: Final = 5.0
_ENDS_WITHIN: Final = DRAIN_SECONDS + 5.0
_ADVICE: Final = 20


class JobDriver:
    """Drives one job, from its first bundle to its report.

    ``give_up`` says that nobody waits for the ledger any more, should it be away.
    """

    def __init__(
        self,
        engine: Engine,
        job: SharedJob,
        exports: ExportSet,
        options: ReplayOptions,
        interrupts: Interrupts,
        watcher: Watcher,
        give_up: Callable[[], object],
    ) -> None:
        self._engine = engine
        self._job = job
        self._exports = exports
        self._options = options
        self._interrupts = interrupts
        self._watcher = watcher
        self._give_up = give_up
        size = bundle_size(exports.total_bytes, engine.threads)
        self._bundles = ReadAhead(bundles_of(exports, most_bytes=size))
        self._again: list[Bundle] = []
        self._out: dict[int, Bundle] = {}
        self._sizes: dict[int, int] = {}
        self._done: set[int] = set()
        self._times: Counter[int] = Counter()
        self._given_up: set[int] = set()
        self._advice: dict[str, None] = {}
        self._counts = JobCounts(job)
        self._problem: ConvertroError | None = None
        self._progress = Progress(Tally(), exports.total_bytes)
        self._look_at = 0.0
        self._started = time.monotonic()

    def carry_out(self) -> Report:
        """Do it all, and report."""
        self._bundles.start()
        try:
            while not self._interrupts.stop_requested and not self._is_done:
                self._step()
        except ConvertroError as error:
            self._problem = error
        except EngineGoneError:
            self._problem = gone(self._engine.place)
        finally:
            self._bundles.stop()
        if self._problem is not None:
            self._give_up()
        try:
            if not self._is_done:
                self._stop()
            self._look()
            self._check_failures()
        except ConvertroError as error:  # the ledger is away: what is known is what was seen last
            self._problem = self._problem or error
        return self._report()

    @property
    def _is_done(self) -> bool:
        return self._bundles.is_finished and not self._again and not self._out

    def _step(self) -> None:
        self._submit()
        taken = self._engine.take(_TICK)
        if taken is not None:
            self._end_bundle(*taken)
        if time.monotonic() >= self._look_at:
            self._look()
            self._make_up_for_sleepers()
        self._show()
        self._check_failures()

    def _check_failures(self) -> None:
        if self._options.max_failed is not None:
            self._options.max_failed.check(self._progress.tally)

    def _submit(self) -> None:
        """Hand out what there is, as far as it is wanted now."""
        most = max(_AHEAD, _AHEAD_A_THREAD * self._engine.threads)
        while len(self._out) < most:
            bundle = self._again.pop() if self._again else self._bundles.take(0)
            if bundle is None:
                return
            self._sizes[bundle.number] = len(bundle.files)
            self._times[bundle.number] += 1
            self._out[bundle.number] = bundle
            self._engine.submit(bundle)

    def _end_bundle(self, number: int, parts: Iterator[BundleEnd]) -> None:
        """Take note of how a bundle ended. Raises ConvertroError where that ends the job."""
        bundle = self._out.pop(number)
        (end,) = parts
        if end.comes_again and self._times[number] < _MOST_TIMES:
            self._again.append(bundle)
            return
        self._advice.update(dict.fromkeys(end.advice))
        if end.problem is not None:
            raise ConvertroError(end.problem, exit_code=ExitCode(end.exit_code))
        self._done.add(number)

    def _look(self) -> None:
        """Look at what the workers wrote into the ledger."""
        self._counts.look()
        self._look_at = time.monotonic() + _LOOK_EVERY
        tally = self._counts.tally(self._sizes, self._done)
        unread = Counter({Unread(name): count for name, count in tally.unread.items()})
        unread.update(dict(self._exports.unread))  # it grows in another thread
        tally.leave_unread(unread)
        self._progress.tally = tally

    def _make_up_for_sleepers(self) -> None:
        """Have others do what sleepers have: Dask takes minutes to miss a worker.

        They have the bundles of parts that are silent or lost, and in the end, when nobody else is
        at anything any more, those that lie there and were never begun.
        """
        for run, number in self._counts.silent().items():
            if run not in self._given_up and number in self._out:
                self._given_up.add(run)
                self._engine.begin_anew([self._out[number]])
        if self._out and self._counts.idle_for() >= _STALLED and self._engine.some_sleep:
            self._counts.wait_anew()
            self._engine.begin_anew(self._out.values())

    def _show(self, trouble: str | None = None) -> None:
        progress = self._progress
        progress.count_files(self._exports)
        progress.total_bytes = self._exports.total_bytes
        progress.trouble = trouble
        if trouble is None and not self._engine.threads:
            progress.trouble = f"waiting for workers at {self._engine.place.scheduler}"
        bundles = len(self._sizes) if self._bundles.is_finished else None
        progress.cluster = ClusterProgress(len(self._done), bundles, self._counts.rates)
        self._watcher.tick(progress)

    def _stop(self) -> None:
        """End all parts cleanly, and wait for that: they finish what is under way."""
        self._job.stop(int(self._interrupts.exit_code or ExitCode.TERMINATED))
        self._engine.cancel()
        until = time.monotonic() + _ENDS_WITHIN
        self._counts.look()
        while self._counts.live and time.monotonic() < until:
            if self._interrupts.stop_at_once:
                return
            self._show(f"stopping: waiting for {self._counts.live} workers")
            time.sleep(_TICK)
            self._look()

    def _report(self) -> Report:
        tally, latency = self._progress.tally, self._counts.latency
        report = Report(
            tally,
            dry_run=False,
            exit_code=how_it_ended(tally, self._problem, self._interrupts.exit_code),
            elapsed_s=time.monotonic() - self._started,
            transport=self._counts.transport,
            interrupted=self._interrupts.exit_code is not None,
            problem=self._problem.message if self._problem else None,
            latency_p50_s=latency.percentile(0.5),
            latency_p95_s=latency.percentile(0.95),
            advice=list(self._advice)[:_ADVICE],
        )
        if self._problem is not None and self._problem.hint:
            report.advice.append(self._problem.hint)
        if anew := self._counts.begun_anew:
            report.advice.append(
                f"{things(anew, 'bundle')} had to be begun anew: what a worker that was lost or "
                "stopped had read was read again, and what it had delivered not sent again."
            )
        for note in self._exports.notes:
            self._watcher.notice(note)
        return report
