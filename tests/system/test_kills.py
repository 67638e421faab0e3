"""kill -9 in the middle of thousands of events, and the same command again."""

from __future__ import annotations

import pytest

from convertro_cli.sandbox.server import Sandbox
from tests.exports import write_export
from tests.soaking import usually
from tests.system.ledger_view import LedgerView, read_ledger
from tests.system.program import Workspace
from tests.system.receiving import (
    Target,
    accepted,
    expected_calls,
    wait_for_quiet,
    wait_for_requests,
)

EVENTS = usually(4_000, in_soak=20_000)
WINDOW = 256


def kill_in_the_middle(
    workspace: Workspace, sandbox: Sandbox, *options: str
) -> tuple[dict[bytes, Target], LedgerView]:
    """Replay and kill; give the calls of the export, and the ledger after the kill."""
    facts = write_export(workspace.folder / "export.ndjson", EVENTS)
    command = ["replay", "export.ndjson", "--base-url", sandbox.url, *options]
    running = workspace.start(*command, fresh=True)
    wait_for_requests(sandbox, facts.calls // 3)
    assert running.kill().code == -9
    wait_for_quiet(sandbox)
    assert sandbox.stats()["accepted"] < facts.calls
    ledger = read_ledger(workspace.state)
    assert 0 < len(ledger.sending) <= WINDOW
    return expected_calls(workspace, sandbox.url, "export.ndjson"), ledger


@pytest.mark.parametrize("transport", ["curl", "requests"])
def test_nothing_is_lost(workspace: Workspace, sandbox: Sandbox, transport: str) -> None:
    """No call is missing, and only calls in doubt are repeated, all of which are counted."""
    calls, ledger = kill_in_the_middle(workspace, sandbox, "--transport", transport)
    arrived = accepted(sandbox.received())
    doubtful = {calls[key] for key in ledger.sending}
    assert set(arrived) <= {calls[key] for key in ledger.sent} | doubtful

    again = workspace.replay(sandbox.url, "export.ndjson", "--transport", transport)
    assert again.code == 0, again.err
    messages, counted = again.summary["messages"], again.summary["calls"]
    assert messages["read"] == EVENTS
    assert counted["possibly_repeated"] == len(ledger.sending)
    assert counted["already_delivered"] == len(ledger.sent)
    assert counted["delivered"] == len(calls) - len(ledger.sent)
    received = accepted(sandbox.received())
    assert set(received) == set(calls.values())
    assert {target for target, times in received.items() if times > 1} == doubtful & set(arrived)
    assert sandbox.stats()["repeats"] == len(doubtful & set(arrived)) <= WINDOW


def test_at_most_once(workspace: Workspace, sandbox: Sandbox) -> None:
    """With --at-most-once nothing is repeated: what is in doubt is left alone and counted."""
    calls, ledger = kill_in_the_middle(workspace, sandbox)
    doubtful = {calls[key] for key in ledger.sending}
    again = workspace.replay(sandbox.url, "export.ndjson", "--at-most-once")
    assert again.code == 1
    counted = again.summary["calls"]
    assert counted["in_doubt"] == again.summary["skipped"]["in_doubt"] == len(doubtful)
    assert counted["possibly_repeated"] == 0
    assert "--at-most-once" in again.err
    received = accepted(sandbox.received())
    assert set(received.values()) == {1}
    assert set(received) >= set(calls.values()) - doubtful

    last = workspace.replay(sandbox.url, "export.ndjson").summary["calls"]
    assert last["possibly_repeated"] == last["delivered"] == len(doubtful)
    assert set(accepted(sandbox.received())) == set(calls.values())
