"""``convertro status``: what the ledger holds."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertro_cli.cli.options import ConfigOption, JsonOption, LedgerOption, StateOption, overrides

if TYPE_CHECKING:
    from rich.console import Console

    from convertro_cli.record.overview import Overview, RunRow


def status(
    config: ConfigOption = Path("convertro.toml"),
    state: StateOption = None,
    ledger: LedgerOption = None,
    latest: Annotated[
        int, typer.Option("--latest", metavar="N", min=1, help="How many runs and files to list.")
    ] = 5,
    as_json: JsonOption = False,
) -> None:
    """Show what the ledger holds: runs, files, counts, and failures by reason.

    Examples:

    * `convertro status`

    * `convertro status --state /var/lib/convertro --json`
    """
    from convertro_cli.cli.console import output_console, visible
    from convertro_cli.record.backends import read_overview
    from convertro_cli.settings.load import load_settings

    loaded = load_settings(config, options=overrides(state=state, ledger=ledger))
    place = loaded.ledger
    overview = read_overview(place, latest=latest)
    if as_json:
        import orjson

        found = asdict(overview) if overview else {}
        sys.stdout.buffer.write(orjson.dumps({"state": str(place), **found}) + b"\n")
        return
    if overview is None:
        typer.echo(f"There is no ledger in {visible(str(place))} yet: nothing was replayed.")
        return
    _print(output_console(), str(place), overview)


def _print(console: Console, place: str, overview: Overview) -> None:
    from rich.table import Table

    from convertro_cli.cli.console import visible

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
    runs = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("run", "started", "read", "delivered", "failed", "ended"):
        runs.add_column(heading, justify="left" if heading in {"started", "ended"} else "right")
    for run in overview.runs:
        runs.add_row(*_run_cells(run))
    console.print(f"\nRuns ({overview.runs_total:,})")
    console.print(runs)
    if overview.files:
        console.print(f"\nFiles replayed to their end ({overview.files_total:,})")
        for file in overview.files:
            line = f"  {file.finished_at}  {file.size:>14,} bytes  {visible(file.path)}"
            console.print(line, markup=False, soft_wrap=True)


def _run_cells(run: RunRow) -> list[str]:
    if run.summary is None:
        return [str(run.number), run.started_at, "", "", "", "did not end, or is under way"]
    messages = run.summary["messages"]
    ended = f"exit {run.summary['exit_code']}"
    return [
        str(run.number),
        run.started_at,
        *(f"{messages[name]:,}" for name in ("read", "delivered", "failed")),
        ended,
    ]
