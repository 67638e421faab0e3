"""A state folder that somebody takes away under a running replay."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from convertro_cli.sandbox import Sandbox, SandboxOptions
from tests.exports import write_export
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
