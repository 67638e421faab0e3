"""SIGINT, SIGTERM, SIGHUP: the first ends a run cleanly, the second at once; and being stopped."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import pytest

from convertro_cli.replay import DRAIN_SECONDS
from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.exports import write_export
from tests.system.ledger_view import read_ledger
from tests.system.messages import orders
from tests.system.program import PROGRAM, Running, Workspace, wait_until
from tests.system.receiving import accepted, expected_calls, wait_for_requests

WITH_SHORT_DRAIN = """
import convertro_cli.replay
convertro_cli.replay.DRAIN_SECONDS = 1.0
from convertro_cli.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("number", "code", "transport"),
    [(signal.SIGINT, 130, "curl"), (signal.SIGTERM, 143, "requests")],
)
def test_the_first_one_ends_cleanly(
    workspace: Workspace, number: signal.Signals, code: int, transport: str
) -> None:
    """What is under way finishes, and the ledger agrees with the other side to the call."""
    facts = write_export(workspace.folder / "export.ndjson", 2_000)
    with Sandbox(SandboxOptions(port=0, latency_s=0.2), keep_requests=True) as sandbox:
        calls = expected_calls(workspace, sandbox.url, "export.ndjson")
        options = ["--json", "--transport", transport, "--workers", "2"]
        command = ["replay", "export.ndjson", "--base-url", sandbox.url, *options]
        running = workspace.start(*command, fresh=True)
        wait_for_requests(sandbox, 100)
        running.send(number)
        ended = running.end(within=11)
        assert ended.code == code
        assert ended.summary["interrupted"] is True
        assert ended.summary["calls"]["in_doubt"] == 0
        assert "the same command goes on from here" in ended.err
        received = accepted(sandbox.received())
        ledger = read_ledger(workspace.state)
        assert {calls[key] for key in ledger.sent} == set(received)
        assert not ledger.sending
        assert ended.summary["calls"]["delivered"] == len(received) < facts.calls

        again = workspace.replay(sandbox.url, "export.ndjson", "--concurrency", "256")
        assert again.code == 0
        assert again.summary["calls"]["possibly_repeated"] == 0
        received = accepted(sandbox.received())
        assert set(received) == set(calls.values())
        assert set(received.values()) == {1}


def start_and_hang(
    workspace: Workspace,
    sandbox: Sandbox,
    transport: str,
    program: Sequence[str] = PROGRAM,
) -> Running:
    """Start a replay to a sandbox that answers nothing, and wait until all requests are sent."""
    workspace.write("export.ndjson", *orders(20))
    options = ["--concurrency", "20", "--transport", transport, "--json"]
    command = ["replay", "export.ndjson", "--base-url", sandbox.url, *options]
    running = workspace.start(*command, program=program)
    wait_for_requests(sandbox, 20)
    return running


def replay_to_another(workspace: Workspace, url: str) -> dict[str, int]:
    """Replay to a sandbox that does answer, at the same address; give the counts of calls."""
    with Sandbox(SandboxOptions(port=urlsplit(url).port or 0), keep_requests=True) as sandbox:
        counts: dict[str, int] = workspace.replay(url, "export.ndjson").summary["calls"]
        assert set(accepted(sandbox.received()).values()) == {1}
        assert sandbox.stats()["accepted"] == 20
    return counts


@pytest.mark.parametrize("transport", ["curl", "requests"])
def test_the_second_one_ends_at_once(workspace: Workspace, transport: str) -> None:
    """Without waiting for answers; what was under way is in doubt, and sent again."""
    with Sandbox(SandboxOptions(port=0, latency_s=3600), keep_requests=True) as sandbox:
        running = start_and_hang(workspace, sandbox, transport)
        url = sandbox.url
        # Two different ones: of one kind, the kernel may make one of both.
        running.send(signal.SIGINT)
        running.send(signal.SIGTERM)
        began = time.monotonic()
        ended = running.end(within=11)
        assert time.monotonic() - began < DRAIN_SECONDS / 2
        assert ended.code == 130
        assert ended.summary["calls"]["in_doubt"] == 20
        assert len(read_ledger(workspace.state).sending) == 20
    assert replay_to_another(workspace, url)["possibly_repeated"] == 20


@pytest.mark.parametrize("transport", ["curl", "requests"])
def test_answers_that_never_come(workspace: Workspace, transport: str) -> None:
    """After the first one, a run waits for answers so long and no longer (10 s at most)."""
    assert DRAIN_SECONDS == 10
    with Sandbox(SandboxOptions(port=0, latency_s=3600), keep_requests=True) as sandbox:
        program = (sys.executable, "-c", WITH_SHORT_DRAIN)
        running = start_and_hang(workspace, sandbox, transport, program)
        url = sandbox.url
        running.send(signal.SIGTERM)
        began = time.monotonic()
        ended = running.end(within=11)
        assert 0.9 < time.monotonic() - began < DRAIN_SECONDS / 2
        assert ended.code == 143
        assert ended.summary["calls"]["in_doubt"] == 20
    assert replay_to_another(workspace, url)["possibly_repeated"] == 20


