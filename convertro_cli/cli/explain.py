"""``convertro explain``: one message, rule by rule."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from convertro_cli.cli.completion import complete_events
from convertro_cli.cli.options import (
    AccountOption,
    BaseUrlOption,
    ClientNameOption,
    ConfigOption,
    DomainOption,
    JsonOption,
    LedgerOption,
    ReceivedSinceOption,
    ReceivedUntilOption,
    SinceOption,
    SiteIdOption,
    StateOption,
    SuppressedOption,
    TypeOption,
    UntilOption,
    overrides,
)
from convertro_cli.errors import ConvertroError, ExitCode

if TYPE_CHECKING:
    from convertro_cli.cli.search_bar import SearchBar
    from convertro_cli.mapping.rules import Rules
    from convertro_cli.reading.sources import ExportFile
    from convertro_cli.review.explain.find import FindJob
    from convertro_cli.review.explain.search import Search
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
    message_id: Annotated[
        str | None,
        typer.Option(
            "--message-id",
            metavar="ID",
            help="The message with this id; others that share it are named.",
        ),
    ] = None,
    line: Annotated[
        str | None,
        typer.Option("--line", metavar="FILE:N", help="Line N of a file, as a dry run names it."),
    ] = None,
    event: Annotated[
        str | None,
        typer.Option(
            "--event",
            metavar="NAME",
            help="The first event of this name, in any spelling.",
            autocompletion=complete_events,
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="Explain up to N messages.")
    ] = 1,
    config: ConfigOption = Path("convertro.toml"),
    since: SinceOption = None,
    until: UntilOption = None,
    received_since: ReceivedSinceOption = None,
    received_until: ReceivedUntilOption = None,
    type_: TypeOption = None,
    suppressed: SuppressedOption = None,
    show: Annotated[
        Literal["full", "masked", "none"],
        typer.Option("--show", help="How much of ids and traits to show."),
    ] = "full",
    as_json: JsonOption = False,
    state: StateOption = None,
    ledger: LedgerOption = None,
    account: AccountOption = None,
    client_name: ClientNameOption = None,
    site_id: SiteIdOption = None,
    domain: DomainOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Explain one message: each rule it met, where each value is from, and its calls.

    For a message that is not sent: the smallest change that would send it. The filters are
    looked at as a replay does. Sends nothing and writes nothing.

    Examples:

    * `convertro explain --line exports/2024-03-01.ndjson.gz:1207`

    * `convertro explain exports/ --event 'Order Completed' --show masked`
    """
    from convertro_cli.cli.check import origin_of
    from convertro_cli.cli.explain_view import print_explanations
    from convertro_cli.cli.search_bar import SearchBar
    from convertro_cli.cli.selection import read_selection
    from convertro_cli.review.explain.description import describe
    from convertro_cli.review.explain.explanation import explain as explain_line
    from convertro_cli.review.masking import Masking
    from convertro_cli.settings.compile import compile_loaded
    from convertro_cli.settings.load import load_settings

    _check_choice(exports, message_id, line, event)
    loaded = load_settings(
        config,
        options=overrides(
            account=account,
            client_name=client_name,
            site_id=site_id,
            domain=domain,
            base_url=base_url,
            state=state,
            ledger=ledger,
        ),
        suppressed=suppressed or [],
    )
    selection = read_selection(
        since=since,
        until=until,
        types=type_,
        events=[event] if event is not None else None,
        received_since=received_since,
        received_until=received_until,
    )
    rules = compile_loaded(loaded, selection)
    with closing(SearchBar()) as bar:
        if line is not None:
            found = _find_line(exports, line, bar, loaded.storage)
        elif message_id is not None:
            found = _find_message(exports or [], message_id, rules, limit, bar, loaded.storage)
        else:
            found = _find_event(exports or [], event or "", rules, limit, bar, loaded.storage)
    explained = [explain_line(each, loaded, rules) for each in found.found]
    described = [
        describe(each, loaded, Masking(show), origin_of) for each in explained if each is not None
    ]
    if not described:
        raise ConvertroError(
            f"{line} is blank: there is no message.", exit_code=ExitCode.SOME_FAILED
        )
    if as_json:
        others = {"others": found.others} if found.others else {}
        _print_json({"messages": described, **others})
    else:
        print_explanations(described)
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


