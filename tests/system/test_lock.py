"""Runs on one ledger never overlap."""

from __future__ import annotations

import sys

from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.system.messages import orders
from tests.system.program import Ended, Workspace
from tests.system.receiving import accepted, wait_for_quiet, wait_for_requests

READY_AND_WAITING = """
import pathlib, sys, time
import convertro_cli.cli.app, convertro_cli.replay, convertro_cli.delivery.curl_transport
from convertro_cli.__main__ import main
pathlib.Path(sys.argv.pop(1)).touch()
while not pathlib.Path("go").exists():
    time.sleep(0.0001)
main()
"""


def assert_turned_away(ended: Ended, holder: int) -> None:
    """A run ended with 75 and named the process that holds the lock."""
    ended.assert_told(75, f"process {holder} on ", "(convertro replay export.ndjson")
    assert not ended.out


def test_the_second_run_names_the_first(workspace: Workspace) -> None:
    """While one run holds the lock, another ends with 75 and names it; a dry run may pass."""
    workspace.write("export.ndjson", *orders(5))
    with Sandbox(SandboxOptions(port=0, latency_s=3600)) as sandbox:
        command = ["replay", "export.ndjson", "--base-url", sandbox.url]
        first = workspace.start(*command)
        wait_for_requests(sandbox, 5)
        assert_turned_away(workspace.run(*command), first.process.pid)
        assert workspace.run(*command, "--dry-run").code == 0
        assert workspace.run("status").code == 0
        assert sandbox.stats()["requests"] == 5
        first.kill()


def test_a_killed_run_holds_nothing(workspace: Workspace, sandbox: Sandbox) -> None:
    """The lock of a run that was killed is free, whatever its file says."""
    workspace.write("export.ndjson", *orders(5))
    with Sandbox(SandboxOptions(port=0, latency_s=3600)) as silent:
        running = workspace.start("replay", "export.ndjson", "--base-url", silent.url)
        wait_for_requests(silent, 5)
        running.kill()
    assert str(running.process.pid) in (workspace.state / "lock").read_text()
    assert workspace.replay(sandbox.url, "export.ndjson").code == 0


def test_runs_started_at_the_same_instant(workspace: Workspace) -> None:
    """Of runs that start at the same instant, on no ledger yet, one goes on; the rest name it."""
    workspace.write("export.ndjson", *orders(5))
    with Sandbox(SandboxOptions(port=0, latency_s=1.5), keep_requests=True) as sandbox:
        program = (sys.executable, "-c", READY_AND_WAITING)
        command = ["replay", "export.ndjson", "--base-url", sandbox.url]
        rivals = [workspace.start(f"ready-{n}", *command, program=program) for n in range(4)]
        wait_for_all = [workspace.folder / f"ready-{n}" for n in range(4)]
        while not all(path.exists() for path in wait_for_all):
            assert all(rival.process.poll() is None for rival in rivals)
        (workspace.folder / "go").touch()
        endings = [(rival.process.pid, rival.end()) for rival in rivals]
        wait_for_quiet(sandbox)
        (winner,) = [pid for pid, ended in endings if ended.code == 0]
        for pid, ended in endings:
            if pid != winner:
                assert_turned_away(ended, winner)
        assert set(accepted(sandbox.received()).values()) == {1}
        assert sandbox.stats()["requests"] == 5
