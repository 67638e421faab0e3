"""Single calls are looked up in a ledger without a run, and without leaving a trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertro_cli.errors import ConvertroError
from convertro_cli.record.ledger import Failure
from convertro_cli.record.lookup import CallRecord, look_up_calls
from convertro_cli.record.sqlite_ledger import SqliteLedger
from convertro_cli.record.state import StateFolder

SENT, FAILED, SENDING, UNKNOWN = (bytes([number]) * 16 for number in range(4))


def test_what_became_of_each_call_is_told(tmp_path: Path) -> None:
    """Delivered, failed and in doubt are told with the run; what is not there is left out."""
    state = StateFolder(tmp_path)
    with SqliteLedger(state.ledger) as ledger:
        run, _ = ledger.begin_run("target")
        ledger.commit(run, sending=SENT + FAILED + SENDING)
        failure = Failure(FAILED, "http_400", "e:1")
        ledger.commit(run, sending=SENDING, sent=[SENT], failed=[failure])
    found = look_up_calls(state, [SENT, FAILED, SENDING, UNKNOWN])
    assert found is not None
    began = found[SENT].run_started_at
    assert began
    assert found == {
        SENT: CallRecord("delivered", run, began),
        FAILED: CallRecord("failed", run, began, "http_400"),
        SENDING: CallRecord("in_doubt", run, began),
    }


def test_no_ledger_is_no_error_and_none_is_made(tmp_path: Path) -> None:
    """Where nothing was replayed yet, looking leaves nothing behind."""
    state = StateFolder(tmp_path / "state")
    assert look_up_calls(state, [SENT]) is None
    assert not state.path.exists()


def test_a_damaged_ledger_is_told(tmp_path: Path) -> None:
    """What is no ledger is told in a sentence."""
    state = StateFolder(tmp_path)
    state.ledger.write_bytes(b"no ledger at all")
    with pytest.raises(ConvertroError, match="damaged, or no ledger"):
        look_up_calls(state, [SENT])
