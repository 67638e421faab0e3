"""``convertro status``: what the ledger holds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import asdict

from convertro_cli.cli.options import (
    DEFAULT_CONFIG,
    OUTPUT,
    ConfigOption,
    JsonOption,
    LedgerOptions,
    load,
    option,
)
from convertro_cli.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from convertro_cli.record.open_letters import OpenLetters
    from convertro_cli.record.overview import Overview, RunRow, TargetRow


def status(
    *,
    latest: Annotated[
        int,
        option(
            "--latest", panel=OUTPUT, metavar="N", min=1, help="How many runs and files to list."
        ),
    ] = 5,
    exit_code: Annotated[
        bool,
        option(
            "--exit-code",
            panel=OUTPUT,
            help="End with 1 if dead letters are open or a last run failed.",
        ),
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    ledger: LedgerOptions,
) -> None:
    """Show what the ledger holds: by target what is open and in doubt, runs, files, counts.

    A dead letter is open until it is replayed, its event is delivered, or its file is taken away.

    Examples:

    * `convertro status`

    * `convertro status --state /var/lib/convertro --json`

    * `convertro status --exit-code > /dev/null || echo 'look at convertro'`
    """
    from convertro_cli.json_text import print_json
    from convertro_cli.record.backends import read_overview
    from convertro_cli.text import visible

    place = load(config, ledger, with_files=False).ledger
    overview = read_overview(place, latest=latest)
    if as_json:
        import orjson

        found = asdict(overview) if overview else {}
        print_json(orjson.dumps({"state": str(place), **found}, default=asdict) + b"\n")
    elif overview is None:
        typer.echo(f"There is no ledger in {visible(str(place))} yet: nothing was replayed.")
    else:
        _print(_console(), str(place), overview)
    if exit_code and overview is not None and overview.wants_attention:
        raise typer.Exit(int(ExitCode.SOME_FAILED))


def _console() -> Console:
    """Give a console as wide as the terminal; a pipe has no width, and nothing is cut off."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 1000)


def _print(console: Console, place: str, overview: Overview) -> None:
    from rich.table import Table

    from convertro_cli.text import visible

    console.print(f"Ledger in {visible(place)}", markup=False, soft_wrap=True)
    counts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    counts.add_column()
    counts.add_column(justify="right")
    counts.add_row("calls delivered", f"{overview.sent:,}")
    counts.add_row("calls and lines failed", f"{overview.failed:,}")
    for reason, number in overview.failures.items():
        counts.add_row(f"  {visible(reason)}", f"{number:,}")
    counts.add_row("calls in doubt", f"{overview.in_doubt:,}")
    counts.add_row("dead letters", f"{overview.dead_letters:,}")
    console.print(counts)
    for target in overview.targets:
        console.print(f"\n{visible(target.name)}", markup=False, soft_wrap=True)
        for label, text in _target_lines(target):
            console.print(f"  {label:<20}{visible(text)}", markup=False, soft_wrap=True)
    runs = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("run", "started", "read", "delivered", "failed", "ended"):
        is_text = heading in {"started", "ended"}
        runs.add_column(heading, justify="left" if is_text else "right", no_wrap=True)
    for run in overview.runs:
        runs.add_row(*_run_cells(run))
    console.print(f"\nRuns ({overview.runs_total:,})")
    console.print(runs)
    if overview.files:
        console.print(f"\nFiles replayed to their end ({overview.files_total:,})")
        for file in overview.files:
            line = f"  {file.finished_at}  {file.size:>14,} bytes  {visible(file.path)}"
            console.print(line, markup=False, soft_wrap=True)


def _target_lines(target: TargetRow) -> Iterator[tuple[str, str]]:
    """Say of a target what somebody should know who looks after it."""
    if target.last_run is not None:
        run = target.last_run
        yield "last run", f"{run.number}, started {run.started_at}: {_ending(run)}{_why(run)}"
    yield "open dead letters", _open(target.dead_letters)
    yield "calls", f"{target.sent:,} delivered, {target.failed:,} failed"
    yield "in doubt", f"{target.in_doubt:,}"


def _open(letters: OpenLetters) -> str:
    if not letters.count:
        return "none"
    ranked = sorted(letters.reasons.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{number:,} {reason}" for reason, number in ranked)
    since = f", the oldest from {letters.oldest}" if letters.oldest else ""
    return f"{letters.count:,}{since}: {listed}"


def _ending(run: RunRow) -> str:
    if run.under_way:
        return "under way"
    return "end not written" if run.exit_code is None else f"exit {run.exit_code}"


def _why(run: RunRow) -> str:
    """Say what may have happened where the ledger does not know how a run ended."""
    if run.under_way or run.exit_code is not None:
        return ""
    return " (killed, or the ledger could not be written); the same command goes on from there"


def _run_cells(run: RunRow) -> list[str]:
    messages = (run.summary or {}).get("messages", {})
    counts = (messages.get(name) for name in ("read", "delivered", "failed"))
    return [
        str(run.number),
        run.started_at,
        *(f"{number:,}" if number is not None else "" for number in counts),
        _ending(run),
    ]
