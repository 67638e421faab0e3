"""When a file is done with, and what is counted of it on the way."""

from __future__ import annotations

from collections import Counter

import pytest

from convertro_cli.reading.batch import FileEnd, LineBatch
from convertro_cli.reading.export_set import ExportSet
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.reading.unread import Unread
from convertro_cli.record.tally import Tally
from convertro_cli.run.files import RunFiles

WHOLE = FileEnd(None, FileIdentity("/a", 100, 1, b"e"))
UNKNOWN = FileEnd(None, None)
DAMAGED = FileEnd("a.ndjson.gz ends in the middle.", None)


def batch(file: int, position: int, end: FileEnd | None = None) -> LineBatch:
    return LineBatch(file, f"{file}.ndjson", 1, b"", position, 0, end)


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def files(tally: Tally, notices: list[str]) -> RunFiles:
    return RunFiles(tally, notices.append)


def test_bytes_are_counted_as_they_are_read(files: RunFiles, tally: Tally) -> None:
    """Positions in several files add up to the bytes read of all."""
    for file, position in ((0, 40), (0, 70), (1, 5)):
        files.follow(batch(file, position))
    assert tally.bytes_read == 75

    files.follow(batch(0, 100, WHOLE))
    files.follow(batch(1, 5, WHOLE))
    assert tally.bytes_read == 105
    assert tally.files["read"] == 2


def test_a_file_is_done_when_it_ended_and_its_messages_are_settled(files: RunFiles) -> None:
    """Neither the end of a file nor the fate of its messages is enough alone."""
    pending = files.follow(batch(0, 40))
    pending.open_messages = 2
    files.follow(batch(0, 100, WHOLE))
    assert list(files.completed()) == []

    pending.open_messages = 0
    assert list(files.completed()) == [(0, WHOLE.identity)]
    assert list(files.completed()) == []


def test_later_files_may_be_done_first(files: RunFiles) -> None:
    """Each file is for itself."""
    first = files.follow(batch(0, 10, WHOLE))
    first.open_messages = 1
    files.follow(batch(1, 10, WHOLE))

    assert list(files.completed()) == [(1, WHOLE.identity)]
    first.open_messages = 0
    assert list(files.completed()) == [(0, WHOLE.identity)]


def test_a_file_with_something_left_in_doubt_is_read_again(files: RunFiles) -> None:
    """It is done with in this run, but not recognised as replayed by the next."""
    files.follow(batch(0, 10, WHOLE)).clean = False

    assert list(files.completed()) == [(0, None)]


@pytest.mark.parametrize("end", [UNKNOWN, DAMAGED])
def test_a_file_without_an_identity_is_not_recognised(files: RunFiles, end: FileEnd) -> None:
    """Standard input and damaged files have none."""
    files.follow(batch(0, 10, end))

    assert list(files.completed()) == [(0, None)]


def test_a_damaged_file_is_counted_and_told_of(
    files: RunFiles, tally: Tally, notices: list[str]
) -> None:
    """A person learns of it when it happens, and the summary has it."""
    files.follow(batch(0, 10, DAMAGED))

    assert dict(tally.files) == {"damaged": 1}
    assert notices == ["a.ndjson.gz ends in the middle."]


def test_files_with_nothing_in_them_are_named(files: RunFiles) -> None:
    """Of a file without a single line somebody may expect something; blank lines are nothing."""
    files.follow(batch(0, 0, WHOLE))
    assert files.notes() == ["There is nothing in 0.ndjson: it is empty."]
    for file in range(1, 8):
        blank = LineBatch(file, f"{file}.ndjson", 1, b"\n \r\n", 4, 0, WHOLE)
        files.follow(blank)
    (note,) = files.notes()
    assert "nothing in 8 of the files" in note
    assert note.endswith("4.ndjson and 3 more.")


def test_a_file_is_not_empty_for_its_last_batch(files: RunFiles) -> None:
    """The end of a file often comes by itself; a broken file is told of by its damage."""
    files.follow(LineBatch(0, "0.ndjson", 1, b"{}\n", 3))
    files.follow(batch(0, 3, WHOLE))
    files.follow(batch(1, 0, DAMAGED))
    assert files.notes() == []


def test_what_is_found_late_is_counted_once(tally: Tally, notices: list[str]) -> None:
    """A list that is still gone through leaves more unread; to tell of it twice changes nothing."""
    exports = ExportSet((), Counter({Unread.HIDDEN: 2}))
    files = RunFiles(tally, notices.append, exports)
    assert tally.files["skipped"] == 2
    exports.unread[Unread.ALREADY_REPLAYED] += 3
    files.tell_of_unread()
    files.tell_of_unread()
    assert tally.unread == {"hidden": 2, "already_replayed": 3}
    assert tally.files["skipped"] == 5
