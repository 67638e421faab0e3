"""``convertro replay``: the main job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from convertro_cli.cli.options import (
    AccountOption,
    BaseUrlOption,
    ClientNameOption,
    ConcurrencyOption,
    ConfigOption,
    DomainOption,
    EventOption,
    JsonOption,
    LedgerOption,
    LimitOption,
    LogFormatOption,
    QuietOption,
    RateLimitOption,
    SinceOption,
    SiteIdOption,
    StateOption,
    TransportOption,
    TypeOption,
    UntilOption,
    WorkersOption,
    overrides,
)
from convertro_cli.errors import ConvertroError


def replay(
    exports: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXPORT...",
            help="Files, folders, quoted patterns, or - for standard input.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = Path("convertro.toml"),
    since: SinceOption = None,
    until: UntilOption = None,
    type_: TypeOption = None,
    event: EventOption = None,
    limit: LimitOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Print what would be sent, and send nothing.")
    ] = False,
    include_skipped: Annotated[
        bool,
        typer.Option("--include-skipped", help="In a dry run, also say what is not sent, and why."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the dry run's lines to a file."),
    ] = None,
    no_ledger: Annotated[
        bool,
        typer.Option("--no-ledger", help="In a dry run, do not ask what earlier runs delivered."),
    ] = False,
    workers: WorkersOption = None,
    reread: Annotated[
        bool, typer.Option("--reread", help="Read files again that were replayed to their end.")
    ] = False,
    resend: Annotated[
        bool,
        typer.Option("--resend", help="Send again what the ledger has as delivered or failed."),
    ] = False,
    at_most_once: Annotated[
        bool,
        typer.Option("--at-most-once", help="Leave alone what a crash left in doubt."),
    ] = False,
    dead_letters: Annotated[
        bool,
        typer.Option("--dead-letters", help="Try again what failed, in place of exports."),
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "text",
    transport: TransportOption = None,
    concurrency: ConcurrencyOption = None,
    rate_limit: RateLimitOption = None,
    state: StateOption = None,
    ledger: LedgerOption = None,
    account: AccountOption = None,
    client_name: ClientNameOption = None,
    site_id: SiteIdOption = None,
    domain: DomainOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Replay exports to Convertro: deliver what has not been delivered yet.

    Stop it whenever you like: the same command goes on where it stopped.

    Examples:

    * `convertro replay --dry-run exports/ > calls.ndjson`

    * `convertro replay 'exports/2024-*.gz' --since 2024-03-01`
    """
    from convertro_cli.cli.selection import read_selection
    from convertro_cli.cli.summary import print_summary
    from convertro_cli.cli.watching import Loudness, open_watcher
    from convertro_cli.settings.load import load_settings

    _check_options(
        dry_run=dry_run,
        include_skipped=include_skipped,
        no_ledger=no_ledger,
        output=output,
        as_json=as_json,
    )
    if bool(exports) == dead_letters:
        raise ConvertroError(
            "What is to be replayed? Name exports, or --dead-letters: one of them.",
            hint="For example: convertro replay exports/",
        )
    loaded = load_settings(
        config,
        options=overrides(
            account=account,
            client_name=client_name,
            site_id=site_id,
            domain=domain,
            base_url=base_url,
            transport=transport,
            concurrency=concurrency,
            rate_limit=rate_limit,
            state=state,
            ledger=ledger,
        ),
    )
    selection = read_selection(since=since, until=until, types=type_, events=event)
    loudness = Loudness(quiet=quiet, log_format=log_format)
    with open_watcher(loudness) as watcher:
        if dry_run:
            from convertro_cli.cli.dry_run import run_dry
            from convertro_cli.dry_run import DryRunOptions

            if dead_letters:
                raise ConvertroError(
                    "--dead-letters does not go with --dry-run.",
                    hint="`convertro dead-letters export -o FILE`, then a dry run of that file.",
                )
            report = run_dry(
                loaded,
                exports or [],
                selection,
                output=output,
                options=DryRunOptions(workers, limit, include_skipped, resend, at_most_once),
                look_into_ledger=not no_ledger,
                watcher=watcher,
            )
        else:
            from convertro_cli.replay import replay as carry_out
            from convertro_cli.run.plan import ReplayOptions

            report = carry_out(
                loaded,
                exports or [],
                selection=selection,
                options=ReplayOptions(
                    workers=workers,
                    limit=limit,
                    resend=resend,
                    reread=reread,
                    at_most_once=at_most_once,
                    dead_letters=dead_letters,
                    command=" ".join(sys.argv[1:]),
                ),
                watcher=watcher,
            )
    print_summary(report, loaded, loudness, as_json=as_json)
    raise typer.Exit(int(report.exit_code))


def _check_options(
    *, dry_run: bool, include_skipped: bool, no_ledger: bool, output: Path | None, as_json: bool
) -> None:
    if dry_run and as_json and output is None:
        raise ConvertroError(
            "--json and the dry run's lines would both go to standard output.",
            hint="Give the lines a file: --output FILE.",
        )
    given = {
        "--output": output is not None,
        "--include-skipped": include_skipped,
        "--no-ledger": no_ledger,
    }
    misplaced = [name for name, is_given in given.items() if is_given]
    if not dry_run and misplaced:
        raise ConvertroError(f"{misplaced[0]} goes with --dry-run.")
