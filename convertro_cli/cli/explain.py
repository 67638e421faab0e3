"""``convertro explain``: one message, rule by rule."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from convertro_cli.cli.completion import complete_events
from convertro_cli.cli.options import (
    DEFAULT_CONFIG,
    INPUT,
    ConfigOption,
    JsonOption,
    LedgerOptions,
    Loudness,
    SelectionOptions,
    SuppressedOption,
    TargetOptions,
    load,
    option,
)
from convertro_cli.cli.outputs import Spared
from convertro_cli.cli.report_output import ReportOptions, ShowOption, masking_for
from convertro_cli.errors import ConvertroError, ExitCode

if TYPE_CHECKING:
    from convertro_cli.mapping.rules import Rules
    from convertro_cli.reading.export_set import ExportFile, ExportSet
    from convertro_cli.reading.listed import TellCount
    from convertro_cli.review.explain.find import FindJob, Search
    from convertro_cli.storage.options import StorageOptions


def explain(
    exports: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXPORT...",
            help="Files, folders, quoted patterns, or -; not needed with --line.",
            show_default=False,
        ),
    ] = None,
    *,
    message_id: Annotated[
        str | None,
        option(
            "--message-id",
            panel=INPUT,
            metavar="ID",
            help="The message with this id; others that share it are named.",
        ),
    ] = None,
    line: Annotated[
        str | None,
        option(
            "--line", panel=INPUT, metavar="FILE:N", help="Line N of a file, as a dry run names it."
        ),
    ] = None,
    event: Annotated[
        str | None,
        option(
            "--event",
            panel=INPUT,
            metavar="NAME",
            help="The first event of this name, in any spelling.",
            autocompletion=complete_events,
        ),
    ] = None,
    limit: Annotated[
        int, option("--limit", panel=INPUT, metavar="N", min=1, help="Explain up to N messages.")
    ] = 1,
    filters: SelectionOptions,
    suppressed: SuppressedOption = None,
    show: ShowOption = None,
    written: ReportOptions,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    place: LedgerOptions,
    target: TargetOptions,
) -> None:
    """Explain one message: each rule it met, where each value is from, and its calls.

    For a message that is not sent: the smallest change that would send it. The filters are
    looked at as a replay does. Sends nothing.

    Examples:

    * `convertro explain --line exports/2024-03-01.ndjson.gz:1207`

    * `convertro explain exports/ --event 'Order Completed' --show masked`
    """
    from convertro_cli.cli.selection import read_selection
    from convertro_cli.cli.watching import open_watcher
    from convertro_cli.review.explain.document import to_document
    from convertro_cli.review.explain.explanation import explain as explain_line
    from convertro_cli.review.explain.find import search
    from convertro_cli.review.report.as_json import write_report
    from convertro_cli.run.progress import tell_of_list
    from convertro_cli.settings.compile import compile_loaded

    _check_choice(exports, message_id, line, event)
    form = "json" if as_json else written.choose()
    loaded = load(config, place, target, suppressed=suppressed)
    selection = read_selection(filters, [event] if event is not None else None)
    rules = compile_loaded(loaded, selection)
    with open_watcher(Loudness()) as watcher:
        find = _Finding(loaded.storage, tell_of_list(watcher))
        if line is not None:
            sought = _line(exports, line, find)
        elif message_id is not None:
            sought = _message(exports or [], message_id, rules, limit, find)
        else:
            sought = _event(exports or [], event or "", rules, limit, find)
        Spared(sought.exports, [loaded]).check("--output", written.output)
        found = search(
            sought.exports,
            sought.job,
            watcher,
            most=sought.most,
            workers=None if event is not None else 1,
            look_on=sought.look_on,
        )
    if found.interruption is not None and len(found.found) < sought.most:
        raise typer.Exit(int(found.interruption))
    if not found.found:
        raise _nothing(sought, found)
    masking = masking_for(show, form)
    explained = (explain_line(each, loaded, rules, masking) for each in found.found)
    told = [each for each in explained if each is not None]
    if not told:
        raise ConvertroError(
            f"{line} is blank: there is no message.", exit_code=ExitCode.SOME_FAILED
        )
    others = {"others": found.others} if found.others else {}
    whole = {"messages": told, **others}
    written.write(form, lambda: to_document(told), lambda: write_report(whole), loaded.storage)
    if found.others:
        print(_others_in_words(found), file=sys.stderr)


def _others_in_words(found: Search) -> str:
    """Say that other messages have the same id, and how to see them."""
    from convertro_cli.text import things, visible

    number = things(found.others, "other message")
    have = "has" if found.others == 1 else "have"
    places = ", ".join(map(visible, found.places))
    more = " and more" if found.others > len(found.places) else ""
    least = "" if found.saw_all else "At least "
    total = len(found.found) + found.others
    return f"{least}{number} {have} this id, at {places}{more}: --limit {total} shows them, too."


class _Finding(NamedTuple):
    """How exports are found: the way to object storage, and who hears how many there are."""

    storage: StorageOptions
    tell: TellCount


class _Sought(NamedTuple):
    """What is looked for, and what to say and to advise where it is not there."""

    exports: ExportSet
    job: FindJob
    most: int
    missing: Callable[[Search, str], str]
    wanted_event: str | None = None
    look_on: int = 0


def _check_choice(
    exports: Sequence[str] | None, message_id: str | None, line: str | None, event: str | None
) -> None:
    if sum(choice is not None for choice in (message_id, line, event)) != 1:
        raise ConvertroError(
            "Which message? Name it by one of --message-id, --line or --event.",
            hint="For example: convertro explain export.ndjson --line export.ndjson:12",
        )
    if line is None and not exports:
        raise ConvertroError(
            "Where is the message? Name the export.",
            hint="For example: convertro explain export.ndjson --message-id m1",
        )


def _line(exports: Sequence[str] | None, line: str, find: _Finding) -> _Sought:
    from convertro_cli.reading.batch import PLACE
    from convertro_cli.reading.export_set import ExportSet, total_size
    from convertro_cli.reading.sources import find_exports
    from convertro_cli.review.explain.find import LineJob

    wanted = re.fullmatch(PLACE, line)
    if wanted is None or not wanted["file"]:
        raise ConvertroError(
            f"--line {line!r} is no FILE:N.",
            hint="For example: --line export.ndjson:12, or export.json:1[3] in an array.",
        )
    name, number = wanted["file"], int(wanted["line"])
    index = None if wanted["index"] is None else int(wanted["index"])
    found = find_exports(exports or [name], storage=find.storage, tell=find.tell)
    found.listed.tell = find.tell  # the whole list is gone through before a line is read
    files = tuple(file for file in found if not exports or _is_named(file, name))
    if not files:
        raise ConvertroError(
            f"{name} is not among the exports.", hint="Leave them out: --line is enough."
        )
    exports_named = ExportSet(files, total_bytes=total_size(files))

    def missing(search: Search, _: str) -> str:
        if index is not None:
            return f"{name} has no item {index:,} in an array in line {number:,}."
        return f"{name} has no line {number:,}: its last is {search.lines:,}."

    return _Sought(exports_named, LineJob(number, index), 1, missing)


def _is_named(file: ExportFile, name: str) -> bool:
    if file.place is not None:
        return name == file.name
    if file.path is None:
        return name in {"-", file.name}
    return name == file.name or os.path.realpath(name) == os.path.realpath(file.path)


def _message(
    exports: Sequence[str], message_id: str, rules: Rules, limit: int, find: _Finding
) -> _Sought:
    from convertro_cli.reading.sources import find_exports
    from convertro_cli.review.explain.find import LOOKED_ON, MessageIdJob

    found = find_exports(exports, storage=find.storage, tell=find.tell)
    return _Sought(
        found,
        MessageIdJob(message_id, rules),
        limit,
        lambda _, files: f"No message in {files} has the id {message_id}.",
        look_on=LOOKED_ON,
    )


def _event(exports: Sequence[str], event: str, rules: Rules, limit: int, find: _Finding) -> _Sought:
    from convertro_cli.review.explain.find import FilterJob
    from convertro_cli.run.selected import find_selected

    found = find_selected(exports, rules.selection, storage=find.storage, tell=find.tell)
    others = rules.selection.is_about_time or rules.selection.types
    and_passes = " and passes the other filters." if others else "."
    return _Sought(
        found,
        FilterJob(rules, limit),
        limit,
        lambda _, files: f"No track in {files} is named {event!r}{and_passes}",
        event,
    )


def _nothing(sought: _Sought, found: Search) -> ConvertroError:
    from convertro_cli.cli.event_names import advise_on_names

    exports = sought.exports
    files = exports.files[0].name if exports.found == 1 else f"{exports.found:,} files"
    message = sought.missing(found, files)
    if found.is_damaged:
        hint = "It may be where the export is damaged."
        return ConvertroError(message, hint=hint, exit_code=ExitCode.UNREADABLE_EXPORT)
    names = [sought.wanted_event] if sought.wanted_event is not None else []
    advice = advise_on_names(names, exports.files) if names else []
    return ConvertroError(message, hint=" ".join(advice) or None, exit_code=ExitCode.SOME_FAILED)
