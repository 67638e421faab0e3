"""The dead-letter file: whole lines only, the events' own bytes, for the owner's eyes alone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.mapping.dead_letter import unwrap
from convertro_cli.record.dead_letters import DeadLetterFile, aside_files, set_aside
from tests.record.programs import files_of_at_most, output_of

NOON = datetime(2024, 3, 1, 12, 30, 45, 678901, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dead-letters.ndjson"


@pytest.fixture
def letters(path: Path) -> Iterator[DeadLetterFile]:
    file = DeadLetterFile(path, now=lambda: NOON)
    yield file
    file.close()


def put(letters: DeadLetterFile, *originals: bytes) -> None:
    for original in originals:
        letters.add(original, reason="http_400", detail="after 1 attempts", source="a.ndjson:7")
    letters.append(letters.take())


# --- what a letter says


def test_a_letter_has_reason_detail_source_time_and_event(
    letters: DeadLetterFile, path: Path
) -> None:
    """A line of the file is the form that the README shows."""
    put(letters, b'{"messageId":"m1"}')

    assert path.read_bytes() == (
        b'{"reason":"http_400","detail":"after 1 attempts","source":"a.ndjson:7",'
        b'"at":"2024-03-01T12:30:45+00:00","event":{"messageId":"m1"}}\n'
    )


@pytest.mark.parametrize(
    ("original", "form"),
    [
        (b'{"a": 1.10, "a": 2}', b'"event":{"a": 1.10, "a": 2}}'),
        (b'{"price":1e400000}', b'"line":"{\\"price\\":1e400000}"}'),
        (b"no json", b'"line":"no json"}'),
        (b"[1]", b'"line":"[1]"}'),
        (b'{"half":', b'"line":"{\\"half\\":"}'),
        (b"\xff\xfe", b'"line_base64":"//4="}'),
    ],
)
def test_an_event_is_kept_byte_for_byte(
    letters: DeadLetterFile, path: Path, original: bytes, form: bytes
) -> None:
    """JSON objects stand as they were, other text as text, and anything else in base64."""
    put(letters, original)

    assert path.read_bytes().endswith(form + b"\n")


@given(st.binary() | st.text().map(str.encode))
def test_what_is_put_in_comes_out_again(
    tmp_path_factory: pytest.TempPathFactory, original: bytes
) -> None:
    """Whatever bytes a line had, its letter is one line of JSON and gives them back."""
    path = tmp_path_factory.mktemp("letters") / "dead-letters.ndjson"
    letters = DeadLetterFile(path)
    put(letters, original)
    letters.close()

    (line,) = path.read_bytes().splitlines()
    letter = unwrap(orjson.loads(line), line)
    assert letter is not None
    assert letter.source == "a.ndjson:7"
    assert letter.original == original or orjson.loads(letter.original) == orjson.loads(original)


# --- how it is written


def test_nothing_is_written_before_it_must(letters: DeadLetterFile, path: Path) -> None:
    """Letters wait to be taken, and a run without any makes no file."""
    letters.append(letters.take())
    assert not path.exists()

    letters.add(b"x", reason="r", detail="d", source="s")
    assert not path.exists()
    lines = letters.take()
    assert letters.take() == b""
    letters.append(lines)
    assert path.read_bytes() == lines


def test_letters_are_appended(path: Path) -> None:
    """What earlier runs left stays before what comes."""
    for number in range(3):
        letters = DeadLetterFile(path)
        put(letters, b"%d" % number, b"x")
        letters.close()

    lines = [orjson.loads(line)["line"] for line in path.read_bytes().splitlines()]
    assert lines == ["0", "x", "1", "x", "2", "x"]


def test_only_the_owner_may_read_it(letters: DeadLetterFile, path: Path) -> None:
    """Events hold personal data: the file's mode is 0600 whatever the umask allows."""
    before = os.umask(0)
    try:
        put(letters, b"x")
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("length", [1, 17, 64 * 1024 - 1, 64 * 1024, 200_000])
@pytest.mark.parametrize("whole", [b"", b'{"reason":"a"}\n', b'{"reason":"a"}\n' * 9000])
def test_a_torn_line_at_the_end_is_dropped(path: Path, whole: bytes, length: int) -> None:
    """Half a line that a crash left goes before the next letter comes; whole lines stay."""
    path.write_bytes(whole + b"x" * length)
    letters = DeadLetterFile(path)

    put(letters, b"new")
    letters.close()

    content = path.read_bytes()
    assert content.startswith(whole)
    assert content[len(whole) :].count(b"\n") == 1
    assert orjson.loads(content[len(whole) :])["line"] == "new"


