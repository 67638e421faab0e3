"""A state folder that somebody takes away under a running replay."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.exports import write_export
from tests.record.programs import program
from tests.system.messages import orders
from tests.system.program import Workspace
from tests.system.receiving import wait_for_quiet, wait_for_requests


def remove_the_lock(state: Path) -> None:
    (state / "lock").unlink()


def remove_the_ledger(state: Path) -> None:
    for file in state.glob("ledger.db*"):
        file.unlink()


def remove_all(state: Path) -> None:
    shutil.rmtree(state)


def put_a_copy_in_its_place(state: Path) -> None:
    shutil.copytree(state, state.with_name("copy"))
    state.rename(state.with_name("before"))
    state.with_name("copy").rename(state)


CHANGES = [remove_the_lock, remove_the_ledger, remove_all, put_a_copy_in_its_place]


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_noticed(workspace: Workspace, change: Callable[[Path], None]) -> None:
    """The run stops with 74 and says what was taken away; hardly anything is sent after that."""
    write_export(workspace.folder / "export.ndjson", 20_000)
    with Sandbox(SandboxOptions(port=0, latency_s=0.02)) as sandbox:
        command = ["replay", "export.ndjson", "--base-url", sandbox.url, "--concurrency", "8"]
        running = workspace.start(*command)
        wait_for_requests(sandbox, 100)
        before = sandbox.stats()["requests"]
        change(workspace.state)
        ended = running.end()
        wait_for_quiet(sandbox)
        after = sandbox.stats()["requests"]
    ended.assert_told(74, "was re", "while this run was using it")
    assert after - before < 1_000  # the calls of the commits under way, of some thousands


@pytest.mark.parametrize("change", CHANGES)
def test_a_second_run_sends_nothing(workspace: Workspace, change: Callable[[Path], None]) -> None:
    """Whatever was taken away, the next run finds that one is still at it, and ends with 75."""
    workspace.write("export.ndjson", *orders(5))
    with Sandbox(SandboxOptions(port=0, latency_s=3600)) as sandbox:
        command = ["replay", "export.ndjson", "--base-url", sandbox.url]
        first = workspace.start(*command)
        wait_for_requests(sandbox, 5)
        change(workspace.state)
        workspace.run(*command).assert_told(75, "Another run holds")
        assert sandbox.stats()["requests"] == 5
        first.kill()


HOLDING = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


def test_another_program_that_holds_the_ledger(workspace: Workspace, sandbox: Sandbox) -> None:
    """A replay says so and waits, sends nothing before, and goes on once it is free."""
    workspace.write("export.ndjson", *orders(3))
    workspace.write("more.ndjson", *orders(3, 10))
    assert workspace.replay(sandbox.url, "export.ndjson").code == 0
    with program(HOLDING, workspace.state / "ledger.db", stdin=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        running = workspace.start("replay", "more.ndjson", "--base-url", sandbox.url)
        running.wait_for_err("held by another program")
        assert sandbox.stats()["requests"] == 3
        other.communicate("")
        ended = running.end()
    assert (ended.code, sandbox.stats()["unique"]) == (0, 6)
