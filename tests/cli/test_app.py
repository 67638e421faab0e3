"""The program as a whole: its commands, its help, and how it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from typer.models import CommandInfo

import convertro_cli.cli.app
from convertro_cli import __version__
from convertro_cli.__main__ import main
from convertro_cli.cli.app import app
from tests.cli.command_line import CommandLine

COMMANDS = ("init", "check", "replay", "status", "sandbox")


def test_the_version(convertro: CommandLine) -> None:
    """--version prints the program's name and version."""
    ended = convertro("--version")
    assert (ended.code, ended.out.decode()) == (0, f"convertro {__version__}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_examples(convertro: CommandLine, command: str) -> None:
    """Each command says what it does, and shows examples, under -h and --help."""
    assert command.encode() in convertro("--help").out
    helps = {convertro(command, option).out for option in ("-h", "--help")}
    (text,) = helps
    assert b"Usage" in text
    assert command == "init" or b"Examples" in text


@pytest.mark.parametrize(
    "arguments", [["replay"], ["replays"], ["--wrong"], ["replay", "x", "--limit", "0"]]
)
def test_wrong_usage(convertro: CommandLine, arguments: list[str]) -> None:
    """Wrong usage ends with 2, says what is wrong on standard error, and prints nothing."""
    ended = convertro(*arguments)
    assert ended.code == 2
    assert ended.err
    assert "Traceback" not in ended.err
    assert not ended.out


def _name(command: CommandInfo) -> str:
    assert command.callback is not None
    return command.callback.__name__


def test_only_the_command_that_is_named_is_made_ready() -> None:
    """Whoever names none, or one that is not there, gets all of them to choose from."""
    made = {
        words: {_name(command) for command in app(words).registered_commands}
        for words in ((), ("--help",), ("replays",), ("replay", "x"), ("status",))
    }
    assert made["replay", "x"] == {"replay"}
    assert made["status",] == {"status"}
    assert len(made[()]) == 9
    assert made[()] == made["--help",] == made["replays",]


def test_no_command(convertro: CommandLine) -> None:
    """Without a command the help is shown."""
    ended = convertro()
    assert "Usage" in ended.out.decode() + ended.err
    assert ended.code == 2


def test_no_settings(convertro: CommandLine) -> None:
    """Without a settings file the message says how to make one."""
    convertro.workspace.config.unlink()
    for command in (["check"], ["status"], ["replay", "x"]):
        convertro(*command).assert_told(2, "convertro.toml", "convertro init")


def test_the_script_and_the_module(convertro: CommandLine) -> None:
    """`convertro` and `python -m convertro_cli` are the same program."""
    script = Path(sys.executable).with_name("convertro")
    for program in ([script], [sys.executable, "-m", "convertro_cli"]):
        ended = convertro.workspace.run("--version", program=program, fresh=True)
        assert (ended.code, ended.out.decode()) == (0, f"convertro {__version__}\n")


@pytest.mark.parametrize("arguments", [["check"], ["status", "--json"], ["--help"], ["--version"]])
def test_a_reader_that_went_away(convertro: CommandLine, arguments: list[str]) -> None:
    """Where nobody reads the output any more, a command ends quietly, as by SIGPIPE."""
    reading, writing = os.pipe()
    os.close(reading)
    running = convertro.workspace.start(*arguments, stdout=writing)
    os.close(writing)
    ended = running.end()
    assert (ended.code, ended.err) == (141, "")


@pytest.mark.parametrize("arguments", [["check"], ["status", "--json"], ["--help"]])
def test_a_full_disk_behind_standard_output(convertro: CommandLine, arguments: list[str]) -> None:
    """Where the output goes to a full disk, one message says so."""
    with Path("/dev/full").open("wb") as full:
        ended = convertro.workspace.start(*arguments, stdout=full.fileno()).end()
    ended.assert_told(74, "No space left on device")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["check"], 0), (["check", "-c", "nowhere.toml"], 2), (["replay", "-n", "export.ndjson"], 74)],
)
def test_a_full_disk_behind_standard_error(
    convertro: CommandLine, arguments: list[str], code: int
) -> None:
    """Where nothing can be said the exit code still tells, and is none of failed events."""
    convertro.workspace.write("export.ndjson", {"type": "page"})
    with Path("/dev/full").open("wb") as full:
        ended = convertro.workspace.start(*arguments, stderr=full.fileno()).end()
    assert ended.code == code


def test_closed_standard_output(convertro: CommandLine) -> None:
    """A caller that closed standard output gets no traceback for it."""
    ended = convertro.workspace.start("check", before=lambda: os.close(1)).end()
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_interrupt_at_the_start(monkeypatch: pytest.MonkeyPatch, wrapped: bool) -> None:
    """Ctrl-C before a command has begun ends with 130, not with a traceback.

    Nor does one that comes while a class is made, which Python 3.11 wraps.
    """

    def interrupted(_: object) -> int:
        if wrapped:
            raise RuntimeError("Error calling __set_name__") from KeyboardInterrupt()
        raise KeyboardInterrupt

    monkeypatch.setattr(convertro_cli.cli.app, "run", interrupted)
    with pytest.raises(SystemExit) as ending:
        main()
    assert ending.value.code == 130
