"""The run: reads exports in worker processes, counts, and opens no connection."""

from __future__ import annotations

import time
from dataclasses import dataclass

from convertro_cli.errors import ExitCode
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.sources import ExportSet
from convertro_cli.record.tally import Tally
from convertro_cli.review.inspect.build import build_report
from convertro_cli.review.inspect.copies import Copies
from convertro_cli.review.inspect.findings import Findings
from convertro_cli.review.inspect.job import InspectJob
from convertro_cli.review.inspect.report import InspectReport, RunFacts
from convertro_cli.run.files import RunFiles
from convertro_cli.run.input import RunInput, choose_workers
from convertro_cli.run.interrupts import Interrupts
from convertro_cli.run.progress import Progress, Watcher


@dataclass(frozen=True, slots=True)
class InspectOptions:
    """``settings`` names the file that the rules are from, None for rules without settings.

    ``workers`` is None for the default; ``limit`` counts messages that pass the filters;
    ``top`` event names are shown.
    """

    settings: str | None = None
    workers: int | None = None
    limit: int | None = None
    top: int = 25


def inspect(
    exports: ExportSet, rules: Rules, *, options: InspectOptions, watcher: Watcher
) -> InspectReport:
    """Find out what is in the exports. Interrupted, it reports what was read until then."""
    started = time.monotonic()
    found = Findings()
    copies = Copies(rules)
    tally = Tally()
    files = RunFiles(tally, watcher.notice, exports)
    progress = Progress(tally, exports.total_bytes)
    job = InspectJob(rules, options.limit, options.settings is not None)
    workers = choose_workers(options.workers, exports.total_bytes, options.limit)
    with Interrupts() as interrupts, RunInput(exports, job, workers=workers) as batches:
        while not batches.is_finished and not interrupts.stop_requested:
            taken = batches.take(timeout=0.1)
            if taken is not None:
                batch, findings = taken
                files.follow(batch)
                copies.look_at(batch, findings)
                found.add(findings, batch.place)
                tally.messages["read"] = found.messages["read"]
                if findings.exhausted:
                    break
            progress.count_files(exports)
            watcher.tick(progress)
        interruption = interrupts.exit_code
    files.tell_of_unread()
    for note in files.notes():
        watcher.notice(note)
    damaged = ExitCode.UNREADABLE_EXPORT if tally.files["damaged"] else ExitCode.OK
    facts = RunFacts(
        settings=options.settings,
        filtered=bool(rules.selection),
        files={name: tally.files[name] for name in ("read", "skipped", "damaged")},
        bytes_read=tally.bytes_read,
        elapsed_s=time.monotonic() - started,
        interrupted=interruption is not None,
        exit_code=interruption or damaged,
        unread=tally.unread,
    )
    return build_report(found, rules, facts, top=options.top, copies=copies.sums)
