"""A ledger that is damaged, another program's, or of another version: said, and left alone."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.exports import write_export
from tests.system.messages import orders
from tests.system.program import Workspace
from tests.system.receiving import wait_for_requests


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of a replay that went well."""
    workspace = Workspace(tmp_path_factory.mktemp("well"))
    workspace.write("export.ndjson", *orders(500))
    with Sandbox(SandboxOptions(port=0)) as sandbox:
        assert workspace.replay(sandbox.url, "export.ndjson").code == 0
    workspace.close()
    return workspace.state


def spoil_header(ledger: Path) -> None:
    ledger.write_bytes(b"\0" * 100 + ledger.read_bytes()[100:])


def spoil_pages(ledger: Path) -> None:
    content = ledger.read_bytes()
    half = len(content) // 2
    ledger.write_bytes(content[:half] + b"\xa5" * (len(content) - half))


def cut(ledger: Path) -> None:
    ledger.write_bytes(ledger.read_bytes()[: 4096 * 3])


def cut_to_a_few_bytes(ledger: Path) -> None:
    ledger.write_bytes(ledger.read_bytes()[:50])


def make_newer(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as database:
        database.execute("PRAGMA user_version = 99")


def make_foreign(ledger: Path) -> None:
    ledger.unlink()
    with closing(sqlite3.connect(ledger)) as database:
        database.execute("CREATE TABLE something (other)")


def write_text(ledger: Path) -> None:
    ledger.write_text("This is a text.\n" * 20)


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_header,
        spoil_pages,
        cut,
        cut_to_a_few_bytes,
        make_newer,
        make_foreign,
        write_text,
    ],
)
def test_it_is_left_alone(
    workspace: Workspace, sandbox: Sandbox, state: Path, spoil: Callable[[Path], None]
) -> None:
    """A run ends with 74 before it sends anything, and the file is as it was, byte for byte."""
    shutil.copytree(state, workspace.state)
    ledger = workspace.state / "ledger.db"
    spoil(ledger)
    before = ledger.read_bytes()
    workspace.write("export.ndjson", *orders(5))
    ended = workspace.run("replay", "export.ndjson", "--base-url", sandbox.url)
    ended.assert_told(74, "ledger.db", "--state")
    assert ledger.read_bytes() == before
    assert sandbox.stats()["requests"] == 0


def test_damage_beside_a_crash(workspace: Workspace) -> None:
    """A damaged ledger is left alone even where a crash left changes that are not in it yet."""
    write_export(workspace.folder / "export.ndjson", 5_000)
    with Sandbox(SandboxOptions(port=0)) as sandbox:
        command = ["replay", "export.ndjson", "--base-url", sandbox.url]
        running = workspace.start(*command)
        wait_for_requests(sandbox, 1_000)
        running.kill()
        ledger, log = workspace.state / "ledger.db", workspace.state / "ledger.db-wal"
        content = ledger.read_bytes()
        ledger.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
        log.write_bytes(log.read_bytes()[: 32 + 24 + 4096])
        before = ledger.read_bytes(), log.read_bytes()
        workspace.run(*command).assert_told(74, "ledger.db", "is damaged")
        assert (ledger.read_bytes(), log.read_bytes()) == before


def test_an_empty_file_is_a_new_ledger(workspace: Workspace, sandbox: Sandbox) -> None:
    """An empty file, as a crash of the machine may leave it, is no ledger yet."""
    workspace.state.mkdir()
    (workspace.state / "ledger.db").touch()
    workspace.write("export.ndjson", *orders(3))
    assert workspace.replay(sandbox.url, "export.ndjson").code == 0


def test_a_folder_in_its_place(workspace: Workspace, sandbox: Sandbox) -> None:
    """Something that is no file at all is told like any other fault."""
    (workspace.state / "ledger.db").mkdir(parents=True)
    workspace.write("export.ndjson", *orders(3))
    command = ["replay", "export.ndjson", "--base-url", sandbox.url]
    workspace.run(*command).assert_told(74, "ledger.db")
