"""What was sent is appended first and merged later: nobody who looks can tell the difference."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convertro_cli.record import schema, settled_calls, sqlite_ledger
from convertro_cli.record.ledger import CallState, Failure, Settled
from convertro_cli.record.lookup import look_up_calls
from convertro_cli.record.overview import Overview, read_overview
from convertro_cli.record.settled_calls import CallFinder
from convertro_cli.record.sqlite_calls import open_known_calls
from convertro_cli.record.sqlite_ledger import SqliteLedger
from convertro_cli.record.state import StateFolder
from tests.record.programs import program

SENT, FAILED = CallState.SENT, CallState.FAILED
Model = dict[bytes, Settled]
"""What a ledger should know."""


def key(number: int) -> bytes:
    """A key that lies anywhere, as digests do."""
    return Random(number).randbytes(16)


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path)


def merge_at(monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    monkeypatch.setattr(settled_calls, "MERGE_AT", calls)


def count_rows(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as database:
        (number,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(number)


def overview_of(state: StateFolder) -> Overview:
    overview = read_overview(state, latest=1)
    assert overview is not None
    return overview


def assert_totals_are_right(path: Path) -> None:
    """What is noted of the table is what one would count in it."""
    with closing(sqlite3.connect(path)) as database:
        counted = database.execute(f"{schema.COUNT_CALLS} ORDER BY 1, 2").fetchall()
        noted = database.execute("SELECT * FROM totals WHERE number ORDER BY 1, 2").fetchall()
    assert noted == counted


# --- whoever looks sees both


_SOME = st.lists(st.integers(0, 30), max_size=6)
_STEP = st.one_of(
    st.tuples(st.sampled_from(["sent", "failed"]), _SOME),
    st.tuples(
        st.sampled_from(["next run", "open again", "look"]), st.lists(st.just(0), max_size=0)
    ),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(_STEP, max_size=15), limit=st.integers(1, 12), tells=st.booleans())
def test_look_ups_and_counts_are_those_of_a_plain_model(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    steps: list[tuple[str, list[int]]],
    limit: int,
    tells: bool,
) -> None:
    """Before, between and after merges: a run, ``explain``, a dry run and ``status`` agree.

    Look-ups do so even where nobody told that a call was settled before; the counts need it.
    """
    merge_at(monkeypatch, limit)
    state = StateFolder(tmp_path_factory.mktemp("any"))
    model: Model = {}
    ledger = SqliteLedger(state.ledger)
    run, _ = ledger.begin_run("x")
    with open_known_calls(state) as dry_run:
        assert dry_run is not None
        for what, numbers in steps:
            keys = [key(number) for number in numbers]
            if what == "open again":
                ledger.__exit__(None, None, None)
                ledger = SqliteLedger(state.ledger)
            elif what == "next run":
                run, _ = ledger.begin_run("x")
            elif what != "look":
                again = {one: model[one].run for one in keys if one in model} if tells else None
                failed = [Failure(one, "http_400", "a:1") for one in keys if what == "failed"]
                sent = [] if failed else keys
                ledger.commit(run, sending=b"", sent=sent, failed=failed, again=again)
                model |= dict.fromkeys(keys, Settled(FAILED if failed else SENT, run))
            everything = [key(number) for number in range(31)]
            assert ledger.look_up(everything) == model
            assert dry_run.look_up(everything) == model
    ledger.__exit__(None, None, None)
    explained = look_up_calls(state, everything_of(model))
    assert explained is not None
    assert {one: (record.state, record.run) for one, record in explained.items()} == {
        one: ("delivered" if how is SENT else "failed", by) for one, (how, by) in model.items()
    }
    assert_totals_are_right(state.ledger)
    if tells:
        overview = overview_of(state)
        counts = Counter(how for how, _ in model.values())
        assert (overview.sent, overview.failed) == (counts[SENT], counts[FAILED])


def everything_of(model: Model) -> list[bytes]:
    return [*model, b"unknown" + bytes(9)]


def test_what_has_come_together_is_merged(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the limit what was appended goes into the table, of all runs, and each is counted once."""
    merge_at(monkeypatch, 100)
    with SqliteLedger(state.ledger) as ledger:
        for part in range(3):
            run, _ = ledger.begin_run("x")
            sent = [key(part * 40 + number) for number in range(40)]
            ledger.commit(run, sending=b"", sent=[*sent, *sent])
            merged = 0 if part < 2 else 120
            assert count_rows(state.ledger, "calls") == merged
            assert count_rows(state.ledger, "recent") == (0 if merged else part + 1)
        assert ledger.look_up([key(0), key(119)]) == {
            key(0): Settled(SENT, 1),
            key(119): Settled(SENT, 3),
        }
    assert [target.sent for target in overview_of(state).targets] == [120]
    assert_totals_are_right(state.ledger)


