"""Lists of very many files: found while they are read, each looked at once, in flat memory."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from convertro_cli.errors import ConvertroError
from convertro_cli.reading.exports import read_exports
from convertro_cli.reading.sources import find_exports
from convertro_cli.reading.unread import Unread

LINE = b'{"type":"page"}\n'


def make(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number:03}").write_bytes(LINE)


def test_a_long_list_goes_on_while_it_is_read(tmp_path: Path) -> None:
    """The first files are known at once; what is passed over is counted when it is met."""
    for name in ("a", "b", "c"):
        make(tmp_path / name, 10)
    (tmp_path / "c" / ".hidden").write_bytes(LINE)
    (tmp_path / "c" / "z").symlink_to("gone")
    found = find_exports([str(tmp_path)], at_once=12)
    assert (len(found.files), found.total_bytes, found.is_whole) == (12, None, False)
    assert found.unread == {}
    assert len([batch for batch in read_exports(found) if batch.end]) == 30
    assert (found.is_whole, found.found) == (True, 30)
    assert found.unread == {Unread.HIDDEN: 1, Unread.BROKEN_LINK: 1}
    assert found.notes == [f"Passed over, for they are links to nothing: '{tmp_path}/c/z'."]


def test_bad_arguments_are_told_before_the_run_however_long_the_list(tmp_path: Path) -> None:
    """What is named and not there stops the run before it begins."""
    make(tmp_path / "a", 9)
    with pytest.raises(ConvertroError, match=r"nowhere.*no such file"):
        find_exports([str(tmp_path / "a"), str(tmp_path / "nowhere")], at_once=3)


def test_what_is_wrong_further_on_is_told_when_its_turn_comes(tmp_path: Path) -> None:
    """It ends no run that is under way: it is damaged, and the next file follows."""
    make(tmp_path / "a", 9)
    (tmp_path / "empty").mkdir()
    arguments = [str(tmp_path / "a"), str(tmp_path / "empty"), str(tmp_path / "a" / "001")]
    batches = list(read_exports(find_exports(arguments, at_once=3)))
    damage = [batch.end.damage for batch in batches if batch.end and batch.end.damage]
    assert len(damage) == 1
    assert "empty cannot be read: no export in this folder." in damage[0]
    assert len(batches) == 10


def test_a_link_within_a_folder_does_not_make_a_file_two(tmp_path: Path) -> None:
    """Whichever comes first: it is read at its own place, and what lies elsewhere by its link."""
    make(tmp_path / "logs" / "m", 2)
    make(tmp_path / "far", 1)
    for name in ("a", "z"):
        (tmp_path / "logs" / name).symlink_to(tmp_path / "logs" / "m" / "000")
        (tmp_path / "logs" / f"{name}-far").symlink_to(tmp_path / "far" / "000")
    names = [Path(file.name).name for file in find_exports([str(tmp_path / "logs")])]
    assert names == ["a-far", "000", "001"]


def test_a_small_file_is_one_batch_and_tells_that_more_follow(tmp_path: Path) -> None:
    """So that many can be handed on together, also where its last line has no newline."""
    make(tmp_path / "a", 3)
    batches = list(read_exports(find_exports([str(tmp_path / "a")])))
    assert [batch.data for batch in batches] == [LINE] * 3
    assert all(batch.end for batch in batches)
    assert [batch.is_followed for batch in batches] == [True, True, False]
    unfinished = tmp_path / "b"
    unfinished.write_bytes(LINE + LINE[:-1])
    (batch,) = read_exports(find_exports([str(unfinished)]))
    assert batch.data == LINE + LINE[:-1]
    assert batch.last_line == 2


MEMORY = """
import os, resource, sys
from convertro_cli.reading import folders, sources
names = {1: [f"{n:03}" for n in range(40)], 2: [f"{n:04}" for n in range(1000)]}
class Found:
    def __init__(self, name): self.name = name
    def is_symlink(self): return False
class Folder(list):
    def __enter__(self): return iter(self)
    def __exit__(self, *_): pass
here = os.stat("."), os.stat(__file__ if "__file__" in globals() else sys.executable)
status = lambda path, **_: here[path.count("/") > 2]
folders.os.scandir = lambda path: Folder(map(Found, names[path.count("/")]))
looks = 0
def look(path, **_):
    global looks
    looks += 1
    return os.stat_result((here[path.count("/") > 2].st_mode, looks, *here[0][2:]))
folders.os.stat = look
sources._may_read = lambda path: True
found = sources.find_exports(["/x"])
before, count = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0
for _ in found: count += 1
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(count, looks, after - before)
"""


def test_very_many_files_take_no_more_memory_than_a_few_and_one_look_each() -> None:
    """The names of one folder at each depth are all that is held."""
    found = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True
    )
    count, looks, grown = map(int, found.stdout.split())
    assert count == 40_000
    assert looks <= count + 42
    assert grown < 2_000  # KB


def test_only_so_much_is_found_as_is_asked_for(tmp_path: Path) -> None:
    """Whoever stops reading does not wait for the rest of the list."""
    make(tmp_path / "a", 9)
    found = find_exports([str(tmp_path / "a")], at_once=2)
    assert len(list(islice(found, 4))) == 4
    assert found.found == 4


def test_whoever_waits_for_a_list_hears_of_it(tmp_path: Path) -> None:
    """Also of what is passed over, and until the run begins; then the count goes on by itself."""
    make(tmp_path / "a", 450)
    for number in range(200):
        (tmp_path / "a" / f".{number}").touch()
    heard: list[int] = []
    found = find_exports([str(tmp_path)], at_once=150, tell=heard.append)
    assert heard == [1, 101, 201, 301]
    assert found.listed.count == 350
    assert len(list(found)) == 450
    assert (found.listed.count, heard[-1]) == (650, 301)


def test_a_search_ends_when_its_listener_says_so(tmp_path: Path) -> None:
    """A long list need not come to its end first."""

    def stop(count: int) -> None:
        if count > 100:
            raise ConvertroError("enough")

    make(tmp_path / "a", 300)
    with pytest.raises(ConvertroError, match="enough"):
        find_exports([str(tmp_path)], tell=stop)
