"""What a user names becomes files to read: in order, each once, or one clear complaint."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.days import WantedDays
from convertro_cli.reading.export_set import ExportFile
from convertro_cli.reading.sources import find_exports
from convertro_cli.reading.unread import Unread

DAY = 86_400
RECEIVED = 1_709_251_200  # 2024-03-01 in UTC


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")


def names(*arguments: str) -> list[str]:
    return [file.name for file in find_exports(arguments).files]


def complaint(*arguments: str) -> str:
    with pytest.raises(ConvertroError) as caught:
        find_exports(arguments)
    assert caught.value.exit_code is ExitCode.UNREADABLE_EXPORT
    assert caught.value.hint
    return caught.value.message


def test_the_order_given_is_kept(here: Path) -> None:
    """Files are read as they are named, not sorted."""
    make("b", "a", "c")
    assert names("c", "a", "b") == ["c", "a", "b"]


def test_a_file_has_its_name_as_given_and_its_size(here: Path) -> None:
    """The name is for people and dry-run lines, so it is what the user typed."""
    make("x/a")
    found = find_exports(["./x/../x/a"])
    (file,) = found.files
    assert (file.name, file.path, file.size) == ("./x/../x/a", Path("./x/../x/a"), 3)
    assert (found.skipped, found.total_bytes) == (0, 3)


def test_a_folder_is_read_with_its_folders_in_order_of_names(here: Path) -> None:
    """A folder's files are named by the folder joined with the rest, and sorted step by step."""
    make("logs/b/2", "logs/b/1", "logs/b.json", "logs/a", "logs/c/d/e/f")
    expected = ["logs/a", "logs/b/1", "logs/b/2", "logs/b.json", "logs/c/d/e/f"]
    assert names("logs") == expected
    assert names("logs/") == expected


def test_what_is_hidden_or_a_marker_is_passed_over_and_counted(here: Path) -> None:
    """What Spark, Hadoop, Finder and Segment's own check leave in a folder is no export."""
    make("logs/a", "logs/b/c", "logs/.DS_Store", "logs/.git/x/y", "logs/.a.crc")
    make("logs/_SUCCESS", "logs/_temporary/0/x", "logs/_b", "logs/a.crc", "logs/b/dummy-object.txt")
    found = find_exports(["logs"])
    assert [file.name for file in found.files] == ["logs/a", "logs/b/c"]
    assert found.unread == {Unread.HIDDEN: 3, Unread.MARKER: 5}
    assert found.skipped == 8
    assert names("logs/**") == names("logs/*") == ["logs/a", "logs/b/c"]
    assert find_exports(["logs/*"]).unread == {Unread.MARKER: 5}  # "*" matches nothing hidden


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("logs/_SUCCESS", ["logs/_SUCCESS"]),
        ("logs/.DS_Store", ["logs/.DS_Store"]),
        ("logs/dummy-object.txt", ["logs/dummy-object.txt"]),
        ("logs/.git", ["logs/.git/x"]),
        ("logs/_*", ["logs/_SUCCESS"]),
    ],
)
def test_what_is_named_by_itself_is_read(here: Path, argument: str, expected: list[str]) -> None:
    """Whoever names it means it, also beside the folder that it lies in."""
    make("logs/a", "logs/.DS_Store", "logs/.git/x", "logs/_SUCCESS", "logs/dummy-object.txt")
    assert names(argument) == expected
    both = find_exports(["logs", argument])
    assert [file.name for file in both.files] == ["logs/a", *expected]
    assert both.skipped == 3


def test_a_link_leads_out_of_a_hidden_folder(here: Path) -> None:
    """What a visible name leads to is read, wherever it lies, in whatever order they come."""
    make("logs/.store/a", "logs/data/b")
    Path("logs/shown").symlink_to(here / "logs/.store")
    Path("logs/.link").symlink_to(here / "logs/data")
    found = find_exports(["logs"])
    assert [file.name for file in found.files] == ["logs/data/b", "logs/shown/a"]


def test_our_own_files_are_no_exports(here: Path) -> None:
    """The settings and the state in a folder of exports are neither read nor counted."""
    make("logs/a", "logs/convertro.toml", "logs/state/ledger.db", "logs/mine.toml", "logs/b/state")
    own = {str(here / "logs/state"), str(here / "logs/mine.toml")}
    found = find_exports(["logs"], own=own)
    assert [file.name for file in found.files] == ["logs/a", "logs/b/state"]
    assert found.skipped == 0
    assert find_exports(["logs/*"], own=own).files == found.files
    state = find_exports(["logs/state"], own=own).files
    assert [file.name for file in state] == ["logs/state/ledger.db"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("logs/*.gz", ["logs/a.gz", "logs/b.gz"]),
        ("logs/[bc].*", ["logs/b.gz", "logs/c.json"]),
        ("logs/?.json", ["logs/c.json"]),
        ("lo*/d*", ["logs/d/1.gz", "logs/d/e/2.gz"]),
        ("logs/**/*.gz", ["logs/a.gz", "logs/b.gz", "logs/d/1.gz", "logs/d/e/2.gz"]),
        ("**/*.json", ["logs/c.json"]),
        ("logs/**/e", ["logs/d/e/2.gz"]),
        ("logs/**/d/**/*.gz", ["logs/d/1.gz", "logs/d/e/2.gz"]),
        ("l*/**/2.*", ["logs/d/e/2.gz"]),
        ("**", ["logs/a.gz", "logs/b.gz", "logs/c.json", "logs/d/1.gz", "logs/d/e/2.gz"]),
    ],
)
def test_a_pattern_names_files_and_folders(here: Path, pattern: str, expected: list[str]) -> None:
    """Patterns are sorted, ** stands for any folders, and a folder found is read whole."""
    make("logs/b.gz", "logs/a.gz", "logs/c.json", "logs/d/1.gz", "logs/d/e/2.gz")
    assert names(pattern) == expected
    assert names(f"{here}/{pattern}") == [f"{here}/{name}" for name in expected]


