"""A ledger of the version before is read as it is, and taken up by the next run, whole."""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path

import pytest

from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record import schema, sqlite_ledger
from convertro_cli.record.ledger import CallState
from convertro_cli.record.lookup import look_up_calls
from convertro_cli.record.sqlite_calls import open_known_calls
from convertro_cli.record.sqlite_ledger import SqliteLedger
from convertro_cli.record.state import StateFolder
from tests.record.earlier_ledger import (
    DOUBTS,
    ORDERS_IN_DOUBT,
    SETTLED,
    key,
    write_earlier_ledger,
)
from tests.record.programs import program
from tests.record.test_settled_calls import assert_totals_are_right, overview_of

ASKED = [*SETTLED, *(key(number) for number in range(80_000, 80_100))]
COUNTS = Counter(state for state, _ in SETTLED.values())


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    state = StateFolder(tmp_path)
    write_earlier_ledger(state.ledger)
    return state


def version_in_header(path: Path) -> int:
    (version,) = struct.unpack_from(">I", path.read_bytes()[:100], 60)
    return int(version)


def assert_all_is_seen(state: StateFolder) -> None:
    """Whoever only looks finds all that is in it."""
    overview = overview_of(state)
    assert (overview.sent, overview.failed) == (COUNTS[CallState.SENT], COUNTS[CallState.FAILED])
    assert (overview.in_doubt, overview.files_total) == (len(DOUBTS), 1)
    with open_known_calls(state) as known:
        assert known is not None
        assert known.look_up(ASKED) == SETTLED
        assert all(known.is_in_doubt(one) for one in DOUBTS)
    explained = look_up_calls(state, [key(7), key(8)])
    assert explained is not None
    assert [explained[key(n)].state for n in (7, 8)] == ["failed", "delivered"]


def test_who_only_looks_leaves_it_as_it_is(state: StateFolder) -> None:
    """``status``, ``explain`` and a dry run understand it, and not a byte of it changes."""
    before = state.ledger.read_bytes()
    assert_all_is_seen(state)
    assert state.ledger.read_bytes() == before


def test_a_run_takes_it_up_and_loses_nothing(state: StateFolder) -> None:
    """Calls, doubts and files are there, and totals of what is; an earlier program sees at once
    that it is not for it any more."""
    with SqliteLedger(state.ledger) as ledger:
        assert version_in_header(state.ledger) == schema.VERSION
        assert_all_is_seen(state)
        assert ledger.look_up(ASKED) == SETTLED
        run, in_doubt = ledger.begin_run("x")
        assert (run, in_doubt, ledger.orders_in_doubt()) == (3, DOUBTS, ORDERS_IN_DOUBT)
        assert ledger.is_finished(FileIdentity("/a", 1, 2, b"\x03"), b"\x04")
        ledger.commit(run, sending=b"", sent=[key(80_000)])
        assert ledger.look_up([key(80_000)])[key(80_000)].run == 3
    assert_totals_are_right(state.ledger)
    assert overview_of(state).sent == COUNTS[CallState.SENT] + 1


def test_a_large_one_is_told_of(state: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """To count millions of calls takes a while, once: whoever waits knows for what."""
    monkeypatch.setattr(sqlite_ledger, "_SOON_COUNTED", 1)
    notices: list[str] = []
    for _ in range(2):
        with SqliteLedger(state.ledger, notice=notices.append):
            pass
    (notice,) = notices
    assert str(state.ledger) in notice


_TAKING_UP = """
import os, signal, sqlite3, sys
from functools import partial
from pathlib import Path
from random import Random
from convertro_cli.record import schema
from convertro_cli.record.sqlite_ledger import SqliteLedger

random = Random(int(sys.argv[2]))
take_up = schema.take_up


def die_within(database):
    steps = iter(range(random.randrange(300)))
    last = lambda: next(steps, None) is None and os.kill(os.getpid(), signal.SIGKILL)
    database.execute("PRAGMA cache_size = 8")
    database.set_progress_handler(last, 100)
    take_up(database)


schema.take_up = die_within
SqliteLedger(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("seed", range(5))
def test_a_kill_meanwhile_leaves_the_one_or_the_other(state: StateFolder, seed: int) -> None:
    """kill -9 at any step: it is still the earlier one, whole, and the next run takes it up."""
    dying = program(_TAKING_UP, state.ledger, seed)
    _, error = dying.communicate(timeout=60)
    assert dying.returncode == -9, error
    assert_all_is_seen(state)
    with SqliteLedger(state.ledger) as ledger:
        assert ledger.look_up(ASKED) == SETTLED
        assert ledger.begin_run("x") == (3, DOUBTS)
    assert_totals_are_right(state.ledger)