def test_look_ups_beside_a_run_see_each_call_from_its_commit_on(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the ledger open meanwhile finds what came, merged or not."""
    merge_at(monkeypatch, 25)
    with SqliteLedger(state.ledger) as ledger:
        run, _ = ledger.begin_run("x")
        with open_known_calls(state) as known:
            assert known is not None
            for number in range(60):
                ledger.commit(run, sending=b"", sent=[key(number)])
                assert len(known.look_up([key(each) for each in range(61)])) == number + 1


def test_the_log_is_used_anew_although_look_ups_go_on(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run's look-ups stay within one view of the ledger, but not for so long that it matters."""
    monkeypatch.setattr(sqlite_ledger, "_CHECKPOINT_PAGES", 20)
    monkeypatch.setattr(CallFinder, "_ROUND", 8)
    with SqliteLedger(state.ledger) as ledger:
        run, _ = ledger.begin_run("x")
        for number in range(200):
            ledger.look_up([key(number)])
            ledger.commit(run, sending=bytes(4096), sent=[key(number)])
        pages = schema.log_of(state.ledger).stat().st_size // 4096
    assert pages < 150, "of some 1,200 that were written"


# --- a kill in the midst of it


_MERGING = """
import os, signal, sys
from pathlib import Path
from random import Random
from convertro_cli.record import settled_calls
from convertro_cli.record.ledger import Failure
from convertro_cli.record.sqlite_ledger import SqliteLedger

settled_calls.MERGE_AT = 700
random = Random(int(sys.argv[2]))
ledger = SqliteLedger(Path(sys.argv[1]))
run, _ = ledger.begin_run("x")
ledger._database.execute("PRAGMA cache_size = 8")  # so that pages go to the log in the midst of it
put, step = ledger._settled._put, random.randrange(1, 400)


def die_within(*arguments):
    steps = iter(range(random.randrange(1, 60)))
    last = lambda: next(steps, None) is None and os.kill(os.getpid(), signal.SIGKILL)
    if random.random() < 0.3:
        ledger._database.set_progress_handler(last, step)
    put(*arguments)


ledger._settled._put = die_within
for number in range(10_000):
    keys = [Random(number * 100 + each).randbytes(16) for each in range(100)]
    ledger.commit(run, sending=b"".join(keys))
    failed = [Failure(keys[0], "http_400", "a:1")] if number % 5 == 4 else []
    ledger.commit(run, sending=b"", sent=keys[len(failed):], failed=failed)
    print(number, flush=True)
"""


def committed(printed: str) -> int:
    lines = printed.split()
    return int(lines[-1]) + 1 if lines else 0


def settled_by(run: int, commits: Iterable[int]) -> Model:
    return {
        key(number * 100 + each): Settled(FAILED if number % 5 == 4 and not each else SENT, run)
        for number in commits
        for each in range(100)
    }


@pytest.mark.parametrize("seed", range(5))
def test_a_kill_in_a_merge_loses_nothing(state: StateFolder, seed: int) -> None:
    """kill -9 at any step of it: all that was committed is known, and nothing else is settled."""
    dying = program(_MERGING, state.ledger, seed)
    printed, error = dying.communicate(timeout=60)
    assert dying.returncode == -9, error
    done = committed(printed)
    model = settled_by(1, range(done))
    last = settled_by(1, [done])
    assert overview_of(state).sent + overview_of(state).failed == len(model)
    with open_known_calls(state) as known:
        assert known is not None
        assert known.look_up([*model, *last]) == model
    with SqliteLedger(state.ledger) as ledger:
        assert ledger.look_up([*model, *last]) == model
        assert ledger.begin_run("x") == (2, frozenset(last))
    assert_totals_are_right(state.ledger)