def test_a_name_that_exists_is_no_pattern(here: Path) -> None:
    """Brackets in the name of a file that is there mean themselves."""
    make("a[1].json", "a1.json")
    assert names("a[1].json") == ["a[1].json"]
    assert names("a[1]*") == ["a1.json"]


def test_a_file_named_twice_is_read_once(here: Path) -> None:
    """By itself, in a folder, by a link or by a pattern: it is one file, where it came first."""
    make("logs/a", "logs/b")
    Path("link").symlink_to("logs/b")
    assert names("link", "logs", "logs/a", "./logs/../logs/a", "logs/*") == ["link", "logs/a"]


def test_a_loop_of_links_ends(here: Path) -> None:
    """A folder that contains itself, even twice, is read once."""
    make("logs/a", "logs/x/b")
    for place in ("logs/x/up", "logs/x/again", "logs/here"):
        Path(place).symlink_to(here / "logs")
    assert names("logs") == ["logs/a", "logs/x/b"]
    assert names("logs/**/b") == ["logs/x/b"]
    assert sorted(names("logs/*")) == ["logs/a", "logs/here/x/b"]


def test_links_to_folders_are_followed(here: Path) -> None:
    """A folder of links to where the exports lie is as good as the exports."""
    make("far/away/a")
    Path("logs").mkdir()
    Path("logs/away").symlink_to(here / "far/away")
    assert names("logs") == ["logs/away/a"]


def test_standard_input_has_its_place_among_the_files(here: Path) -> None:
    """A dash is standard input, of which nobody knows the size."""
    make("a", "b")
    found = find_exports(["b", "-", "a"])
    assert [file.name for file in found.files] == ["b", "stdin", "a"]
    assert found.files[1] == ExportFile("stdin", None, None)
    assert found.total_bytes is None


def test_pipes_are_files_of_unknown_size(here: Path) -> None:
    """A named pipe and what a shell makes of <(command) can be read, and have no size."""
    os.mkfifo("pipe")
    reader, writer = os.pipe()
    found = find_exports(["pipe", f"/dev/fd/{reader}"])
    assert [file.size for file in found.files] == [None, None]
    assert found.total_bytes is None
    os.close(reader)
    os.close(writer)


def test_two_substituted_pipes_are_two_files() -> None:
    """Names in /dev/fd resolve to nothing on disk, but differ."""
    first, second = os.pipe(), os.pipe()
    assert len(names(f"/dev/fd/{first[0]}", f"/dev/fd/{second[0]}")) == 2
    for descriptor in (*first, *second):
        os.close(descriptor)


def test_a_pipe_in_a_folder_is_left_out(here: Path) -> None:
    """Nobody may ever write to it, so only a pipe that was named is waited for."""
    make("logs/a")
    os.mkfifo("logs/pipe")
    assert names("logs") == ["logs/a"]


def test_a_name_that_is_not_utf_8_can_be_stored(here: Path) -> None:
    """The name becomes text that JSON takes, and the path still opens the file."""
    raw = os.fsdecode(b"logs/caf\xe9.json")
    make(raw)
    (file,) = find_exports(["logs"]).files
    assert file.name == r"logs/caf\xe9.json"
    assert file.path is not None
    assert file.path.read_text() == "{}\n"


LATER = WantedDays(since=RECEIVED + 2 * DAY)
BEFORE, NOT_THEN = Unread.DAY_BEFORE_SINCE, Unread.NOT_RECEIVED_THEN


