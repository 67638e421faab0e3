"""The run: reads exports in worker processes, counts, and opens no connection."""

from __future__ import annotations

from msgspec import Struct

from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.export_set import ExportSet
from convertro_cli.review.inspect.copies import Copies
from convertro_cli.review.inspect.findings import Findings
from convertro_cli.review.inspect.job import InspectJob, keep_lines_with_calls
from convertro_cli.review.inspect.report import InspectReport, ReadingFacts, build_report
from convertro_cli.run.progress import Watcher
from convertro_cli.run.reading import Reading, Spread


class InspectOptions(Struct, frozen=True):
    """``settings`` names the file that the rules are from, None for rules without settings.

    ``workers`` is None for the default; ``limit`` counts messages that pass the filters;
    ``top`` event names are shown.
    """

    settings: str | None = None
    workers: int | None = None
    limit: int | None = None
    top: int = 25


def inspect(
    exports: ExportSet,
    rules: Rules,
    *,
    options: InspectOptions,
    watcher: Watcher,
    spread: Spread | None = None,
) -> InspectReport:
    """Find out what is in the exports. Interrupted, it reports what was read until then.

    With a ``spread`` other machines read them.
    """
    found, copies = Findings(), Copies(rules)
    job = InspectJob(rules, options.limit)
    joins = options.limit is None  # else the files behind the limit would count as read
    with Reading(
        exports, watcher, workers=options.workers, limit=options.limit, spread=spread
    ) as reading:
        for batch, result in reading.each(job, joins=joins, spare=keep_lines_with_calls):
            copies.look_at(batch, result)
            found.add(result.found)
            reading.tally.messages["read"] = found.messages["read"]
            if result.exhausted:
                break
    for note in reading.files.notes():
        watcher.notice(note)
    tally = reading.tally
    facts = ReadingFacts(
        settings=options.settings,
        filtered=bool(rules.selection),
        files={name: tally.files[name] for name in ("read", "skipped", "damaged")},
        unread=tally.unread,
        bytes_read=tally.bytes_read,
        elapsed_s=round(reading.elapsed_s, 3),
        interrupted=reading.is_interrupted,
        exit_code=reading.exit_code,
    )
    return build_report(found, rules, facts, top=options.top, before=copies.sums)
