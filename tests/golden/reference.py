"""The reference of the command line: what ``--help`` shows of each command, as plain text."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from textwrap import fill
from unittest.mock import patch

import typer

from convertro_cli.cli.app import app, run
from tests.golden.reports import HOME

REFERENCE = HOME / "convertro_cli" / "cli" / "REFERENCE.md"

_COLUMNS = "100"
_EXIT_CODES = "\nExit codes:"
_FRAMES = (
    (re.compile(r"^╭─ (.+?) ─*╮$", re.MULTILINE), r"\1:"),
    (re.compile(r"^│ (.*?) *│$", re.MULTILINE), r"  \1"),
    (re.compile(r"^╰─*╯\n", re.MULTILINE), "\n"),
)
_HEAD = """\
# The command line

What `--help` shows of each command, at {columns} columns. `make golden` writes this file,
and a test fails where it is out of date: to change it, change the help of the options themselves.
"""


def make_reference() -> str:
    """Give the whole reference. The exit codes, the same for every command, stand at its end."""
    parts = [_HEAD.format(columns=_COLUMNS)]
    exit_codes = ""
    for command in commands():
        shown, _, codes = plain_help(command).partition(_EXIT_CODES)
        exit_codes = exit_codes or codes
        name = " ".join(("convertro", *command))
        parts.append(f"## {name}\n\n```text\n{shown.strip()}\n```\n")
    ending = fill(" ".join(exit_codes.split()), int(_COLUMNS))
    parts.append(f"## Exit codes\n\n```text\n{ending}\n```\n")
    return "\n".join(parts)


def commands() -> Iterator[tuple[str, ...]]:
    """Give the words of every command, the program itself first, in the order of its help."""
    yield ()
    yield from _commands_of(app([]))


def _commands_of(program: typer.Typer, *words: str) -> Iterator[tuple[str, ...]]:
    for command in program.registered_commands:
        assert command.callback is not None
        yield *words, command.name or command.callback.__name__.replace("_", "-")
    for group in program.registered_groups:
        assert group.typer_instance is not None
        assert group.name is not None
        yield *words, group.name
        yield from _commands_of(group.typer_instance, *words, group.name)


def plain_help(command: tuple[str, ...]) -> str:
    """Give the help of a command without frames, colours and blanks at the ends of lines."""
    terminal = {"COLUMNS": _COLUMNS, "NO_COLOR": "1"}
    with patch.dict(os.environ, terminal), redirect_stdout(io.StringIO()) as shown:
        assert run([*command, "--help"]) == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.getvalue())
    text = re.sub(r" +$", "", text, flags=re.MULTILINE)
    for frame, instead in _FRAMES:
        text = frame.sub(instead, text)
    text = re.sub(r"^ (?! )", "", text, flags=re.MULTILINE)
    # Typer names the program as it was started, which here is as a test or a module.
    name = " ".join(("convertro", *command))
    return re.sub(r"Usage: .*?\[OPTIONS\]", f"Usage: {name} [OPTIONS]", text, count=1)
