"""A disk that is full: the run ends with a message, and goes on where it stopped once there is
room."""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from convertro_cli.sandbox.server import Sandbox
from tests.exports import write_export
from tests.system.ledger_view import read_ledger, read_originals
from tests.system.messages import orders
from tests.system.program import Workspace
from tests.system.receiving import accepted, expected_calls, wait_for_quiet


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Mount a small disk in memory; skips the test where that is not allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None:
        pytest.skip("there is no mount")
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no disk may be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_while_the_ledger_commits(workspace: Workspace, sandbox: Sandbox) -> None:
    """The run ends with 74; with more room the same command goes on, and no call is missing."""
    facts = write_export(workspace.folder / "export.ndjson", 20_000)
    command = ["replay", "export.ndjson", "--base-url", sandbox.url, "--state", "disk/state"]
    with small_disk(workspace.folder / "disk", "400k"):
        stopped = workspace.run(*command, "--json")
        stopped.assert_told(74, "ledger.db", "Nothing is lost")
        wait_for_quiet(sandbox)
        calls = expected_calls(workspace, sandbox.url, "export.ndjson")
        ledger = read_ledger(workspace.folder / "disk/state")
        arrived = set(accepted(sandbox.received()))
        assert 0 < len(arrived) < facts.calls
        assert arrived <= {calls[key] for key in ledger.sent | ledger.sending}
        assert len(ledger.sending) <= 256
        unwritten = orjson.loads(stopped.out)["calls"]["delivered"] - len(ledger.sent)
        assert unwritten > 0
        stopped.assert_told(74, f"the last ones ({unwritten:,} at most) could not be noted")
        workspace.run(*command).assert_told(74)

        options = ["remount", "size=40m"]
        subprocess.run(["mount", "-o", ",".join(options), workspace.folder / "disk"], check=True)
        ended = workspace.run(*command, "--json")
        assert ended.code == 0, ended.err
        received = accepted(sandbox.received())
        assert set(received) == set(calls.values())
        assert sandbox.stats()["repeats"] <= 2 * 256


@pytest.mark.parametrize("limit", [2_000, 10_000])
def test_a_disk_that_is_full_from_the_start(
    workspace: Workspace, sandbox: Sandbox, limit: int
) -> None:
    """Where not even a ledger can be made, nothing is sent; with room all goes well."""
    workspace.write("export.ndjson", *orders(3))
    command = ["replay", "export.ndjson", "--base-url", sandbox.url]

    def restrict() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    workspace.run(*command, before=restrict).assert_told(74, "ledger.db")
    assert sandbox.stats()["requests"] == 0
    assert workspace.run(*command).code == 0
    assert sandbox.stats()["accepted"] == 3


def test_dead_letters_that_find_no_room(workspace: Workspace, sandbox: Sandbox) -> None:
    """No line is known as failed whose letter is not on disk; later, each letter is there once."""
    lines = [b'{"type":"track","number":%d,"rest":"%s"' % (n, b"x" * 2_000) for n in range(500)]
    workspace.write("export.ndjson", {"type": "page"}, *lines)
    command = ["replay", "export.ndjson", "--base-url", sandbox.url]

    def restrict() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))

    workspace.run(*command, before=restrict).assert_told(74, "dead-letters.ndjson")
    originals = read_originals([workspace.dead_letters])
    assert len(read_ledger(workspace.state).failed) <= len(originals) < len(lines)
    assert workspace.run(*command).code == 1
    assert sorted(read_originals([workspace.dead_letters])) == sorted(lines)
