"""Sharing out files between runs: each is read by one, and none is left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from convertro_cli.reading.export_set import ExportFile, ExportSet
from convertro_cli.reading.identity import FileIdentity, identify
from convertro_cli.reading.sources import find_exports
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
        self.questions = 0

    def claim(self, files: Sequence[tuple[FileIdentity, bytes]], *, again: bool) -> list[FileClaim]:
        self.questions += 1
        return [self._claim(identity) for identity, _ in files]

    def _claim(self, identity: FileIdentity) -> FileClaim:
        name = Path(identity.path).name
        self.asked.append(name)
        if name in self.finished:
            return FileClaim.FINISHED
        if name in self.held:
            return FileClaim.HELD
        if name not in self.ours:
            self.ours.append(name)
        return FileClaim.GRANTED

    def release(self, files: Sequence[tuple[FileIdentity, bytes]]) -> None:
        for identity, _ in files:
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
    assert not files.has_news()
    assert claims.ours == ["b", "d"]


def test_what_is_noted_as_done_needs_no_release(exports: ExportSet) -> None:
    """The ledger lets go of it with the note; of what changed meanwhile it does not."""
    claims = Claims()
    claims.held = {"a"}
    files = claimed(exports, claims)
    assert names(files) == ["b", "c", "d"]
    files.release(0, identify(Path(exports.files[1].name)))
    files.release(1, FileIdentity("c", 1, 2, b""))
    assert not files.has_news()
    assert claims.ours == ["b", "d"]


def test_small_files_are_asked_for_together(tmp_path: Path) -> None:
    """More and more of them: a short list is shared, and a long one does not take forever."""
    for number in range(100):
        (tmp_path / f"{number:03}").write_bytes(b"{}\n")
    claims = Claims()
    files = claimed(find_exports([str(tmp_path)], at_once=10), claims)
    assert names(files) == [f"{number:03}" for number in range(100)]
    assert claims.questions == 4 + 6  # of 1, 2, 4, 8 and then 16


def test_large_files_are_asked_for_one_by_one(tmp_path: Path) -> None:
    """What is asked for early is kept from the others."""
    for number in range(6):
        (tmp_path / str(number)).write_bytes(b"\n" * 600_000)
    claims = Claims()
    walk = iter(claimed(find_exports([str(tmp_path)]), claims))
    for number in range(5):
        next(walk)
        assert claims.asked == [str(each) for each in range(number + 1)]


class Object:
    """An export in object storage, as far as its identity goes."""

    identity = FileIdentity("s3://bucket/0.gz", 7, 0, b"tag")


def test_an_object_is_asked_for_by_its_address() -> None:
    """No path of this machine is looked at."""
    place: Any = Object()
    exports = ExportSet((ExportFile("s3://bucket/0.gz", None, 7, place),))
    claims = Claims()
    assert names(claimed(exports, claims)) == ["0.gz"]
    assert claims.asked == ["0.gz"]


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
