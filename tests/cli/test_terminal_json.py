"""JSON for programs that ends up on a terminal, and in a pipe."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from tests.system.messages import order
from tests.system.program import Workspace

NASTY = "x\x9b31m\u202ey\u2028z\x7f"
SETTINGS = '[convertro]\naccount = "acme"\n[mapping]\nunmapped_events = "send"\n'
HARMFUL = ("\x9b", "\u202e", "\u2028", "\x7f")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A folder with an export whose ids and names would speak to a terminal."""
    workspace = Workspace(tmp_path, SETTINGS)
    workspace.write("e.ndjson", order(1, messageId=NASTY, event=NASTY, userId=NASTY), b"nonsense")
    yield workspace
    workspace.close()


def on_a_terminal(workspace: Workspace, *arguments: str) -> bytes:
    """Run the program on a terminal; give all that it showed."""
    ours, theirs = pty.openpty()
    running = workspace.start(*arguments, environ={"TERM": "dumb"}, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # the end of a terminal
        while block := os.read(ours, 65536):
            shown += block
    running.end()
    os.close(ours)
    return shown


COMMANDS = [
    ("replay", "--dry-run", "--quiet", "e.ndjson"),
    ("replay", "--dry-run", "--quiet", "--json", "-o", "calls.ndjson", "e.ndjson"),
    ("replay", "--dry-run", "--log-format", "json", "-o", "calls.ndjson", "e.ndjson"),
    ("inspect", "--quiet", "--format", "json", "e.ndjson"),
    ("diff", "--quiet", "--format", "json", "convertro.toml", "convertro.toml", "e.ndjson"),
    ("explain", "--json", "--line", "e.ndjson:1"),
]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_terminal_gets_escapes(workspace: Workspace, arguments: Sequence[str]) -> None:
    """Each line is JSON still, and no character of it speaks to the terminal."""
    shown = on_a_terminal(workspace, *arguments).decode()
    lines = shown.replace("\r\n", "\n").splitlines()
    assert lines
    assert all(isinstance(orjson.loads(line), dict) for line in lines)
    assert not [each for each in HARMFUL if each in shown]


def test_a_pipe_gets_the_bytes_as_they_are(workspace: Workspace) -> None:
    """A program needs no escapes, and the dry run's bytes are the same in a file and a pipe."""
    piped = workspace.run("replay", "--dry-run", "--quiet", "e.ndjson").out
    workspace.run("replay", "--dry-run", "--quiet", "e.ndjson", "-o", "calls.ndjson")
    assert piped == (workspace.folder / "calls.ndjson").read_bytes()
    assert "\u202e".encode() in piped


def test_the_same_json_either_way(workspace: Workspace) -> None:
    """What a terminal shows is equal to what a pipe gets."""
    command = ("replay", "--dry-run", "--quiet", "e.ndjson")
    shown = [orjson.loads(line) for line in on_a_terminal(workspace, *command).splitlines()]
    assert shown == workspace.run(*command).lines
