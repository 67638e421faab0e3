"""A run of the comparison over exports: read and compared in the background, added up here."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.export_set import ExportSet
from convertro_cli.record.known_calls import KnownCalls
from convertro_cli.review.diff.compare import Wanted
from convertro_cli.review.diff.job import DiffJob, keep_lines_with_calls
from convertro_cli.review.diff.repeats import DiffRepeats
from convertro_cli.review.diff.report import DiffReport
from convertro_cli.review.diff.saved import SavedRun
from convertro_cli.review.diff.tally import DiffTally
from convertro_cli.run.progress import Watcher
from convertro_cli.run.reading import Beside, Reading, Spread
from convertro_cli.run.retyped import RetypedSearch
from convertro_cli.settings.compare import SettingDifference


class Sides(Struct, frozen=True):
    """What is compared: the rules after with those before, or with a saved dry run.

    ``settings`` has the differences of the two settings files, None if there is only one.
    """

    before_name: str
    before: Rules | SavedRun
    after_name: str
    after: Rules
    settings: list[SettingDifference] | None = None


class DiffOptions(Struct, frozen=True):
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
    spread: Spread | None = None,
) -> DiffReport:
    """Compare what all messages become on the two sides.

    ``write`` takes every change as a line, in the order of the export, if ``options`` want them
    written. Interrupted, it reports what was compared until then. ``known`` has what replays
    delivered: what of it would go out again, under another type, is counted. Opens no connection
    and writes no state. With a ``spread`` other machines read, and there is no saved run.
    Raises ConvertroError for a saved run that cannot be compared with.
    """
    total = options.wanted.open().finish()
    saved = sides.before if isinstance(sides.before, SavedRun) else None
    rules = sides.before if isinstance(sides.before, Rules) else None
    repeats = DiffRepeats(DiffJob(rules, sides.after, options.wanted))
    retyped = RetypedSearch(known) if known is not None else None
    job = DiffJob(rules, sides.after, options.wanted, options.limit)
    beside = None if saved is None else _beside(saved, exports)
    joins = saved is None and options.limit is None  # else each file is taken by itself
    with Reading(
        exports, watcher, workers=options.workers, limit=options.limit, spread=spread
    ) as reading:
        each = reading.each(job, beside=beside, joins=joins, spare=keep_lines_with_calls)
        for batch, part in each:
            if part.fault is not None and saved is not None:
                raise saved.fault(part.fault)
            repeats.take_out(batch, part)
            if retyped is not None:
                retyped.review(part.typed)
            total.add(part.tally)
            reading.tally.messages["read"] = total.messages.read
            if write is not None:
                write(part.changes)
            if part.exhausted:
                break
    notes = [*reading.files.notes(), *_notes(saved, exports, total)]
    return DiffReport(
        before=sides.before_name,
        after=sides.after_name,
        is_saved=saved is not None,
        settings=sides.settings,
        tally=total,
        files=reading.tally.files,
        unread=reading.tally.unread,
        elapsed_s=reading.elapsed_s,
        interrupted=reading.is_interrupted,
        exit_code=reading.exit_code,
        notes=notes + (retyped.in_words() if retyped is not None else []),
        retyped=retyped,
    )


def _beside(saved: SavedRun, exports: ExportSet) -> Beside:
    """Put the saved lines beside the batches; the order of all files must be known for that."""
    exports.find_all()
    return lambda batches: saved.beside(batches, [file.name for file in exports.files])


def _notes(saved: SavedRun | None, exports: ExportSet, total: DiffTally) -> list[str]:
    """Say what went wrong where a saved run has nothing of the exports."""
    if saved is None or total.matched or not total.messages.read:
        return []
    if saved.first is None:
        return ["The saved dry run is empty: nothing was sent then."]
    return [
        f"The saved dry run has no line of these exports: it begins with {saved.first}, and "
        f"this run reads {exports.files[0].name}. Name the exports as that run did."
    ]
