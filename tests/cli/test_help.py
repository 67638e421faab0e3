"""The help of each command reads like one that a person wrote."""

from __future__ import annotations

import re

import pytest

from convertro_cli.cli.app import app
from convertro_cli.errors import ExitCode
from tests.cli.command_line import CommandLine

COMMANDS = [
    command.callback.__name__ for command in app([]).registered_commands if command.callback
]


def help_of(convertro: CommandLine, monkeypatch: pytest.MonkeyPatch, *command: str) -> str:
    """What --help shows on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    ended = convertro(*command, "--help")
    assert ended.code == 0
    return ended.out.decode()


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_it_shows_no_types_of_python(
    convertro: CommandLine, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """A switch takes no value; exports are EXPORT..., not a list of str; nothing is in braces."""
    shown = help_of(convertro, monkeypatch, *command)
    assert not re.findall(r"<bool>|list\[|<str>|[{}]|\.\.\.\.|\.\.\.\]\.\.\.", shown)


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_it_ends_with_the_exit_codes(
    convertro: CommandLine, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """Every code that the program may end with is there, after all the options."""
    shown = help_of(convertro, monkeypatch, *command)
    ending = " ".join(shown[shown.rindex("╯") :].split())
    assert "Exit codes: 0 all is well" in ending
    assert {int(number) for number in re.findall(r"\d+", ending)} >= {
        *map(int, ExitCode),
        129,
    } - {int(ExitCode.OK)}


def test_the_usage_line(convertro: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names what a command takes once."""
    assert " inspect [OPTIONS] EXPORT...\n" in re.sub(
        " +\n", "\n", help_of(convertro, monkeypatch, "inspect")
    )
    assert "explain [OPTIONS] [EXPORT...]" in help_of(convertro, monkeypatch, "explain")
