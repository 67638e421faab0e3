"""The dry run: reads and maps like a replay, but only writes down what would be sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from convertro_cli.errors import ExitCode
from convertro_cli.mapping.dry_run import DryRunBatch, DryRunJob
from convertro_cli.mapping.jobs import TOO_LONG
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.batch import LineBatch
from convertro_cli.reading.sources import ExportSet
from convertro_cli.record.tally import Tally
from convertro_cli.run.files import RunFiles
from convertro_cli.run.input import RunInput, choose_workers
from convertro_cli.run.interrupts import Interrupts
from convertro_cli.run.progress import Progress, Watcher
from convertro_cli.run.report import Report


@dataclass(frozen=True, slots=True)
class DryRunOptions:
    """``workers`` is None for the default; ``limit`` counts messages that pass the filters."""

    workers: int | None = None
    limit: int | None = None
    include_skipped: bool = False


def dry_run(
    exports: ExportSet,
    rules: Rules,
    *,
    write: Callable[[bytes], object],
    options: DryRunOptions,
    watcher: Watcher,
) -> Report:
    """Write the dry run's lines, in the order of the export. Opens no connection and no state."""
    started = time.monotonic()
    tally = Tally()
    files = RunFiles(tally, watcher.notice, exports)
    progress = Progress(tally, exports.total_bytes)
    job = DryRunJob(rules, options.limit, options.include_skipped)
    workers = choose_workers(options.workers, exports.total_bytes, options.limit)
    with Interrupts() as interrupts, RunInput(exports.files, job, workers=workers) as batches:
        while not batches.is_finished and not interrupts.stop_requested:
            taken = batches.take(timeout=0.1)
            if taken is not None:
                batch, mapped = taken
                write(mapped.output)
                files.follow(batch)
                _count(tally, batch, mapped)
                if mapped.exhausted:
                    break
            watcher.tick(progress)
        interruption = interrupts.exit_code
    damaged = ExitCode.UNREADABLE_EXPORT if tally.files["damaged"] else ExitCode.OK
    return Report(
        tally,
        dry_run=True,
        exit_code=interruption or damaged,
        elapsed_s=time.monotonic() - started,
        interrupted=interruption is not None,
    )


def _count(tally: Tally, batch: LineBatch, mapped: DryRunBatch) -> None:
    """Count a batch as if all that can be sent were delivered."""
    tally.note_batch(mapped.skipped, mapped.warnings, batch.place, mapped.warning_places)
    for line in mapped.invalid:
        tally.reject(line.reason, batch.place(line.number))
    tally.messages["read"] += mapped.messages + mapped.failed_messages
    tally.messages["delivered"] += mapped.messages
    tally.messages["failed"] += mapped.failed_messages
    tally.failed[TOO_LONG] += mapped.failed_messages
    tally.calls["delivered"] += mapped.calls
    tally.calls["failed"] += mapped.failed_calls
    for event_type, (calls, value) in mapped.totals.items():
        tally.by_event_type[event_type].add(calls, value)
