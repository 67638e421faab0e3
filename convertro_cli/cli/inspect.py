"""``convertro inspect``: what is in an export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertro_cli.cli.options import (
    DEFAULT_CONFIG,
    OUTPUT,
    SETTINGS,
    ClusterOptions,
    EventOption,
    ExportsArgument,
    LimitOption,
    Loudness,
    SelectionOptions,
    SuppressedOption,
    TargetOptions,
    WorkersOption,
    load,
    option,
)
from convertro_cli.cli.outputs import Spared
from convertro_cli.cli.report_output import ReportOptions, write_content
from convertro_cli.errors import ConvertroError

if TYPE_CHECKING:
    from convertro_cli.settings.load import LoadedSettings


def inspect(
    exports: ExportsArgument,
    *,
    workers: WorkersOption = None,
    machines: ClusterOptions,
    filters: SelectionOptions,
    event: EventOption = None,
    limit: LimitOption = None,
    suppressed: SuppressedOption = None,
    top: Annotated[
        int,
        option("--top", panel=OUTPUT, metavar="N", min=1, max=10_000, help="Event names to list."),
    ] = 25,
    suggest: Annotated[
        bool,
        option(
            "--suggest", panel=OUTPUT, help="Print an [events] table of the names not mapped yet."
        ),
    ] = False,
    written: ReportOptions,
    loudness: Loudness,
    config: Annotated[
        Path | None,
        option(
            "--config",
            "-c",
            panel=SETTINGS,
            metavar="FILE",
            help="The settings file; ./convertro.toml if it is there.",
            show_default=False,
        ),
    ] = None,
    no_config: Annotated[
        bool,
        option("--no-config", panel=SETTINGS, help="Do without settings, even if they are there."),
    ] = False,
    target: TargetOptions,
) -> None:
    """Show what is in exports: types, events, days and holes, what is lacking or invalid.

    With settings also what would be sent, what not, and why. Sends nothing and writes no state.

    Examples:

    * `convertro inspect exports/ --since 2024-03-01`

    * `convertro inspect exports/ --suggest > events.toml`
    """
    from convertro_cli.cli.event_names import say_which_names
    from convertro_cli.cli.filters_view import tell_of_filters
    from convertro_cli.cli.on_cluster import choose_cluster, spread_over
    from convertro_cli.cli.selection import read_selection
    from convertro_cli.cli.watching import open_watcher
    from convertro_cli.review.inspect.document import to_document
    from convertro_cli.review.inspect.job import rules_without_settings
    from convertro_cli.review.inspect.run import InspectOptions
    from convertro_cli.review.inspect.run import inspect as carry_out
    from convertro_cli.review.inspect.suggest import suggest as suggest_events
    from convertro_cli.review.report.as_json import write_report
    from convertro_cli.run.progress import tell_of_list
    from convertro_cli.run.selected import find_selected, own_files
    from convertro_cli.settings.compile import compile_loaded

    if suggest and written.format_ is not None:
        raise ConvertroError(
            f"--suggest writes TOML, not {written.format_}.", hint="Leave out --format."
        )
    form = "terminal" if suggest else written.choose()
    cluster = choose_cluster(machines, {"--limit": limit, "--workers": workers})
    loaded = _settings(config, no_config, target, suppressed or [])
    selection = read_selection(filters, event)
    with open_watcher(loudness) as watcher:
        found = find_selected(
            exports,
            selection,
            own=own_files(loaded) if loaded else (),
            storage=loaded.storage if loaded else None,
            tell=tell_of_list(watcher),
        )
    Spared(found, [loaded] if loaded else []).check("--output", written.output)
    if loaded:
        tell_of_filters(loaded.settings, quiet=loudness.quiet)
    storage = loaded.storage if loaded else None
    with (
        open_watcher(loudness) as watcher,
        spread_over(cluster, storage, watcher.notice) as spread,
    ):
        report = carry_out(
            found,
            compile_loaded(loaded, selection) if loaded else rules_without_settings(selection),
            options=InspectOptions(
                settings=str(loaded.file) if loaded else None, workers=workers, limit=limit, top=top
            ),
            watcher=watcher,
            spread=spread,
        )
    if suggest:
        write_content(suggest_events(report).encode(), written.output, storage=storage)
    else:
        written.write(form, lambda: to_document(report), lambda: write_report(report), storage)
    if event and report.messages.read and not report.messages.described:
        say_which_names(event, found.files)
    raise typer.Exit(int(report.exit_code))


def _settings(
    config: Path | None, no_config: bool, target: TargetOptions, suppressed: Sequence[Path]
) -> LoadedSettings | None:
    """Load the settings that are named, or those that lie here; None to do without."""
    given = bool(suppressed) or target != TargetOptions()
    if no_config:
        if config is not None or given:
            raise ConvertroError("--no-config does without settings, but some are given.")
        return None
    if config is None and not given and not DEFAULT_CONFIG.exists():
        return None
    try:
        return load(config or DEFAULT_CONFIG, target, suppressed=suppressed)
    except ConvertroError as error:
        if config is None:  # nobody asked for settings: they only lie here, perhaps half written
            way = "To look without settings: --no-config."
            error.hint = f"{error.hint} {way}" if error.hint else way
        raise
