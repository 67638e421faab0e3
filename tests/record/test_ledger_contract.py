"""What every ledger does, whatever it is kept in: the same rules for each backend."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record.ledger import CallState, Failure, Ledger, Settled, split_keys
from convertro_cli.record.postgres.ledger import PostgresLedger
from convertro_cli.record.sqlite_ledger import SqliteLedger

IDENTITY = FileIdentity("/exports/a.ndjson", 123, 456, b"e" * 16)

Opener = Callable[[], AbstractContextManager[Ledger]]
"""Opens the ledger of the test, again and again."""


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def keys(*numbers: int) -> bytes:
    return b"".join(map(key, numbers))


@pytest.fixture(params=["sqlite", "postgresql"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    return make_opener(request, tmp_path)


def make_opener(request: pytest.FixtureRequest, folder: Path) -> Opener:
    if request.param == "sqlite":
        return lambda: SqliteLedger(folder / "ledger.db")
    address = request.getfixturevalue("postgres").new_address()
    return lambda: PostgresLedger(address)


def begin(ledger: Ledger, target: str = "https://sp1.convertro.com") -> int:
    return ledger.begin_run(target)[0]


def doubts_of(ledger: Ledger, run: int, in_doubt: frozenset[bytes], *asked: int) -> set[bytes]:
    """Mark calls; give those that may have arrived, whether the run or the mark told so."""
    marked = ledger.commit(run, sending=keys(*asked))
    assert not marked.refused
    return set(marked.doubtful | (in_doubt & set(split_keys(keys(*asked)))))


def test_a_settled_call_is_known_how_and_by_whom(opener: Opener) -> None:
    """Look-ups give the state and the run of settled calls, and nothing of others."""
    with opener() as ledger:
        run = begin(ledger)
        failed = [Failure(key(2), "http_400", "a.ndjson:7")]
        ledger.commit(run, sending=keys(4), sent=[key(1)], failed=failed)
        ledger.end_run(run, b"{}")
    with opener() as ledger:
        assert ledger.look_up([key(1), key(2), key(3), key(4)]) == {
            key(1): Settled(CallState.SENT, run),
            key(2): Settled(CallState.FAILED, run),
        }
        assert ledger.look_up([]) == {}


def test_runs_have_numbers_that_grow(opener: Opener) -> None:
    """A later run has a greater number."""
    with opener() as ledger:
        first = begin(ledger)
        ledger.end_run(first, b"{}")
        assert begin(ledger) > first


def test_what_a_run_left_marked_is_in_doubt_for_the_next_until_it_is_settled(
    opener: Opener,
) -> None:
    """The next run learns which calls may have arrived, and only of those; then of none."""
    with opener() as ledger:
        run = begin(ledger)
        ledger.commit(run, sending=keys(1, 2, 3))
        ledger.commit(run, sending=keys(3, 4), sent=[key(1)])
        ledger.end_run(run, b"{}")
    for expected in ({key(3), key(4)}, {key(4)}, set[bytes]()):
        with opener() as ledger:
            run, in_doubt = ledger.begin_run("x")
            asked = [n for n in (2, 3, 4) if key(n) not in ledger.look_up([key(n)])]
            assert doubts_of(ledger, run, in_doubt, *asked) == expected
            done = sorted(expected)[:1]
            left = expected - set(done)
            ledger.commit(run, sending=b"".join(sorted(left)), sent=done)
            ledger.end_run(run, b"{}")


def test_orders_are_marked_and_in_doubt_as_calls_are(opener: Opener) -> None:
    """An order whose call was under way when its run ended may have arrived."""
    with opener() as ledger:
        run = begin(ledger)
        ledger.commit(run, sending=keys(1), orders=keys(100))
        ledger.end_run(run, b"{}")
    with opener() as ledger:
        run, _ = ledger.begin_run("x")
        told = ledger.orders_in_doubt()
        marked = ledger.commit(run, sending=keys(7), orders=keys(100))
        assert key(100) in told | marked.doubtful
        assert key(7) not in marked.doubtful
        ledger.commit(run, sending=b"", sent=[key(7), key(100)])
        assert ledger.look_up([key(100)]) == {key(100): Settled(CallState.SENT, run)}


def test_a_call_that_failed_may_be_tried_again_and_delivered(opener: Opener) -> None:
    """Success replaces failure; whoever tries says which failure is known to it."""
    with opener() as ledger:
        first = begin(ledger)
        ledger.commit(first, sending=b"", failed=[Failure(key(1), "http_400", "a:1")])
        ledger.end_run(first, b"{}")
        run = begin(ledger)
        marked = ledger.commit(run, sending=keys(1), again={key(1): first})
        assert not marked.refused
        assert not marked.doubtful
        ledger.commit(run, sending=b"", sent=[key(1)])
        assert ledger.look_up([key(1)]) == {key(1): Settled(CallState.SENT, run)}


def test_a_call_that_is_tried_again_is_known_as_failed_meanwhile(opener: Opener) -> None:
    """To mark it does not hide how it was settled, and neither does letting go of it."""
    with opener() as ledger:
        first = begin(ledger)
        ledger.commit(first, sending=b"", failed=[Failure(key(1), "http_400", "a:1")])
        ledger.end_run(first, b"{}")
        run = begin(ledger)
        for sending in (keys(1), b"", keys(1)):
            ledger.commit(run, sending=sending, again={key(1): first})
            assert ledger.look_up([key(1)]) == {key(1): Settled(CallState.FAILED, first)}


def test_a_file_is_finished_as_it_was_and_under_its_settings(opener: Opener) -> None:
    """A file that changed, or other settings, make it unknown again."""
    with opener() as ledger:
        run = begin(ledger)
        assert not ledger.is_finished(IDENTITY, b"s")
        ledger.commit(run, sending=b"", finished=[(IDENTITY, b"s")])
        ledger.commit(run, sending=b"", finished=[(IDENTITY, b"s")])
        assert ledger.is_finished(IDENTITY, b"s")
        assert not ledger.is_finished(IDENTITY, b"other")
        for changed in (
            FileIdentity("/exports/b.ndjson", 123, 456, b"e" * 16),
            FileIdentity("/exports/a.ndjson", 124, 456, b"e" * 16),
            FileIdentity("/exports/a.ndjson", 123, 457, b"e" * 16),
            FileIdentity("/exports/a.ndjson", 123, 456, b"f" * 16),
        ):
            assert not ledger.is_finished(changed, b"s")


def test_files_are_found_by_their_names_as_they_were(opener: Opener) -> None:
    """Of many asked for at once those that were replayed so are told, each in its latest state."""
    later = FileIdentity("/exports/a.ndjson", 200, 789, b"f" * 16)
    other = FileIdentity("s3://bucket/b.gz", 7, 0, b"t" * 16)
    with opener() as ledger:
        run = begin(ledger)
        ledger.commit(run, sending=b"", finished=[(IDENTITY, b"s"), (other, b"s")])
        ledger.commit(run, sending=b"", finished=[(later, b"s"), (other, b"other")])
        paths = [IDENTITY.path, other.path, *(f"/exports/{number}" for number in range(1000))]
        assert ledger.find_finished(paths, b"s") == {later.path: later, other.path: other}
        assert ledger.find_finished(paths, b"other") == {other.path: other}
        assert ledger.find_finished([], b"s") == {}


def test_any_number_of_calls_is_looked_up_and_settled_at_once(opener: Opener) -> None:
    """A batch may have thousands."""
    many = [key(number) for number in range(5000)]
    with opener() as ledger:
        run = begin(ledger)
        ledger.commit(run, sending=b"", sent=many)
        assert len(ledger.look_up([*many, *(key(n) for n in range(5000, 9000))])) == 5000


_NUMBERS = st.integers(0, 11)
_STEP = st.one_of(
    st.tuples(st.just("mark"), _NUMBERS),
    st.tuples(st.just("sent"), _NUMBERS),
    st.tuples(st.just("failed"), _NUMBERS),
    st.tuples(st.just("release"), _NUMBERS),
    st.tuples(st.just("next run"), st.just(0)),
)


_EXAMPLES = count(1)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_STEP, max_size=40))
def test_whatever_happens_what_was_marked_and_not_settled_is_in_doubt(
    opener: Opener, steps: list[tuple[str, int]]
) -> None:
    """Any runs of marks, settlements and releases: the ledger knows what a plain model knows."""
    example = next(_EXAMPLES) << 64  # calls of its own, in a ledger that the others had, too
    settled: dict[bytes, Settled] = {}
    marked: set[bytes] = set()
    doubts: set[bytes] = set()
    with opener() as ledger:
        run, in_doubt = ledger.begin_run("x")
        for what, number in steps:
            one = key(example | number)
            if what == "next run":
                ledger.end_run(run, b"{}")
                doubts |= marked
                marked = set()
                run, in_doubt = ledger.begin_run("x")
            elif what == "mark":
                again = {one: settled[one].run} if one in settled and one not in marked else None
                new = one not in marked
                marked.add(one)
                # SQLite has the doubts of earlier runs in each commit, as the journal does.
                result = ledger.commit(run, sending=joined(marked | in_doubt), again=again)
                assert not result.refused
                assert not new or (one in result.doubtful | in_doubt) == (one in doubts)
            elif one in marked and not (what == "release" and one in doubts):
                marked.discard(one)
                sent = [one] if what == "sent" else []
                failed = [Failure(one, "http_400", "a:1")] if what == "failed" else []
                if sent or failed:
                    doubts.discard(one)
                    in_doubt -= {one}
                    settled[one] = Settled(CallState.SENT if sent else CallState.FAILED, run)
                sending = joined(marked | in_doubt)
                ledger.commit(run, sending=sending, sent=sent, failed=failed)
        assert ledger.look_up([key(example | n) for n in range(12)]) == settled
        ledger.commit(run, sending=b"", sent=sorted(marked | in_doubt))
        ledger.end_run(run, b"{}")


def joined(several: set[bytes] | frozenset[bytes]) -> bytes:
    return b"".join(sorted(several))