@pytest.mark.parametrize(
    ("days", "unread"),
    [
        (WantedDays(), None),
        (WantedDays(since=RECEIVED), None),
        (WantedDays(since=RECEIVED + 2 * DAY - 1), None),
        (WantedDays(since=RECEIVED + 2 * DAY), BEFORE),
        (WantedDays(since=RECEIVED - 999 * DAY), None),
        (WantedDays(received_since=RECEIVED + DAY - 1), None),
        (WantedDays(received_since=RECEIVED + DAY), NOT_THEN),
        (WantedDays(received_until=RECEIVED + 1), None),
        (WantedDays(received_until=RECEIVED), NOT_THEN),
        (WantedDays(received_since=RECEIVED, received_until=RECEIVED + DAY), None),
    ],
)
@pytest.mark.parametrize("folder", ["segment-logs", "bucket/segment-logs"])
def test_days_outside_the_time_wanted_are_left_out_unread(
    here: Path, folder: str, days: WantedDays, unread: Unread | None
) -> None:
    """Segment's folders by day are left out if they end a day before, or were received then."""
    path = f"{folder}/src1/{RECEIVED}000/1.gz"
    make(path, f"{folder}/src1/readme", f"other/{RECEIVED}000/1.gz")
    found = find_exports([path, "other", f"{folder}/src1/readme"], days=days)
    expected = [f"other/{RECEIVED}000/1.gz", f"{folder}/src1/readme"]
    assert [file.name for file in found.files] == ([] if unread else [path]) + expected
    assert found.unread == ({unread: 1} if unread else {})


def test_the_day_is_seen_from_inside_its_folder(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layout counts anywhere in the path, also where the path given does not show it."""
    make(f"segment-logs/src1/{RECEIVED}000/1.gz", f"segment-logs/src1/{RECEIVED + 9 * DAY}000/2.gz")
    monkeypatch.chdir("segment-logs/src1")
    found = find_exports(["."], days=WantedDays(since=RECEIVED + 8 * DAY))
    assert [file.name for file in found.files] == [f"./{RECEIVED + 9 * DAY}000/2.gz"]
    assert (found.skipped, found.total_bytes) == (1, 3)


def test_all_days_may_be_left_out(here: Path) -> None:
    """An export with nothing of the time wanted is no fault."""
    make(f"segment-logs/src1/{RECEIVED}000/1.gz")
    found = find_exports(["segment-logs"], days=LATER)
    assert (*found, found.total_bytes) == (0,)
    assert found.unread == {Unread.DAY_BEFORE_SINCE: 1}


def test_all_bad_arguments_are_named_at_once(here: Path) -> None:
    """One message tells of each argument that cannot be read, and why."""
    make("a", "empty/.hidden")
    assert complaint("a", "nowhere", "no*", "empty", "", "a/b", "-", "-") == (
        "Cannot read 'nowhere' (no such file or folder), 'no*' (nothing matches it), "
        "'empty' (no export in this folder), '' (no such file or folder), "
        "'a/b' (not a directory), '-' (standard input can be read only once)."
    )


def test_a_long_list_of_bad_arguments_is_cut(here: Path) -> None:
    """The message stays readable when a whole list of names is wrong."""
    assert complaint(*map(str, range(25))).endswith("'19' (no such file or folder), and 5 more.")


def test_a_link_to_nothing_in_a_folder_is_passed_over_and_named(here: Path) -> None:
    """A dangling or circular link stops no run, and nobody has to guess what was missing."""
    make("logs/a.gz")
    Path("logs/b").symlink_to("gone")
    Path("logs/c").symlink_to("c")
    for argument in ("logs", "logs/*", "logs/**"):
        found = find_exports([argument])
        assert [file.name for file in found.files] == ["logs/a.gz"]
        assert found.unread == {Unread.BROKEN_LINK: 2}
        assert found.notes == ("Passed over, for they are links to nothing: 'logs/b', 'logs/c'.",)
    assert find_exports(["logs/**/*.gz"]).notes == ()


def test_a_link_to_nothing_that_is_named_is_a_fault(here: Path) -> None:
    """An export that is missing behind its link is not passed over, where it is wanted."""
    Path("b").symlink_to("gone")
    Path("c").symlink_to("c")
    assert "'b' (a link to nothing)" in complaint("b")
    assert "levels of symbolic links" in complaint("c")


def test_what_is_neither_file_nor_folder_nor_pipe_is_a_fault(here: Path) -> None:
    """A socket cannot be read."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("sock")
        assert "neither a file nor a folder nor a pipe" in complaint("sock")


def test_a_name_with_control_characters_is_told_escaped(here: Path) -> None:
    """A message does not write to the terminal what a file name says."""
    assert complaint("a\x1bcb") == r"Cannot read 'a\x1bcb' (no such file or folder)."
    assert "embedded null" in complaint("a\0b")


def test_an_unreadable_file_is_a_fault_before_the_run(forbidden: Path) -> None:
    """A file without permission is told of at once, also inside a folder."""
    secret = forbidden / "secret"
    secret.write_text("{}")
    secret.chmod(0)
    assert complaint(str(secret)) == f"Cannot read '{secret}' (permission denied)."
    assert complaint(str(forbidden)) == f"Cannot read '{secret}' (permission denied)."


def test_an_unreadable_folder_is_a_fault(forbidden: Path) -> None:
    """A folder that cannot be listed or entered is told of, at any depth."""
    inner = forbidden / "a" / "inner"
    inner.mkdir(parents=True)
    (inner / "x").write_text("{}")
    for mode in (0o000, 0o400, 0o100):
        inner.chmod(mode)
        assert "permission denied" in complaint(str(inner))
        assert f"'{forbidden}' ('{inner}" in complaint(str(forbidden))
