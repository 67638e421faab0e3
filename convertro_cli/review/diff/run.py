"""A run of the comparison over exports: read and compared in the background, added up here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from convertro_cli.errors import ExitCode
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.exports import read_exports
from convertro_cli.reading.sources import ExportSet
from convertro_cli.record.known_calls import KnownCalls
from convertro_cli.record.tally import Tally
from convertro_cli.review.diff.job import DiffJob, DiffPart, Wanted
from convertro_cli.review.diff.model import DiffReport
from convertro_cli.review.diff.repeats import DiffRepeats, SavedRepeats
from convertro_cli.review.diff.saved import SavedRun, Work
from convertro_cli.review.diff.saved_job import SavedJob
from convertro_cli.review.diff.settings_diff import SettingChange
from convertro_cli.review.diff.tally import DiffTally
from convertro_cli.run.feed import Feed
from convertro_cli.run.files import RunFiles
from convertro_cli.run.input import choose_workers
from convertro_cli.run.interrupts import Interrupts
from convertro_cli.run.progress import Progress, Watcher
from convertro_cli.run.retyped import RetypedSearch
from convertro_cli.workers.groups import Each, grouped
from convertro_cli.workers.pool import run_in_order

Part = tuple[Work, DiffPart]


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared: the rules after with those before, or with a saved dry run.

    ``settings`` has the differences of the two settings files, None if there is only one.
    """

    before_name: str
    before: Rules | SavedRun
    after_name: str
    after: Rules
    settings: list[SettingChange] | None = None


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """``workers`` is None for the default; ``limit`` counts messages that pass the filters."""

    wanted: Wanted
    workers: int | None = None
    limit: int | None = None


def compare(
    exports: ExportSet,
    sides: Sides,
    *,
    options: DiffOptions,
    watcher: Watcher,
    write: Callable[[bytes], object] | None = None,
    known: KnownCalls | None = None,
) -> DiffReport:
    """Compare what all messages become on the two sides.

    ``write`` takes every change as a line, in the order of the export, if ``options`` want them
    written. Interrupted, it reports what was compared until then. ``known`` has what replays
    delivered: what of it would go out again, under another type, is counted. Opens no connection
    and writes no state. Raises ConvertroError for a saved run that cannot be compared with.
    """
    started = time.monotonic()
    total = options.wanted.open().tally
    counts = Tally()
    files = RunFiles(counts, watcher.notice, exports)
    progress = Progress(counts, exports.total_bytes)
    repeats = _repeats(sides, options)
    retyped = RetypedSearch(known) if known is not None else None
    parts = Feed(_parts(exports, sides, options))
    with Interrupts() as interrupts, _running(parts):
        while not parts.is_finished and not interrupts.stop_requested:
            taken = parts.take(timeout=0.1)
            if taken is not None:
                work, part = taken
                if work.batch is not None:
                    files.follow(work.batch)
                    repeats.take_out(work, part)
                    if retyped is not None:
                        retyped.review(part.typed)
                total.add(part.tally)
                counts.messages["read"] = total.messages.read
                if write is not None:
                    write(part.changes)
                if part.exhausted:
                    break
            progress.count_files(exports)
            watcher.tick(progress)
        interruption = interrupts.exit_code
    files.tell_of_unread()
    damaged = ExitCode.UNREADABLE_EXPORT if counts.files["damaged"] else ExitCode.OK
    return DiffReport(
        before=sides.before_name,
        after=sides.after_name,
        is_saved=isinstance(sides.before, SavedRun),
        settings=sides.settings,
        tally=total,
        files=counts.files,
        unread=counts.unread,
        elapsed_s=time.monotonic() - started,
        interrupted=interruption is not None,
        exit_code=interruption or damaged,
        notes=files.notes()
        + _notes(sides.before, exports, total)
        + (retyped.in_words() if retyped is not None else []),
        retyped=retyped,
    )


def _repeats(sides: Sides, options: DiffOptions) -> DiffRepeats | SavedRepeats:
    if isinstance(sides.before, Rules):
        return DiffRepeats(DiffJob(sides.before, sides.after, options.wanted))
    return SavedRepeats(SavedJob(sides.after, options.wanted))


def _notes(before: Rules | SavedRun, exports: ExportSet, total: DiffTally) -> list[str]:
    """Say what went wrong where a saved run has nothing of the exports."""
    if isinstance(before, Rules) or total.matched or not total.messages.read:
        return []
    if before.first is None:
        return ["The saved dry run is empty: nothing was sent then."]
    return [
        f"The saved dry run has no line of these exports: it begins with {before.first}, and "
        f"this run reads {exports.files[0].name}. Name the exports as that run did."
    ]


@contextmanager
def _running(parts: Feed[Part]) -> Iterator[None]:
    parts.start()
    try:
        yield
    finally:
        parts.stop()


def _parts(exports: ExportSet, sides: Sides, options: DiffOptions) -> Iterator[Part]:
    """Give what comparing each batch gave, in the order of the files."""
    workers = choose_workers(options.workers, exports.total_bytes, options.limit)
    before = sides.before
    if isinstance(before, Rules):
        batches = read_exports(exports, recognise=False)
        job = DiffJob(before, sides.after, options.wanted, options.limit)
        for group, parts in run_in_order(Each(job), grouped(batches), workers=workers):
            for batch, part in zip(group, parts, strict=True):
                yield Work(batch), part
        return
    against = SavedJob(sides.after, options.wanted, options.limit)
    files = tuple(exports)  # their order must be known to read two lists side by side
    works = before.beside(read_exports(files, recognise=False), [file.name for file in files])
    for work, part in run_in_order(against, works, workers=workers):
        if part.fault is not None:
            raise before.fault(part.fault)
        yield work, part
