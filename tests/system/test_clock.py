"""A wall clock that is set back while a run goes on."""

from __future__ import annotations

import signal

from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.exports import write_export
from tests.system.program import Workspace
from tests.system.receiving import accepted, wait_for_requests

BACKWARDS = """
import itertools, time
_start, _step = time.time(), itertools.count()
time.time = lambda: _start - 3600.0 * next(_step)
time.time_ns = lambda: int(time.time() * 1e9)
"""


def test_a_clock_that_goes_back(workspace: Workspace) -> None:
    """Retries, pace, outages and interrupts go by a clock that nobody sets."""
    (workspace.folder / "sitecustomize.py").write_text(BACKWARDS)
    environ = {"PYTHONPATH": str(workspace.folder)}
    facts = write_export(workspace.folder / "export.ndjson", 500)
    options = SandboxOptions(port=0, latency_s=0.02, fail_rate=0.1, fail_status=429)
    with Sandbox(options, keep_requests=True) as sandbox:
        command = ["replay", "export.ndjson", "--base-url", sandbox.url, "--json"]
        running = workspace.start(*command, environ=environ)
        wait_for_requests(sandbox, 50)
        running.send(signal.SIGINT)
        interrupted = running.end(within=11)
        assert interrupted.code == 130
        ended = workspace.run(*command, environ=environ)
        assert ended.code == 0, ended.err
        assert 0 < ended.summary["elapsed_s"] < 30
        assert set(accepted(sandbox.received()).values()) == {1}
        assert sandbox.stats()["accepted"] == facts.calls
        assert workspace.run("status", environ=environ).code == 0