@pytest.mark.parametrize("workers", ["1", "2"])
def test_while_nothing_comes_in(workspace: Workspace, sandbox: Sandbox, workers: str) -> None:
    """A run that waits for standard input ends as quickly, and leaves no process behind."""
    command = ["replay", "-", "--base-url", sandbox.url, "--workers", workers]
    running = workspace.start(*command, stdin=subprocess.PIPE)
    wait_until((workspace.state / "ledger.db").exists, "ledger")
    running.send(signal.SIGINT)
    ended = running.end(within=5)
    assert ended.code == 130
    assert "Traceback" not in ended.err
    assert "Fatal" not in ended.err


def test_a_hangup_ends_cleanly(workspace: Workspace) -> None:
    """SIGHUP is as SIGTERM: what is under way finishes, and the code is 129."""
    write_export(workspace.folder / "export.ndjson", 2_000)
    with Sandbox(SandboxOptions(port=0, latency_s=0.2), keep_requests=True) as sandbox:
        running = workspace.start("replay", "export.ndjson", "--base-url", sandbox.url, "--json")
        wait_for_requests(sandbox, 50)
        running.send(signal.SIGHUP)
        ended = running.end(within=11)
        assert ended.code == 129
        assert ended.summary["interrupted"] is True
        assert ended.summary["calls"]["in_doubt"] == 0
        assert not read_ledger(workspace.state).sending


def test_nohup_is_obeyed(workspace: Workspace, sandbox: Sandbox) -> None:
    """Where SIGHUP was to be ignored before the start, a hangup ends nothing."""
    workspace.write("export.ndjson", *orders(20))
    running = workspace.start(
        *("replay", "-", "--base-url", sandbox.url, "--json"),
        stdin=subprocess.PIPE,
        before=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    wait_until((workspace.state / "ledger.db").exists, "ledger")
    running.send(signal.SIGHUP)
    assert running.process.stdin is not None
    running.process.stdin.write((workspace.folder / "export.ndjson").read_bytes())
    running.process.stdin.close()
    assert running.end().summary["calls"]["delivered"] == 20


def test_a_terminal_that_closes_ends_a_run_cleanly(workspace: Workspace) -> None:
    """When the terminal goes away the run ends by itself, its state written, with 129."""
    write_export(workspace.folder / "export.ndjson", 2_000)
    with Sandbox(SandboxOptions(port=0, latency_s=0.2), keep_requests=True) as sandbox:
        command = ["replay", "export.ndjson", "--base-url", sandbox.url, "--yes"]
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(workspace.folder)
            os.execv(sys.executable, [*PROGRAM, *command])
        wait_for_requests(sandbox, 50)
        os.close(terminal)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 129
        ledger = read_ledger(workspace.state)
        assert not ledger.sending
        assert len(ledger.sent) == len(accepted(sandbox.received()))


@pytest.mark.parametrize("transport", ["curl", "requests"])
def test_a_stop_makes_no_timeouts(workspace: Workspace, transport: str) -> None:
    """A program that was stopped for longer than its timeout takes the answers that have come
    meanwhile, and waits for the others as if no time had passed."""
    workspace.config.write_text(workspace.config.read_text() + '\n[delivery]\ntimeout = "2s"\n')
    workspace.write("export.ndjson", *orders(20))
    with Sandbox(SandboxOptions(port=0, latency_s=1.0), keep_requests=True) as sandbox:
        options = ["--concurrency", "10", "--transport", transport, "--json"]
        command = ["replay", "export.ndjson", "--base-url", sandbox.url, *options]
        running = workspace.start(*command, fresh=True)  # our child, to be waited for
        wait_for_requests(sandbox, 10)
        # Ctrl-Z's own signal is dropped where no shell could wake the program again, as in CI.
        running.send(signal.SIGSTOP)
        os.waitid(os.P_PID, running.process.pid, os.WSTOPPED | os.WNOWAIT)
        time.sleep(2.5)  # longer than the timeout: that is what this is about
        running.send(signal.SIGCONT)
        ended = running.end(within=30)
        assert ended.code == 0, ended.err
        calls = ended.summary["calls"]
        assert (calls["delivered"], calls["attempts"], calls["possibly_repeated"]) == (20, 20, 0)
        assert set(accepted(sandbox.received()).values()) == {1}
