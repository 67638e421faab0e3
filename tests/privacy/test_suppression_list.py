"""The look-up: who is on the list, from any process, and what it leaves behind."""

from __future__ import annotations

import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.privacy import list_builder
from convertro_cli.privacy.list_builder import FOR_GOOD, ListBuilder, from_then_on
from convertro_cli.privacy.suppression_list import Layout
from tests.privacy.listing import list_of, list_of_all

IDS = st.text(min_size=1, max_size=20) | st.integers().map(str)


@given(st.sets(IDS, max_size=60), st.sets(IDS, max_size=60))
def test_it_agrees_with_a_set_of_the_same_ids(listed: set[str], asked: set[str]) -> None:
    """Whatever the ids are, an id is on the list if it was put there, and no other is."""
    suppressed = list_of_all(listed)
    assert len(suppressed) == len(listed)
    for user_id in listed | asked:
        assert (user_id in suppressed) == (user_id in listed)


@pytest.mark.parametrize("run", [1, 7, 100])
def test_ids_come_together_from_many_runs(run: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few ids are sorted at once, each is found, and one that came twice counts once."""
    monkeypatch.setattr(list_builder, "_RUN", run)
    listed = [f"user {number}" for number in range(300)]
    suppressed = list_of_all([*listed, *listed[::-3]])
    assert len(suppressed) == 300
    assert all(user_id in suppressed for user_id in listed)
    assert not any(f"{user_id}!" in suppressed for user_id in listed)


def test_ids_are_compared_whole() -> None:
    """A part of an id, one with more, or another case is another user."""
    suppressed = list_of("u1", "Äpfel", "123")
    assert "u1" in suppressed
    assert "Äpfel" in suppressed
    for other in (
        "u",
        "u11",
        "U1",
        " u1",
        "u1\n",
        "",
        "12",
        "0123",
        "123.0",
        "Apfel",
        "A\u0308pfel",
    ):
        assert other not in suppressed


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 1023, 5000])
def test_any_number_of_ids(count: int) -> None:
    """An empty list, and lists around the sizes where its layout changes."""
    suppressed = list_of_all(str(number) for number in range(count))
    assert len(suppressed) == count
    assert bool(suppressed) is (count > 0)
    found = [number for number in range(count + 500) if str(number) in suppressed]
    assert found == list(range(count))


@pytest.mark.parametrize(
    ("words", "listed"),
    [
        ([from_then_on(5, suppressed=True)], True),
        ([from_then_on(5, suppressed=False)], False),
        ([from_then_on(5, suppressed=True), from_then_on(6, suppressed=False)], False),
        ([from_then_on(6, suppressed=True), from_then_on(5, suppressed=False)], True),
        ([from_then_on(5, suppressed=False), from_then_on(5, suppressed=True)], True),
        ([from_then_on(0, suppressed=True), from_then_on(2**60, suppressed=False)], False),
        ([from_then_on(0, suppressed=True), FOR_GOOD, from_then_on(9, suppressed=False)], True),
        ([from_then_on(0, suppressed=False)], False),
    ],
)
def test_the_last_word_on_a_user_counts_unless_one_is_for_good(
    words: list[bytes], listed: bool
) -> None:
    """In whatever order they are read; and one user's words say nothing of another."""
    for order in (words, words[::-1]):
        builder = ListBuilder()
        builder.add("before")
        for word in order:
            builder.add("u1", word)
        builder.add("u2")
        suppressed = builder.finish()
        assert ("u1" in suppressed) is listed
        assert "u2" in suppressed
        assert len(suppressed) == 2 + listed


def test_a_million_ids_cost_less_than_20_megabytes() -> None:
    """What is mapped, once for all processes: the layout and a record for each id."""
    assert Layout.of(1_000_000).records + 14 * 1_000_000 < 18_000_000


def test_a_pickle_of_it_is_a_few_bytes_and_finds_the_same() -> None:
    """That is what a worker process gets; the content it maps from the descriptor."""
    suppressed = list_of_all(str(number) for number in range(10_000))
    content = pickle.dumps(suppressed)
    assert len(content) < 300
    # Here, where the descriptor is open: under another number, as a worker has it of its own.
    descriptor = os.dup(suppressed._file.fileno())
    again = type(suppressed)(type(suppressed._file)(descriptor), 10_000, 10_000)
    assert [str(number) in again for number in (0, 9_999, 10_000)] == [True, True, False]


def test_no_descriptor_stays_open() -> None:
    """A list that is no longer used lets go of its file."""
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - the names are enough
    for _ in range(20):
        list_of("u1")
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208


_KILLED = """
import os, signal, sys
from tests.privacy.listing import list_of_all
suppressed = list_of_all(map(str, range(1_000)))
print(oct(os.fstat(suppressed._file.fileno()).st_mode & 0o777), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_after_a_kill_nothing_is_left(tmp_path: Path) -> None:
    """The file never has a name, and while it is there, only its owner could read it."""
    ended = subprocess.run(
        [sys.executable, "-c", _KILLED],
        env=os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": os.getcwd()},  # noqa: PTH109
        capture_output=True,
        check=False,
    )
    assert ended.returncode == -9, ended.stderr
    assert ended.stdout == b"0o600\n"
    assert list(tmp_path.iterdir()) == []
    assert stat.S_ISDIR(tmp_path.stat().st_mode)
