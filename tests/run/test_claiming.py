"""Sharing out files between runs: each is read by one, and none is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertro_cli.reading.identity import FileIdentity
from convertro_cli.reading.sources import ExportSet, find_exports
from convertro_cli.reading.unread import Unread
from convertro_cli.record.ledger import FileClaim
from convertro_cli.run.claiming import ClaimedFiles


class Claims:
    """What other runs hold and have done, by the names of the files."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.finished: set[str] = set()
        self.ours: list[str] = []
        self.asked: list[str] = []

    def claim(self, identity: FileIdentity, settings: bytes, *, again: bool) -> FileClaim:
        name = Path(identity.path).name
        self.asked.append(name)
        if name in self.finished:
            return FileClaim.FINISHED
        if name in self.held:
            return FileClaim.HELD
        if name not in self.ours:
            self.ours.append(name)
        return FileClaim.GRANTED

    def release(self, identity: FileIdentity, settings: bytes) -> None:
        self.ours.remove(Path(identity.path).name)


@pytest.fixture
def exports(tmp_path: Path) -> ExportSet:
    for name in "abcd":
        (tmp_path / name).write_bytes(b"{}\n")
    return find_exports([str(tmp_path / name) for name in "abcd"], at_once=3)


def names(files: ClaimedFiles) -> list[str]:
    return [Path(file.name).name for file in files]


def claimed(exports: ExportSet, claims: Claims) -> ClaimedFiles:
    return ClaimedFiles(exports, claims, lambda _: b"", again=False)


def test_a_pass_gives_what_no_other_run_has_and_never_waits(exports: ExportSet) -> None:
    """What others have done is skipped, what they hold is left for later."""
    claims = Claims()
    claims.held, claims.finished = {"a", "c"}, {"b"}
    files = claimed(exports, claims)
    assert names(files) == ["d"]
    assert exports.unread == {Unread.ALREADY_REPLAYED: 1}
    assert (files.is_done, Path(files.waits_for).name) == (False, "a")


def test_a_file_is_asked_for_only_when_its_turn_comes(exports: ExportSet) -> None:
    """A run that reads ahead would keep files from the others."""
    claims = Claims()
    walk = iter(claimed(exports, claims))
    next(walk)
    assert claims.asked == ["a"]


def test_what_others_hold_is_asked_for_until_it_is_done_or_free(exports: ExportSet) -> None:
    """Another pass is worth it when one of them is free, and there is none when all are done."""
    claims = Claims()
    claims.held = {"a", "c"}
    files = claimed(exports, claims)
    assert names(files) == ["b", "d"]
    assert not files.has_news()
    assert not files.has_news()
    claims.held.discard("c")
    while not files.has_news():
        pass
    assert names(files) == ["c"]
    assert not files.is_done
    claims.finished.add("a")
    assert files.has_news()
    assert names(files) == []
    assert files.is_done
    assert exports.unread == {Unread.ALREADY_REPLAYED: 1}


def test_files_are_released_by_their_places_in_the_pass(exports: ExportSet) -> None:
    """The places are those that the reading gives its files; twice does no harm."""
    claims = Claims()
    claims.held = {"a"}
    files = claimed(exports, claims)
    assert names(files) == ["b", "c", "d"]
    files.release(1)
    files.release(1)
    assert claims.ours == ["b", "d"]


def test_standard_input_is_nobody_elses(tmp_path: Path) -> None:
    """It is read without being asked for."""
    claims = Claims()
    files = claimed(find_exports(["-"]), claims)
    assert names(files) == ["stdin"]
    assert claims.asked == []


def test_a_run_that_ends_takes_no_further_file(exports: ExportSet) -> None:
    """What it was not given is nobody's."""
    claims = Claims()
    files = claimed(exports, claims)
    walk = iter(files)
    next(walk)
    files.stop()
    assert list(walk) == []
    assert claims.ours == ["a"]
