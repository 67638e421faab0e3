"""``convertro sandbox``: the options of a rehearsal, and its begin and end."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.cli.command_line import CommandLine
from tests.sandbox.client import get, target
from tests.system.program import Running, Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A folder to run the sandbox in."""
    workspace = Workspace(tmp_path)
    yield workspace
    workspace.close()


def listening(workspace: Workspace, *options: str) -> tuple[Running, str]:
    """Start a sandbox on a free port; give its address once it takes requests."""
    running = workspace.start("sandbox", "--port", "0", *options)
    running.wait_for_err("Ctrl-C")
    found = re.search(r"http://[0-9.:\[\]]+", running.err())
    assert found is not None
    return running, found[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_from_start_to_end(workspace: Workspace, number: signal.Signals) -> None:
    """It says where it listens, logs what it gets, and a signal ends it with 0."""
    running, url = listening(workspace, "--log", "log.ndjson", "--seed", "3")
    assert get(url, target()).status == 200
    assert get(url, target(ts="soon")).status == 400
    assert orjson.loads(get(url, "/stats").body)["requests"] == 2
    running.send(number)
    ended = running.end(within=10)
    assert ended.code == 0
    assert "Traceback" not in ended.err
    log = (workspace.folder / "log.ndjson").read_bytes().splitlines()
    assert [orjson.loads(line)["status"] for line in log] == [200, 400]


@pytest.mark.parametrize(
    ("host", "bound"), [("0.0.0.0", "bound to 0.0.0.0:"), ("::", "bound to [::]:")]
)
def test_an_address_that_others_can_reach(workspace: Workspace, host: str, bound: str) -> None:
    """It says what it is bound to, and warns: whoever reaches it sees what it received."""
    running, _ = listening(workspace, "--host", host)
    running.wait_for_err("without a password")
    assert bound in running.err()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.5", "::1"])
def test_an_address_of_this_machine_alone(workspace: Workspace, host: str) -> None:
    """There is nothing to warn of."""
    running, url = listening(workspace, "--host", host)
    assert host in url
    assert "warning" not in running.err()


def test_faults_as_told(workspace: Workspace) -> None:
    """--fail-rate, --fail-status and --latency reach the sandbox."""
    _, url = listening(workspace, "--fail-rate", "1", "--fail-status", "502", "--latency", "1ms")
    assert get(url, target()).status == 502


def test_an_outage_as_told(workspace: Workspace) -> None:
    """--outage takes its length and its start."""
    _, url = listening(workspace, "--outage", "10m@0s")
    assert get(url, target()).status == 503


def test_a_rate_limit_as_told(workspace: Workspace) -> None:
    """--rate-limit lets as many requests a second pass."""
    _, url = listening(workspace, "--rate-limit", "0.001")
    assert [get(url, target()).status for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--latency", "soon"], ["--latency", "50ms"]),
        (["--outage", "10s"], ["--outage", "10s@20s"]),
        (["--outage", "x@20s"], ["--outage"]),
        (["--rate-limit", "0"], ["rate limit"]),
        (["--log", "no/such/folder/log"], ["log"]),
        (["--host", "no.such.host.invalid"], ["no.such.host.invalid"]),
    ],
)
def test_options_that_make_no_sense(
    convertro: CommandLine, options: list[str], words: list[str]
) -> None:
    """An option that makes no sense is told in a message, and nothing listens."""
    ended = convertro("sandbox", "--port", "0", *options)
    ended.assert_told(74 if "--log" in options else 2, *words)


def test_a_port_that_is_taken(workspace: Workspace, convertro: CommandLine) -> None:
    """Where the port is taken, the message says so and names the way out."""
    _, url = listening(workspace)
    port = url.rpartition(":")[2]
    convertro("sandbox", "--port", port).assert_told(2, port, "--port")
