"""The program's commands, and what it does with an error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from convertro_cli import __version__
from convertro_cli.cli.check import check
from convertro_cli.cli.console import print_error
from convertro_cli.cli.init import init
from convertro_cli.cli.replay import replay
from convertro_cli.cli.sandbox import sandbox
from convertro_cli.cli.status import status
from convertro_cli.errors import ConvertroError

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


for _command in (init, check, replay, status, sandbox):
    app.command()(_command)


def run(arguments: Sequence[str]) -> int:
    """Run the program and give its exit code. Tells a ConvertroError in its own words."""
    try:
        app(list(arguments))
    except ConvertroError as error:
        print_error(error)
        return int(error.exit_code)
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else 0
    return 0
