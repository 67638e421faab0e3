"""What goes to the eyes: standard error, plain where it is no terminal, never raw control codes."""

from __future__ import annotations

import errno
import os
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from convertro_cli.cli.log import is_json, log_error, log_json
from convertro_cli.errors import ConvertroError
from convertro_cli.text import visible

if TYPE_CHECKING:
    from rich.console import Console


def output_console() -> Console:
    """Give the console on standard output, for the commands whose result is for eyes.

    Rich honours NO_COLOR and a pipe by itself.
    """
    from rich.console import Console

    return Console(highlight=False)


@contextmanager
def terminal_may_go() -> Iterator[None]:
    """Let whatever is printed on a terminal that was closed go nowhere.

    Nobody is there to read it, and the run has to come to its own end all the same.
    """
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        for descriptor in (1, 2):
            if _is_gone(descriptor):
                go_nowhere(descriptor)


def go_nowhere(descriptor: int) -> None:
    """Have what is still to be written there go nowhere: Python would try once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _is_gone(descriptor: int) -> bool:
    """Whether this is a terminal that was closed: it answers nothing but an error."""
    try:
        termios.tcgetattr(descriptor)
    except termios.error as error:
        return bool(error.args[0] == errno.EIO)
    return False


def print_note(text: str) -> None:
    """Tell what a person should know, though it keeps nobody from going on."""
    if is_json():
        log_json("warning", "notice", text=text)
    else:
        print(visible(f"convertro: note: {text}"), file=sys.stderr)


def print_error(error: ConvertroError) -> None:
    """Tell an error: what happened, then what to do."""
    if is_json():
        log_error(error)
        return
    lines = [visible(line) for line in error.message.split("\n")]
    print("convertro: " + "\n".join(lines), file=sys.stderr)
    if error.hint:
        print("  → " + visible(error.hint), file=sys.stderr)
