"""``convertro inspect``: what is in an export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertro_cli.cli.options import (
    AccountOption,
    BaseUrlOption,
    ClientNameOption,
    DomainOption,
    EventOption,
    ExportsArgument,
    LimitOption,
    LogFormatOption,
    QuietOption,
    ReceivedSinceOption,
    ReceivedUntilOption,
    SinceOption,
    SiteIdOption,
    SuppressedOption,
    TypeOption,
    UntilOption,
    WorkersOption,
    overrides,
)
from convertro_cli.cli.outputs import Spared
from convertro_cli.cli.report_output import (
    FormatOption,
    ReportOption,
    check_format,
    choose_format,
    write_content,
    write_report,
)
from convertro_cli.errors import ConvertroError

if TYPE_CHECKING:
    from convertro_cli.settings.load import LoadedSettings


def inspect(
    exports: ExportsArgument,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE",
            help="The settings file; ./convertro.toml if it is there.",
            show_default=False,
        ),
    ] = None,
    no_config: Annotated[
        bool, typer.Option("--no-config", help="Do without settings, even if they are there.")
    ] = False,
    since: SinceOption = None,
    until: UntilOption = None,
    received_since: ReceivedSinceOption = None,
    received_until: ReceivedUntilOption = None,
    type_: TypeOption = None,
    event: EventOption = None,
    limit: LimitOption = None,
    suppressed: SuppressedOption = None,
    top: Annotated[
        int, typer.Option("--top", metavar="N", min=1, max=10_000, help="Event names to list.")
    ] = 25,
    suggest: Annotated[
        bool,
        typer.Option("--suggest", help="Print an [events] table of the names not mapped yet."),
    ] = False,
    format_: FormatOption = None,
    output: ReportOption = None,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "text",
    account: AccountOption = None,
    client_name: ClientNameOption = None,
    site_id: SiteIdOption = None,
    domain: DomainOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Show what is in exports: types, events, days and holes, what is lacking or invalid.

    With settings also what would be sent, what not, and why. Sends nothing and writes no state.

    Examples:

    * `convertro inspect exports/ --since 2024-03-01`

    * `convertro inspect exports/ --suggest > events.toml`
    """
    from convertro_cli.cli.event_names import say_which_names
    from convertro_cli.cli.filters_view import tell_of_filters
    from convertro_cli.cli.selection import read_selection
    from convertro_cli.cli.watching import Loudness, open_watcher
    from convertro_cli.review.inspect.as_json import write_json
    from convertro_cli.review.inspect.document import to_document
    from convertro_cli.review.inspect.job import rules_without_settings
    from convertro_cli.review.inspect.run import InspectOptions
    from convertro_cli.review.inspect.run import inspect as carry_out
    from convertro_cli.review.inspect.suggest import suggest as suggest_events
    from convertro_cli.run.progress import tell_of_list
    from convertro_cli.run.selected import find_selected, own_files
    from convertro_cli.settings.compile import compile_loaded

    if suggest and format_ is not None:
        raise ConvertroError(f"--suggest writes TOML, not {format_}.", hint="Leave out --format.")
    form = "terminal" if suggest else choose_format(format_, output)
    check_format(form)
    loaded = _settings(
        config,
        no_config,
        overrides(
            account=account,
            client_name=client_name,
            site_id=site_id,
            domain=domain,
            base_url=base_url,
        ),
        suppressed or [],
    )
    selection = read_selection(
        since=since,
        until=until,
        types=type_,
        events=event,
        received_since=received_since,
        received_until=received_until,
    )
    loudness = Loudness(quiet=quiet, log_format=log_format)
    with open_watcher(loudness) as watcher:
        found = find_selected(
            exports,
            selection,
            own=own_files(loaded) if loaded else (),
            storage=loaded.storage if loaded else None,
            tell=tell_of_list(watcher),
        )
    Spared(found, [loaded] if loaded else []).check("--output", output)
    if loaded:
        tell_of_filters(loaded.settings, quiet=quiet)
    with open_watcher(loudness) as watcher:
        report = carry_out(
            found,
            compile_loaded(loaded, selection) if loaded else rules_without_settings(selection),
            options=InspectOptions(
                settings=str(loaded.file) if loaded else None,
                workers=workers,
                limit=limit,
                top=top,
            ),
            watcher=watcher,
        )
    storage = loaded.storage if loaded else None
    if suggest:
        write_content(suggest_events(report).encode(), output, storage=storage)
    else:
        write_report(lambda: to_document(report), lambda: write_json(report), form, output, storage)
    if event and report.read and not report.described:
        say_which_names(event, found.files)
    raise typer.Exit(int(report.run.exit_code))


def _settings(
    config: Path | None,
    no_config: bool,
    options: Mapping[str, object],
    suppressed: Sequence[Path],
) -> LoadedSettings | None:
    """Load the settings that are named, or those that lie here; None to do without."""
    from convertro_cli.settings.load import DEFAULT_FILE, load_settings

    given = bool(suppressed) or any(value is not None for value in options.values())
    if no_config:
        if config is not None or given:
            raise ConvertroError("--no-config does without settings, but some are given.")
        return None
    if config is None and not given and not DEFAULT_FILE.exists():
        return None
    return load_settings(config or DEFAULT_FILE, options=options, suppressed=suppressed)
