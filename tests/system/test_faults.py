"""A replay to a Convertro that fails now and then."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.exports import write_export
from tests.system.program import Workspace
from tests.system.receiving import accepted, expected_calls


@pytest.fixture
def faulty() -> Iterator[Sandbox]:
    """A sandbox that fails every fifth request."""
    with Sandbox(SandboxOptions(port=0, fail_rate=0.2), keep_requests=True) as sandbox:
        yield sandbox


@pytest.mark.parametrize("transport", ["curl", "requests"])
def test_each_call_arrives_once(workspace: Workspace, faulty: Sandbox, transport: str) -> None:
    """Whatever fails is tried again until each call was accepted once; the numbers add up."""
    facts = write_export(workspace.folder / "export.ndjson", 1_000)
    ended = workspace.replay(faulty.url, "export.ndjson", "--transport", transport)
    assert ended.code == 0, ended.err
    summary, stats = ended.summary, faulty.stats()
    assert summary["messages"]["read"] == facts.events
    assert summary["messages"]["delivered"] == summary["calls"]["delivered"] == facts.calls
    assert summary["calls"]["attempts"] == stats["requests"] == facts.calls + stats["faults"]
    assert stats["faults"] > facts.calls * 0.1
    received = accepted(faulty.received())
    assert set(received.values()) == {1}
    assert set(received) == set(expected_calls(workspace, faulty.url, "export.ndjson").values())
    for event_type, counted in summary["by_event_type"].items():
        assert counted == pytest.approx(stats["by_event_type"][event_type])

    again = workspace.replay(faulty.url, "export.ndjson")
    assert again.code == 0
    assert again.summary["calls"]["attempts"] == 0
    assert "Nothing to do" in again.err
    assert faulty.stats() == stats
