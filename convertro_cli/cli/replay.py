"""``convertro replay``: the main job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from msgspec.structs import replace

from convertro_cli.cli.options import (
    DEFAULT_CONFIG,
    DELIVERY,
    INPUT,
    OUTPUT,
    SETTINGS,
    WHAT_TO_SEND,
    ClusterOptions,
    ConfigOption,
    EventOption,
    JsonOption,
    LedgerOptions,
    LimitOption,
    Loudness,
    SelectionOptions,
    SendingOptions,
    SuppressedOption,
    TargetOptions,
    WorkersOption,
    load,
    option,
)
from convertro_cli.cli.replay_checks import (
    check_dry_run_options,
    check_live_options,
    load_told,
    spare_exports,
    what_to_replay,
)

if TYPE_CHECKING:
    from convertro_cli.cluster.place import ClusterPlace
    from convertro_cli.mapping.rules import Selection
    from convertro_cli.run.plan import ReplayOptions
    from convertro_cli.run.report import Report
    from convertro_cli.settings.load import LoadedSettings

_PASSED = ("delivered", "already_delivered", "already_failed", "failed")
"""What becomes of messages that passed the filters and could be sent."""


def replay(
    exports: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXPORT...",
            help="Files, folders, quoted patterns, or - for standard input.",
            show_default=False,
        ),
    ] = None,
    *,
    dead_letters: Annotated[
        bool,
        option("--dead-letters", panel=INPUT, help="Try again what failed, in place of exports."),
    ] = False,
    reread: Annotated[
        bool,
        option("--reread", panel=INPUT, help="Read files again that were replayed to their end."),
    ] = False,
    workers: WorkersOption = None,
    machines: ClusterOptions,
    filters: SelectionOptions,
    event: EventOption = None,
    limit: LimitOption = None,
    suppressed: SuppressedOption = None,
    resend: Annotated[
        bool,
        option(
            "--resend",
            panel=WHAT_TO_SEND,
            help="Send again what the ledger has as delivered or failed.",
        ),
    ] = False,
    at_most_once: Annotated[
        bool,
        option(
            "--at-most-once", panel=WHAT_TO_SEND, help="Leave alone what a crash left in doubt."
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        option(
            "--dry-run", "-n", panel=DELIVERY, help="Print what would be sent, and send nothing."
        ),
    ] = False,
    canary: Annotated[
        int | None,
        option(
            "--canary",
            panel=DELIVERY,
            metavar="N",
            min=1,
            help="Send the first N calls one by one, show each with its answer, and stop.",
        ),
    ] = None,
    yes: Annotated[
        bool,
        option(
            "--yes", "-y", panel=DELIVERY, help="Do not ask on a terminal before the first send."
        ),
    ] = False,
    max_failed: Annotated[
        str | None,
        option(
            "--max-failed",
            panel=DELIVERY,
            metavar="N or N%",
            help="Stop once more messages than that have failed or were invalid.",
        ),
    ] = None,
    sending: SendingOptions,
    output: Annotated[
        Path | None,
        option(
            "--output",
            "-o",
            panel=OUTPUT,
            metavar="FILE",
            help="Write the dry run's lines to a file.",
        ),
    ] = None,
    include_skipped: Annotated[
        bool,
        option(
            "--include-skipped",
            panel=OUTPUT,
            help="In a dry run, also say what is not sent, and why.",
        ),
    ] = False,
    as_json: JsonOption = False,
    metrics: Annotated[
        Path | None,
        option(
            "--metrics",
            panel=OUTPUT,
            metavar="FILE",
            help="Keep metrics of the runs for node_exporter.",
        ),
    ] = None,
    loudness: Loudness,
    config: ConfigOption = DEFAULT_CONFIG,
    place: LedgerOptions,
    no_ledger: Annotated[
        bool,
        option(
            "--no-ledger",
            panel=SETTINGS,
            help="In a dry run, do not ask what earlier runs delivered.",
        ),
    ] = False,
    target: TargetOptions,
) -> None:
    """Replay exports to Convertro: deliver what has not been delivered yet.

    Stop it whenever you like: the same command goes on where it stopped. On a terminal it shows
    what would go where, and asks, before the first send to a target, and where a change of the
    settings would send delivered events again under another type. Whatever is no terminal goes
    ahead.

    Examples:

    * `convertro replay --dry-run exports/ > calls.ndjson`

    * `convertro replay exports/ --canary 10`

    * `convertro replay 'exports/2024-*.gz' --since 2024-03-01`
    """
    from convertro_cli.cli.console import terminal_may_go
    from convertro_cli.cli.filters_view import tell_of_filters
    from convertro_cli.cli.on_cluster import check_ledger, choose_cluster
    from convertro_cli.cli.selection import read_selection
    from convertro_cli.cli.summary import print_summary
    from convertro_cli.cli.watching import open_watcher
    from convertro_cli.run.failures import FailureLimit

    check_dry_run_options(
        dry_run=dry_run,
        include_skipped=include_skipped,
        no_ledger=no_ledger,
        output=output,
        as_json=as_json,
    )
    live = {"--metrics": metrics, "--max-failed": max_failed, "--canary": canary}
    check_live_options(live, dry_run=dry_run, as_json=as_json, metrics=metrics)
    limit_of_failures = FailureLimit.read(max_failed) if max_failed is not None else None
    exports = what_to_replay(exports, dead_letters=dead_letters, dry_run=dry_run)
    alone = {"--limit": limit, "--workers": workers, "--canary": canary}
    cluster = choose_cluster(machines, alone | {"--dead-letters": dead_letters})
    loaded = load_told(
        config,
        lambda: load(config, sending, place, target, suppressed=suppressed),
        metrics,
    )
    if cluster is not None and not dry_run:
        check_ledger(cluster, loaded)
    selection = read_selection(filters, event)
    tell_of_filters(loaded.settings, quiet=loudness.quiet)
    if dry_run:
        from convertro_cli.cli.dry_run import run_dry
        from convertro_cli.dry_run import DryRunOptions

        with open_watcher(loudness) as watcher:
            report = run_dry(
                loaded,
                exports,
                selection,
                output=output,
                options=DryRunOptions(workers, limit, include_skipped, resend, at_most_once),
                look_into_ledger=not no_ledger,
                watcher=watcher,
                cluster=cluster,
            )
    else:
        from convertro_cli.run.plan import ReplayOptions

        options = ReplayOptions(
            workers=workers,
            limit=limit,
            resend=resend,
            reread=reread,
            at_most_once=at_most_once,
            max_failed=limit_of_failures,
            dead_letters=dead_letters,
            command=" ".join(sys.argv[1:]),
        )
        report = _deliver(
            _Order(loaded, exports, selection, options, canary, metrics, cluster),
            loudness,
            yes=yes,
        )
    if event and report.tally.read and not any(map(report.tally.messages.get, _PASSED)):
        from convertro_cli.cli.event_names import advise_on_names
        from convertro_cli.run.selected import find_selected, own_files

        report.advice += advise_on_names(
            event,
            find_selected(exports, selection, own=own_files(loaded), storage=loaded.storage).files,
        )
    with terminal_may_go():
        print_summary(report, loaded, loudness, as_json=as_json)
    raise typer.Exit(int(report.exit_code))


class _Order(NamedTuple):
    """What a live replay is asked to do."""

    loaded: LoadedSettings
    exports: list[str]
    selection: Selection
    options: ReplayOptions
    canary: int | None
    metrics: Path | None
    cluster: ClusterPlace | None


def _deliver(order: _Order, loudness: Loudness, *, yes: bool) -> Report:
    """Replay, once it is clear that somebody wants it."""
    from convertro_cli.cli.brake import brake
    from convertro_cli.cli.canary import advise_on_canary, canary_options
    from convertro_cli.cli.open_letters import advise_on_open_letters
    from convertro_cli.cli.replay_watch import tell_of
    from convertro_cli.cli.watching import open_watcher
    from convertro_cli.replay import replay as carry_out

    loaded, exports, selection, options, canary, metrics, cluster = order
    spare_exports(exports, metrics)  # not later: metrics tell of what goes wrong, too
    brake(loaded, exports, selection, options, loudness, canary=canary, yes=yes)
    with open_watcher(loudness) as watcher:
        options = replace(options, canary=canary_options(canary, watcher.notice))

        def replay_now() -> Report:
            if cluster is not None:
                from convertro_cli.cluster.replaying import replay_on_cluster

                return replay_on_cluster(
                    loaded,
                    exports,
                    selection=selection,
                    options=options,
                    watcher=watcher,
                    place=cluster,
                )
            return carry_out(loaded, exports, selection=selection, options=options, watcher=watcher)

        report = tell_of(loaded, replay_now, metrics=metrics, warn=watcher.notice)
        advise_on_canary(report, sys.argv[1:])
        advise_on_open_letters(report, loaded)
    return report
