"""What goes to the eyes: standard error, plain where it is no terminal, never raw control codes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from convertro_cli.cli.log import is_json, log_error
from convertro_cli.errors import ConvertroError

if TYPE_CHECKING:
    from rich.console import Console


def error_console() -> Console:
    """Give the console on standard error. Rich honours NO_COLOR and a pipe by itself."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def output_console() -> Console:
    """Give the console on standard output, for the commands whose result is for eyes."""
    from rich.console import Console

    return Console(highlight=False)


def visible(text: str) -> str:
    """Show control characters as escapes: no event may speak to the terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def print_error(error: ConvertroError) -> None:
    """Tell an error: what happened, then what to do."""
    if is_json():
        log_error(error)
        return
    lines = [visible(line) for line in error.message.split("\n")]
    print("convertro: " + "\n".join(lines), file=sys.stderr)
    if error.hint:
        print("  → " + visible(error.hint), file=sys.stderr)
