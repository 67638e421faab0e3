"""What a ledger tells of itself."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record.ledger import Failure
from convertro_cli.record.lookup import CallRecord, look_up_calls
from convertro_cli.record.overview import read_overview
from convertro_cli.record.sqlite_ledger import SqliteLedger
from convertro_cli.record.state import StateFolder
from tests.record.programs import output_of
from tests.record.test_ledger import _CRASHING, key, keys


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path)


def fill(state: StateFolder) -> None:
    with SqliteLedger(state.ledger) as ledger:
        for number in range(1, 4):
            run, _ = ledger.begin_run("https://sp1.convertro.com")
            name = f"/exports/{number}.ndjson"
            ledger.commit(
                run, sending=b"", finished=[(FileIdentity(name, number, 0, b"e" * 16), b"s")]
            )
            ledger.end_run(run, orjson.dumps({"exit_code": number}))
        run, _ = ledger.begin_run("https://sp1.convertro.com")
        failed = [Failure(key(number), "http_400", "a:1") for number in range(10, 13)]
        failed.append(Failure(key(13), "http_500", "a:2"))
        ledger.commit(run, sending=keys(20, 21), sent=[key(1), key(2), key(3)], failed=failed)
    state.dead_letters.write_bytes(b"{}\n" * 7)


def test_without_a_ledger_there_is_nothing_to_tell(state: StateFolder) -> None:
    """Looking makes no ledger where there is none."""
    assert read_overview(state, latest=5) is None
    assert look_up_calls(state, [key(1)]) is None
    assert list(state.path.iterdir()) == []


def test_a_ledger_is_told_in_numbers(state: StateFolder) -> None:
    """Calls by state, failures by reason, doubts, files, runs and dead letters are counted."""
    fill(state)

    overview = read_overview(state, latest=2)

    assert overview is not None
    assert (overview.sent, overview.failed, overview.in_doubt) == (3, 4, 2)
    assert overview.failures == {"http_400": 3, "http_500": 1}
    assert (overview.runs_total, overview.files_total, overview.dead_letters) == (4, 3, 7)
    assert [run.number for run in overview.runs] == [4, 3]
    assert overview.runs[0].summary is None
    assert overview.runs[0].ended_at is None
    assert overview.runs[1].summary == {"exit_code": 3}
    assert [file.path for file in overview.files] == ["/exports/3.ndjson", "/exports/2.ndjson"]


def test_an_empty_ledger_is_told_too(state: StateFolder) -> None:
    """Right after it was made a ledger has nothing in it, and no dead letters beside it."""
    with SqliteLedger(state.ledger):
        pass

    overview = read_overview(state, latest=5)

    assert overview is not None
    assert (overview.sent, overview.failed, overview.in_doubt, overview.dead_letters) == (0,) * 4
    assert overview.runs == []
    assert overview.files == []


def test_a_ledger_can_be_looked_at_while_a_run_uses_it(state: StateFolder) -> None:
    """Looking waits for nobody and holds nobody up."""
    fill(state)
    with SqliteLedger(state.ledger) as ledger:
        run, _ = ledger.begin_run("x")
        ledger.commit(run, sending=keys(30), sent=[key(31)])
        overview = read_overview(state, latest=1)
        ledger.commit(run, sending=b"", sent=[key(32)])

    assert overview is not None
    assert (overview.sent, overview.in_doubt) == (4, 1)


def test_after_a_crash_the_doubts_are_told(state: StateFolder) -> None:
    """What a killed run had committed is seen, though nothing was tidied up."""
    output_of(_CRASHING, state.ledger)

    overview = read_overview(state, latest=1)

    assert overview is not None
    assert (overview.sent, overview.in_doubt) == (1, 1)


def test_single_calls_are_looked_up(state: StateFolder) -> None:
    """What became of a call is told with its run, and its reason where it failed."""
    fill(state)

    found = look_up_calls(state, [key(1), key(10), key(21), key(99)])

    assert found is not None
    assert set(found) == {key(1), key(10), key(21)}
    assert found[key(1)] == CallRecord("delivered", 4, found[key(1)].run_started_at)
    assert found[key(10)] == CallRecord("failed", 4, found[key(10)].run_started_at, "http_400")
    assert found[key(21)].state == "in_doubt"


def test_damage_is_told(state: StateFolder) -> None:
    """A file that is no ledger ends with 74 here too, and stays as it is."""
    state.ledger.write_bytes(b"no ledger" * 50)

    with pytest.raises(ConvertroError) as raised:
        read_overview(state, latest=1)

    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE
    assert state.ledger.read_bytes() == b"no ledger" * 50