# --- when it cannot be written


_FILLING = """
import sys
from pathlib import Path
from convertro_cli.errors import ConvertroError
from convertro_cli.record.dead_letters import DeadLetterFile
letters = DeadLetterFile(Path(sys.argv[1]))
done = 0
try:
    while done < 100000:
        for number in range(7):
            letters.add(b'{"n":%d}' % (done + number), reason="r", detail="d" * 900, source="s")
        letters.append(letters.take())
        done += 7
except ConvertroError as error:
    print(done, int(error.exit_code), error.message)
"""


def check_filled(output: str, path: Path) -> None:
    """The error was told, and the file has whole lines, those written before it."""
    done, code, message = output.split(" ", 2)
    assert int(code) == ExitCode.CANNOT_WRITE_STATE
    assert "cannot be written" in message
    content = path.read_bytes()
    assert content.endswith(b"\n")
    numbers = [orjson.loads(line)["event"]["n"] for line in content.splitlines()]
    assert numbers == list(range(int(done)))
    assert int(done) > 7


def test_a_file_size_limit_leaves_whole_lines(path: Path) -> None:
    """Of a letter that did not fit nothing is left, nor of those beside it."""
    check_filled(output_of(_FILLING, path, before=files_of_at_most(100_000)), path)


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    """The same on a disk that is really full."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "none", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        check_filled(output_of(_FILLING, place / "letters.ndjson"), place / "letters.ndjson")
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_place_that_takes_no_file_is_told(tmp_path: Path) -> None:
    """Where the file cannot be opened, the error has code 74."""
    letters = DeadLetterFile(tmp_path / "missing" / "letters.ndjson")

    with pytest.raises(ConvertroError, match="cannot be written") as raised:
        put(letters, b"x")

    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE


# --- setting it aside


def test_a_file_is_set_aside_under_the_time(path: Path) -> None:
    """It is renamed with a time stamp, and the old name is free."""
    path.write_bytes(b"letters\n")

    aside = set_aside(path, now=NOON)

    assert aside == path.with_name("dead-letters.20240301T123045Z.ndjson")
    assert aside.read_bytes() == b"letters\n"
    assert not path.exists()


def test_a_torn_line_is_not_set_aside(path: Path) -> None:
    """Half a line that a crash left is no letter: its event is tried again from its export."""
    path.write_bytes(b'{"reason":"a"}\n{"reas')

    aside = set_aside(path, now=NOON)

    assert aside is not None
    assert aside.read_bytes() == b'{"reason":"a"}\n'


def test_nothing_is_set_aside_where_nothing_is(path: Path) -> None:
    """Without a file there is no new name."""
    assert set_aside(path, now=NOON) is None
    assert list(path.parent.iterdir()) == []


def test_no_file_set_aside_is_ever_overwritten(path: Path) -> None:
    """Several within a second get names of their own, and all are found, oldest first."""
    for number in range(4):
        path.write_bytes(b"%d\n" % number)
        assert set_aside(path, now=NOON) is not None

    assert [aside.read_bytes() for aside in aside_files(path)] == [b"0\n", b"1\n", b"2\n", b"3\n"]


def test_only_files_set_aside_are_found(path: Path) -> None:
    """The current file, and whatever else lies there, is not among them."""
    for name in ("dead-letters.ndjson", "ledger.db", "lock", "notes.ndjson"):
        path.with_name(name).touch()
    older = path.with_name("dead-letters.20230101T000000Z.ndjson")
    older.touch()

    assert aside_files(path) == [older]


# --- a file that somebody takes away


def test_a_file_that_is_taken_away_is_made_anew(letters: DeadLetterFile, path: Path) -> None:
    """What fails after that must not go into a file that nobody can find."""
    put(letters, b'{"messageId":"m1"}')
    path.unlink()
    put(letters, b'{"messageId":"m2"}')
    path.rename(path.with_name("kept.ndjson"))
    put(letters, b'{"messageId":"m3"}')

    assert b"m3" in path.read_bytes()
    assert b"m2" in path.with_name("kept.ndjson").read_bytes()
