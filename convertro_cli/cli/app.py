"""The program's commands, and what it does with an error."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from convertro_cli import __version__
from convertro_cli.cli.check import check
from convertro_cli.cli.console import print_error
from convertro_cli.cli.diff import diff
from convertro_cli.cli.explain import explain
from convertro_cli.cli.init import init
from convertro_cli.cli.inspect import inspect
from convertro_cli.cli.ledger import dead_letters, ledger
from convertro_cli.cli.replay import replay
from convertro_cli.cli.sandbox import sandbox
from convertro_cli.cli.status import status
from convertro_cli.errors import ConvertroError, ExitCode

app = typer.Typer(
    name="convertro",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"convertro {__version__}")
        raise typer.Exit


@app.callback()
def convertro(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Replay Segment exports to Convertro: dry-run, resumable, every event accounted for."""


for _command in (init, check, inspect, replay, diff, explain, status, sandbox):
    app.command()(_command)
app.add_typer(ledger, name="ledger")
app.add_typer(dead_letters, name="dead-letters")


def run(arguments: Sequence[str]) -> int:
    """Run the program and give its exit code. Tells a ConvertroError in its own words."""
    _open_what_is_closed()
    try:
        return _run(arguments)
    except ConvertroError as error:
        print_error(error)
        return int(error.exit_code)
    except OSError as error:  # most likely standard output, on a disk that is full
        what = error.filename or "What was to be printed could not be written"
        print_error(ConvertroError(f"{what}: {error.strerror}."))
        sys.stdout = sys.stderr  # or Python would try once more when it ends
        return int(ExitCode.CANNOT_WRITE_STATE)


def _run(arguments: Sequence[str]) -> int:
    try:
        app(list(arguments))
    except SystemExit as ending:
        # Typer makes this of a reader that had enough, as in `… | head`: no failure of events.
        if isinstance(ending.__context__, BrokenPipeError):
            return int(ExitCode.OUTPUT_CLOSED)
        return ending.code if isinstance(ending.code, int) else 0
    finally:
        sys.stdout.flush()
    return 0


def _open_what_is_closed() -> None:
    """Have somewhere to print to even where a caller closed standard output or error."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - to the end
