"""The dry run: reads and maps like a replay, but only writes down what would be sent."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from convertro_cli.mapping.dry_run import DryRunBatch, DryRunJob
from convertro_cli.mapping.jobs import TOO_LONG
from convertro_cli.mapping.retyping import Retyping
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.batch import LineBatch, without_lines
from convertro_cli.reading.export_set import ExportSet
from convertro_cli.record.known_calls import KnownCalls
from convertro_cli.record.tally import Tally
from convertro_cli.run.marking import Marking
from convertro_cli.run.progress import Watcher
from convertro_cli.run.reading import Reading, Spread
from convertro_cli.run.repeats import RepeatSearch
from convertro_cli.run.report import Report
from convertro_cli.run.retyped import RetypedSearch


class DryRunOptions(Struct, frozen=True):
    """``workers`` is None for the default; ``limit`` counts messages that pass the filters.

    ``resend`` and ``at_most_once`` are those of the replay that the dry run is to tell of.
    ``delivered_types`` are event types that earlier runs delivered under other settings: what was
    so delivered and would go out again is counted. None where there is nothing of the kind.
    """

    workers: int | None = None
    limit: int | None = None
    include_skipped: bool = False
    resend: bool = False
    at_most_once: bool = False
    delivered_types: tuple[str, ...] | None = None


def dry_run(
    exports: ExportSet,
    rules: Rules,
    *,
    write: Callable[[bytes], object],
    options: DryRunOptions,
    watcher: Watcher,
    known: KnownCalls | None = None,
    spread: Spread | None = None,
) -> Report:
    """Write the dry run's lines, in the order of the export. Opens no connection.

    ``known`` has what earlier runs settled: a call that a replay would not send again is marked
    and counted so. With a ``spread`` other machines read the exports.
    """
    search = RepeatSearch(known, resend=options.resend, at_most_once=options.at_most_once)
    retyped = (
        RetypedSearch(known) if known is not None and options.delivered_types is not None else None
    )
    retyping = Retyping(rules, options.delivered_types or ()) if retyped is not None else None
    job = DryRunJob(rules, options.limit, options.include_skipped, known is not None, retyping)
    joins = options.limit is None  # else the files behind the limit would count as read
    with Reading(
        exports, watcher, workers=options.workers, limit=options.limit, spread=spread
    ) as reading:
        tally = reading.tally
        for batch, mapped in reading.each(job, joins=joins, spare=without_lines):
            marking = Marking(mapped, tally, include_skipped=options.include_skipped)
            write(marking.mark(search.review(mapped.keys)))
            if retyped is not None:
                retyped.review(mapped.typed)
            _count(tally, batch, mapped)
            if mapped.exhausted:
                break
    return Report(
        tally,
        dry_run=True,
        exit_code=reading.exit_code,
        elapsed_s=reading.elapsed_s,
        interrupted=reading.is_interrupted,
        retyped=retyped,
        advice=reading.files.notes(),
    )


def _count(tally: Tally, batch: LineBatch, mapped: DryRunBatch) -> None:
    """Count a batch as if all that is to be sent were delivered."""
    tally.note_batch(mapped.skipped, mapped.warnings, batch.place, mapped.warning_places)
    tally.note_gates(mapped.kept_back, carries_consent=mapped.carries_consent)
    for line in mapped.invalid:
        tally.reject(line.reason, batch.place(line.number))
    tally.messages["read"] += mapped.messages + mapped.failed_messages
    tally.messages["delivered"] += mapped.messages
    tally.messages["failed"] += mapped.failed_messages
    tally.failed[TOO_LONG] += mapped.failed_messages
    tally.calls["delivered"] += mapped.calls
    tally.calls["failed"] += mapped.failed_calls
    for event_type, total in mapped.totals.items():
        if total.count:
            tally.by_event_type[event_type].add(total)
