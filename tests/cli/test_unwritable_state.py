"""A state folder where nothing can be written: on a disk mounted read-only, or of somebody else."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine
from tests.mapping.messages import web_message

_NOBODY = 65534
ORDER = web_message("track", event="Order Completed", messageId="m", properties={"order_id": "o"})
LOOKS = (
    ("status", "--json"),
    ("replay", "--dry-run", "export.ndjson"),
    ("explain", "--line", "export.ndjson:1"),
)


@pytest.fixture
def convertro(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], sandbox: Sandbox
) -> Iterator[CommandLine]:
    """The command line where an export was replayed, in a folder that all may look into."""
    folder = Path(tempfile.mkdtemp(prefix="state-"))
    monkeypatch.chdir(folder)
    command_line = CommandLine(folder, capfdbinary)
    command_line.workspace.write("export.ndjson", ORDER)
    file = command_line.workspace.config
    file.write_text(f'{file.read_text()}\n[wire]\nbase_url = "{sandbox.url}"\n')
    assert command_line("replay", "export.ndjson", "--yes").code == 0
    yield command_line
    command_line.workspace.close()
    shutil.rmtree(folder)


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Have nothing be written there, also where the tests run as root."""
    for path in folder.parent.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    folder.parent.chmod(0o755)
    folder.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(_NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        yield
    folder.chmod(0o755)


def test_a_ledger_is_looked_into_where_nothing_can_be_written(convertro: CommandLine) -> None:
    """With what is told of it elsewhere; SQLite by itself would make a file beside it."""
    state = convertro.workspace.state
    expected = [convertro(*command).out for command in LOOKS]
    before = sorted(state.iterdir())
    with unwritable(state):
        found = [convertro(*command) for command in LOOKS]
    assert [each.code for each in found] == [0, 0, 0], [each.err for each in found]
    assert [each.out for each in found] == expected
    assert "already delivered" in found[1].err
    assert sorted(state.iterdir()) == before


def test_a_log_that_cannot_be_taken_in_is_told(convertro: CommandLine) -> None:
    """What a crash left is part of the ledger, and is not left out in silence."""
    ledger = convertro.workspace.state / "ledger.db"
    log = ledger.with_name("ledger.db-wal")
    database = sqlite3.connect(ledger, isolation_level=None)
    database.execute("CREATE TABLE of_a_crash (x)")
    content = log.read_bytes()
    database.close()
    log.write_bytes(content)
    with unwritable(ledger.parent):
        for command in LOOKS[:2]:
            told = convertro(*command)
            assert told.code == 74
            assert "its last run did not end well" in told.err
            assert "Copy the state folder to where you can write" in told.err