def _print_json(fields: dict[str, Any]) -> None:
    import json

    import orjson

    from convertro_cli.json_text import print_json
    from convertro_cli.segment.json_text import write_json

    try:
        content = write_json(fields)
    except orjson.JSONEncodeError:  # a trait is nested almost as deep as orjson goes
        content = json.dumps(fields).encode()
    print_json(content + b"\n")


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


def _find_line(
    exports: Sequence[str] | None, line: str, bar: SearchBar, storage: StorageOptions
) -> Search:
    from convertro_cli.reading.batch import PLACE
    from convertro_cli.reading.sources import find_exports
    from convertro_cli.review.explain.find import LineJob

    wanted = PLACE.fullmatch(line)
    if wanted is None or not wanted["file"]:
        raise ConvertroError(
            f"--line {line!r} is no FILE:N.",
            hint="For example: --line export.ndjson:12, or export.json:1[3] in an array.",
        )
    name, number = wanted["file"], int(wanted["line"])
    index = None if wanted["index"] is None else int(wanted["index"])
    files = [
        file
        for file in find_exports(exports or [name], storage=storage)
        if not exports or _is_named(file, name)
    ]
    if not files:
        raise ConvertroError(
            f"{name} is not among the exports.", hint="Leave them out: --line is enough."
        )
    found = _search(files, LineJob(number, index), 1, 1, bar)
    if not found.found and index is not None:
        raise _nothing(found, f"{name} has no item {index:,} in an array in line {number:,}.")
    if not found.found:
        raise _nothing(found, f"{name} has no line {number:,}: its last is {found.lines:,}.")
    return found


def _is_named(file: ExportFile, name: str) -> bool:
    if file.place is not None:
        return name == file.name
    if file.path is None:
        return name in {"-", file.name}
    return name == file.name or os.path.realpath(name) == os.path.realpath(file.path)


def _find_message(
    exports: Sequence[str],
    message_id: str,
    rules: Rules,
    limit: int,
    bar: SearchBar,
    storage: StorageOptions,
) -> Search:
    from convertro_cli.reading.sources import find_exports
    from convertro_cli.review.explain.find import MessageIdJob
    from convertro_cli.review.explain.search import LOOKED_ON

    files = tuple(find_exports(exports, storage=storage))
    found = _search(files, MessageIdJob(message_id, rules), limit, 1, bar, look_on=LOOKED_ON)
    if not found.found:
        raise _nothing(found, f"No message in {_count(files)} has the id {message_id}.")
    return found


def _find_event(
    exports: Sequence[str],
    event: str,
    rules: Rules,
    limit: int,
    bar: SearchBar,
    storage: StorageOptions,
) -> Search:
    from convertro_cli.reading.export_set import total_size
    from convertro_cli.review.event_names import advise_on_names
    from convertro_cli.review.explain.find import FilterJob
    from convertro_cli.run.input import choose_workers
    from convertro_cli.run.selected import find_selected

    files = tuple(find_selected(exports, rules.selection, storage=storage))
    workers = choose_workers(None, total_size(files))
    found = _search(files, FilterJob(rules, limit), limit, workers, bar)
    if not found.found:
        others = rules.selection.is_about_time or rules.selection.types
        raise _nothing(
            found,
            f"No track in {_count(files)} is named {event!r}"
            + (" and passes the other filters." if others else "."),
            hint=" ".join(advise_on_names([event], files)) or None,
        )
    return found


def _search(
    files: Sequence[ExportFile],
    job: FindJob,
    most: int,
    workers: int,
    bar: SearchBar,
    *,
    look_on: int = 0,
) -> Search:
    from convertro_cli.reading.export_set import total_size
    from convertro_cli.review.explain.search import search
    from convertro_cli.text import visible

    bar.total = total_size(files)
    found = search(files, job, most=most, workers=workers, watch=bar.show, look_on=look_on)
    bar.close()
    for damage in found.damage:
        print(visible(damage), file=sys.stderr)
    if found.interrupted is not None and len(found.found) < most:
        raise typer.Exit(int(found.interrupted))
    return found


def _nothing(found: Search, message: str, *, hint: str | None = None) -> ConvertroError:
    if found.damage:
        return ConvertroError(
            message,
            hint="It may be where the export is damaged.",
            exit_code=ExitCode.UNREADABLE_EXPORT,
        )
    return ConvertroError(message, hint=hint, exit_code=ExitCode.SOME_FAILED)


def _count(files: Sequence[ExportFile]) -> str:
    return files[0].name if len(files) == 1 else f"{len(files):,} files"
