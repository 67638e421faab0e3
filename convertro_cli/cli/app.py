"""The program's commands, and what it does with an error."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from convertro_cli import __version__
from convertro_cli.cli import log
from convertro_cli.cli.console import go_nowhere, print_error
from convertro_cli.cli.help import EXIT_CODES, Command, Commands
from convertro_cli.cli.option_groups import with_groups
from convertro_cli.errors import ConvertroError, ExitCode

_COMMANDS = (
    "init",
    "check",
    "inspect",
    "replay",
    "diff",
    "explain",
    "status",
    "forget",
    "sandbox",
)
"""The commands, in the order of their use: each is a function in the module of its name."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"convertro {__version__}")
        raise typer.Exit


def _convertro(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Replay Segment exports to Convertro: dry-run, resumable, every event accounted for."""


def app(arguments: Sequence[str]) -> typer.Typer:
    """The program as these arguments need it.

    Where the first of them names a command it is the only one there. To load all the others, and
    to build their options, would take a good part of a short command's time.
    """
    program = typer.Typer(
        name="convertro",
        cls=Commands,
        epilog=EXIT_CODES,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    program.callback()(_convertro)
    named = [name for name in _COMMANDS if [name] == [*arguments[:1]]]
    for name in named or _COMMANDS:
        command = getattr(import_module(f"convertro_cli.cli.{name}"), name)
        program.command(cls=Command, epilog=EXIT_CODES)(with_groups(command))
    if not named:
        from convertro_cli.cli.ledger import dead_letters, ledger

        program.add_typer(ledger, name="ledger")
        program.add_typer(dead_letters, name="dead-letters")
    return program


# Typer's own errors: wrong usage. Its packages keep that class in different places.
_WRONG_USAGE = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)


def run(arguments: Sequence[str]) -> int:
    """Run the program and give its exit code. Tells a ConvertroError in its own words."""
    _open_what_is_closed()
    log.begin(arguments)
    try:
        return _run_logged(arguments) if log.is_json() else _run(arguments)
    except ConvertroError as error:
        _tell(error)
        return int(error.exit_code)
    except OSError as error:  # most likely standard output, on a disk that is full
        what = error.filename or "What was to be printed could not be written"
        _tell(ConvertroError(f"{what}: {error.strerror}."))
        sys.stdout = sys.stderr  # or Python would try once more when it ends
        return int(ExitCode.CANNOT_WRITE_STATE)


def _tell(error: ConvertroError) -> None:
    """Tell an error, unless even that cannot be written: then the exit code has to do."""
    try:
        print_error(error)
    except OSError:
        go_nowhere(2)


def _run(arguments: Sequence[str]) -> int:
    try:
        app(arguments)(list(arguments))
    except SystemExit as ending:
        # Typer makes this of a reader that had enough, as in `… | head`: no failure of events.
        if isinstance(ending.__context__, BrokenPipeError):
            return int(ExitCode.OUTPUT_CLOSED)
        return ending.code if isinstance(ending.code, int) else 0
    finally:
        sys.stdout.flush()
    return 0


def _run_logged(arguments: Sequence[str]) -> int:
    """Run the program with all that it says on standard error as JSON."""
    try:
        code = app(arguments)(list(arguments), standalone_mode=False)
    except BrokenPipeError:
        go_nowhere(1)
        return int(ExitCode.OUTPUT_CLOSED)
    except SystemExit as ending:
        if isinstance(ending.__context__, BrokenPipeError):
            return int(ExitCode.OUTPUT_CLOSED)
        return ending.code if isinstance(ending.code, int) else 0
    except (ConvertroError, OSError):
        raise
    except Exception as error:
        if not isinstance(error, _WRONG_USAGE):
            _log_crash(error)
            return int(ExitCode.SOME_FAILED)
        raise ConvertroError(_in_words(error)) from None
    finally:
        sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _in_words(error: Exception) -> str:
    words = getattr(error, "format_message", lambda: str(error))()
    return str(words) or "There is no command. Try `convertro --help`."


def _log_crash(error: Exception) -> None:
    """Log a fault of the program's own, as the traceback that it would otherwise be."""
    text = "".join(traceback.format_exception(error))
    log.log_json("error", "crash", text=str(error), traceback=text, exit_code=1)


def _open_what_is_closed() -> None:
    """Have somewhere to print to even where a caller closed standard output or error."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - to the end
