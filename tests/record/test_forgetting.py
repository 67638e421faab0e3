"""Suppressed users' events leave the dead letters: all of theirs, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.mapping.dead_letter import wrap
from convertro_cli.reading.identity import identify
from convertro_cli.record.dead_letters import ASIDE_SETTINGS, aside_files
from convertro_cli.record.forgetting import Forgotten, count_suppressed, forget_suppressed
from convertro_cli.record.sqlite_ledger import SqliteLedger
from convertro_cli.record.state import StateFolder

ASIDE = "dead-letters.20240301T123045Z.ndjson"


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / ".convertro")
    folder.create()
    return folder


@pytest.fixture
def ledger(state: StateFolder) -> Iterator[SqliteLedger]:
    with SqliteLedger(state.ledger) as ledger:
        yield ledger


def letter(original: bytes) -> bytes:
    """The line of a dead letter."""
    return wrap(original, reason="http_400", detail="d", source="a.ndjson:7", at="2024-03-01")


def of_user(user_id: str, more: str = "") -> bytes:
    """The dead letter of an event of a user; the id as JSON."""
    return letter(b'{"type":"track", "userId":%s%s}' % (user_id.encode(), more.encode()))


def forget(state: StateFolder, *users: str) -> list[tuple[int, int, int]]:
    """Forget users, without a ledger; give what was counted of each file."""
    counts = forget_suppressed(state, None, set(users))
    return [(count.removed, count.kept, count.unreadable) for count in counts]


@pytest.mark.parametrize(
    ("line", "is_removed"),
    [
        (of_user('"u1"'), True),
        (of_user('"u\\u0031"'), True),
        (of_user('"u1"', ', "event": "u2"'), True),
        (of_user("42"), True),
        (of_user("42.0"), True),
        (of_user("12345678901234567890123"), True),
        (of_user('"\\ud83d"'), True),
        (letter(b'{"type":"trak","userId":"u1"}'), True),
        (letter(b'{"userId":"u1","price":1e400000}'), True),
        (b'{"type":"track","userId":"u1"}\n', True),
        (of_user('"u2"'), False),
        (of_user('"U1"'), False),
        (of_user("null"), False),
        (of_user("true"), False),
        (of_user('"u2"', ', "anonymousId": "u1", "traits": {"userId": "u1"}'), False),
        (letter(b'{"type":"track","anonymousId":"a"}'), False),
    ],
)
def test_a_line_goes_if_its_event_is_of_a_suppressed_user(
    state: StateFolder, line: bytes, is_removed: bool
) -> None:
    """By the user id alone, compared as the mapping does; the other lines stay byte for byte."""
    other = of_user('"other"')
    state.dead_letters.write_bytes(other + line + other)
    users = ("u1", "42", "12345678901234567890123", "\ufffd")
    assert forget(state, *users) == [(int(is_removed), 3 - is_removed, 0)]
    assert state.dead_letters.read_bytes() == other + (b"" if is_removed else line) + other


@pytest.mark.parametrize(
    "line",
    [
        letter(b'{"userId":"u1"'),
        letter(b"\xff u1"),
        letter(b'["u1"]'),
        b'{"reason":"r","userId":"u1"}\n',
        b"u1\n",
        b"\xff\n",
        letter(b'{"userId":%s}' % (b"[" * 100_000)),
    ],
)
def test_a_line_whose_user_cannot_be_told_stays(state: StateFolder, line: bytes) -> None:
    """It is counted as such, since it may be of anybody."""
    state.dead_letters.write_bytes(line + of_user('"u1"'))
    assert forget(state, "u1") == [(1, 1, 1)]
    assert state.dead_letters.read_bytes() == line


def test_files_set_aside_are_gone_through_too(state: StateFolder) -> None:
    """They stay after they were replayed; one of which nothing is left goes itself."""
    older, newer = state.path / ASIDE, state.path / ASIDE.replace("12", "13")
    older.write_bytes(of_user('"u1"') + of_user('"u2"'))
    newer.write_bytes(of_user('"u1"'))
    state.dead_letters.write_bytes(of_user('"u3"') + of_user('"u1"'))
    assert count_suppressed(state, {"u1"}) == [
        Forgotten(older, 1, 1),
        Forgotten(newer, 1, 0),
        Forgotten(state.dead_letters, 1, 1),
    ]
    assert forget(state, "u1") == [(1, 1, 0), (1, 0, 0), (1, 1, 0)]
    assert aside_files(state.dead_letters) == [older]
    assert b'"u1"' not in b"".join(path.read_bytes() for path in state.path.iterdir())


def test_half_a_line_that_a_crash_left_goes(state: StateFolder) -> None:
    """It is no letter, as everywhere else; a whole one without a line end is."""
    state.dead_letters.write_bytes(of_user('"u2"') + of_user('"u1"')[:-9])
    assert forget(state, "u3") == [(0, 1, 0)]
    assert state.dead_letters.read_bytes() == of_user('"u2"')
    state.dead_letters.write_bytes(of_user('"u1"') + of_user('"u2"')[:-1])
    assert forget(state, "u1") == [(1, 1, 0)]
    assert state.dead_letters.read_bytes() == of_user('"u2"')[:-1]


def test_a_file_without_them_is_left_as_it_is(state: StateFolder) -> None:
    """Not written anew: it would no longer be recognised."""
    state.dead_letters.write_bytes(of_user('"u2"') + b"\n" + of_user('"u3"'))
    before = state.dead_letters.stat()
    assert forget(state, "u1") == [(0, 2, 0)]
    assert state.dead_letters.stat() == before
    assert [path.name for path in state.path.iterdir()] == ["dead-letters.ndjson"]


def test_counting_changes_nothing(state: StateFolder) -> None:
    """Not a byte, and no file."""
    state.dead_letters.write_bytes(of_user('"u1"') + b'{"half')
    before = state.dead_letters.stat()
    assert count_suppressed(state, {"u1"}) == [Forgotten(state.dead_letters, removed=1)]
    assert state.dead_letters.stat().st_mtime_ns == before.st_mtime_ns
    assert [path.name for path in state.path.iterdir()] == ["dead-letters.ndjson"]


def test_only_the_owner_may_read_what_stays(state: StateFolder) -> None:
    """Whatever the umask allows, and whatever the old file allowed."""
    state.dead_letters.write_bytes(of_user('"u1"') + of_user('"u2"'))
    state.dead_letters.chmod(0o644)
    before = os.umask(0)
    try:
        forget(state, "u1")
    finally:
        os.umask(before)
    assert state.dead_letters.stat().st_mode & 0o777 == 0o600


def test_what_was_tried_is_not_tried_again(state: StateFolder, ledger: SqliteLedger) -> None:
    """A file set aside that was replayed to its end counts as such without the lines, too."""
    path, untried = state.path / ASIDE, state.path / ASIDE.replace("12", "13")
    for each in (path, untried):
        each.write_bytes(of_user('"u1"') + of_user('"u2"'))
    run, _ = ledger.begin_run("x")
    ledger.commit(run, sending=b"", finished=[(identify(path), ASIDE_SETTINGS)])
    forget_suppressed(state, ledger, {"u1"})
    assert path.read_bytes() == of_user('"u2"')
    assert ledger.is_finished(identify(path), ASIDE_SETTINGS)
    assert not ledger.is_finished(identify(untried), ASIDE_SETTINGS)


@given(st.lists(st.sampled_from(["u1", "u2", "u3", "", "é"]), max_size=12), st.booleans())
def test_exactly_the_lines_of_others_stay(
    tmp_path_factory: pytest.TempPathFactory, users: list[str], torn: bool
) -> None:
    """In their order, whatever the mix; done once more, nothing changes."""
    state = StateFolder(tmp_path_factory.mktemp("state"))
    lines = [of_user(f'"{user}"', f', "n": {number}') for number, user in enumerate(users)]
    state.dead_letters.write_bytes(b"".join(lines) + b'{"rea' * torn)
    kept = [line for line, user in zip(lines, users, strict=True) if user not in {"u1", "é"}]
    for _ in range(2):
        forget(state, "u1", "é")
        content = state.dead_letters.read_bytes() if state.dead_letters.exists() else b""
        assert content == b"".join(kept)


_FORGETTING = """
import sys
from pathlib import Path
from convertro_cli.record.forgetting import forget_suppressed
from convertro_cli.record.state import StateFolder
class Slow:
    asked = 0
    def __contains__(self, user_id):
        self.asked += user_id == "last"
        if self.asked == 2:  # the lines are looked at once, then written
            print("there", flush=True)
            sys.stdin.read()
        return user_id.startswith("u")
forget_suppressed(StateFolder(Path(sys.argv[1])), None, Slow())
"""


def test_a_kill_leaves_the_old_file_whole(state: StateFolder) -> None:
    """And the next time clears away what the killed one had written."""
    content = b"".join(of_user(f'"{name}{n}"') for n in range(500) for name in "uv")
    state.dead_letters.write_bytes(content + of_user('"last"'))
    running = subprocess.Popen(
        [sys.executable, "-c", _FORGETTING, str(state.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    assert running.stdout.readline() == b"there\n"
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert state.dead_letters.read_bytes() == content + of_user('"last"')
    assert len(list(state.path.iterdir())) == 2
    assert all(path.stat().st_mode & 0o77 == 0 for path in state.path.glob("*.partial"))
    assert aside_files(state.dead_letters) == []

    assert forget(state, *(f"u{n}" for n in range(500)), "last") == [(501, 500, 0)]
    assert list(state.path.iterdir()) == [state.dead_letters]


def test_a_disk_that_fills_up_leaves_the_old_file_whole(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told with exit code 74, and nothing is left behind."""
    content = of_user('"u1"') + of_user('"u2"')
    state.dead_letters.write_bytes(content)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConvertroError, match="No space left") as raised:
        forget(state, "u1")
    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE
    assert state.dead_letters.read_bytes() == content
    assert list(state.path.iterdir()) == [state.dead_letters]
