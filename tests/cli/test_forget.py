"""``convertro forget``: dead letters of suppressed users go, and what stays is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convertro_cli.record.state import RunLock
from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine

LISTED = "userId,when\nu1,2024-03-01\n42,2024-03-02\n"


def letter(user_id: str) -> str:
    """A line of the dead letters; the id as JSON."""
    head = '{"reason":"http_400","detail":"d","source":"a.ndjson:7","at":"2024-03-01"'
    return head + ',"event":{"type":"track","userId":' + user_id + "}}\n"


def with_letters(convertro: CommandLine, *users: str, name: str = "dead-letters.ndjson") -> Path:
    """A file of dead letters, one for each user."""
    convertro.workspace.state.mkdir(exist_ok=True)
    path = convertro.workspace.state / name
    path.write_text("".join(map(letter, users)))
    return path


@pytest.fixture(autouse=True)
def _with_a_list(convertro: CommandLine) -> None:
    (convertro.workspace.folder / "ids.csv").write_text(LISTED)


def test_it_removes_and_says_what_stays(convertro: CommandLine) -> None:
    """A line for each file; nothing is left of the users on the list."""
    letters = with_letters(convertro, '"u1"', '"u2"', "42")
    ended = convertro("forget", "--suppressed", "ids.csv")
    assert ended.code == 0
    assert ended.out.decode() == ".convertro/dead-letters.ndjson: 2 removed, 1 stays\n"
    assert letters.read_text() == letter('"u2"')


def test_a_dry_run_only_counts(convertro: CommandLine) -> None:
    """No file changes, and none comes to be."""
    letters = with_letters(convertro, '"u1"', '"u2"')
    letters.write_text(letters.read_text() + "{broken\n")
    before = letters.read_bytes()
    ended = convertro("forget", "--suppressed", "ids.csv", "--dry-run")
    assert ended.out.decode() == (
        ".convertro/dead-letters.ndjson: 1 would be removed, 2 stay, "
        "1 of them of a user who cannot be told\n"
    )
    assert letters.read_bytes() == before
    assert list(convertro.workspace.state.iterdir()) == [letters]


def test_several_files_and_lists(convertro: CommandLine) -> None:
    """Files set aside are gone through; the settings' lists count besides those named here."""
    with_letters(convertro, '"u1"', '"u3"', name="dead-letters.20240301T000000Z.ndjson")
    with_letters(convertro, '"u2"', '"u3"')
    config = convertro.workspace.config
    config.write_text(config.read_text() + '[privacy]\nsuppressed = ["more.txt"]\n')
    (convertro.workspace.folder / "more.txt").write_text("u3\n")
    ended = convertro("forget", "--suppressed", "ids.csv", "--json")
    assert json.loads(ended.out) == {
        "state": ".convertro",
        "dry_run": False,
        "removed": 3,
        "kept": 1,
        "unreadable": 0,
        "files": [
            {
                "file": ".convertro/dead-letters.20240301T000000Z.ndjson",
                "removed": 2,
                "kept": 0,
                "unreadable": 0,
            },
            {
                "file": ".convertro/dead-letters.ndjson",
                "removed": 1,
                "kept": 1,
                "unreadable": 0,
            },
        ],
    }
    again = convertro("forget")
    assert again.out.decode() == ".convertro/dead-letters.ndjson: 0 removed, 1 stays\n"


def test_without_settings(convertro: CommandLine) -> None:
    """A list and a state folder are enough."""
    convertro.workspace.config.unlink()
    letters = with_letters(convertro, '"u1"')
    assert convertro("forget", "--suppressed", "ids.csv").code == 0
    assert not letters.exists()
    with_letters(convertro, '"u1"')
    convertro.workspace.state.rename("elsewhere")
    ended = convertro("forget", "--suppressed", "ids.csv", "--state", "elsewhere", "-n")
    assert ended.out.decode() == "elsewhere/dead-letters.ndjson: 1 would be removed, 0 stay\n"


def test_nothing_to_forget(convertro: CommandLine) -> None:
    """No state folder, or one without dead letters: none is made."""
    said = "There are no dead letters in .convertro.\n"
    assert convertro("forget", "--suppressed", "ids.csv").out.decode() == said
    assert not convertro.workspace.state.exists()
    convertro.workspace.state.mkdir()
    assert convertro("forget", "--suppressed", "ids.csv").out.decode() == said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "There is no suppression list"),
        (["--suppressed", "none.txt"], "--suppressed = 'none.txt' is not there"),
        (["--suppressed", "empty.txt"], "--suppressed = 'empty.txt' is empty"),
        (["--suppressed", "ids.csv", "-c", "none.toml"], "There is no settings file none.toml"),
    ],
)
@pytest.mark.parametrize("has_settings", [True, False])
def test_without_a_sound_list_nothing_is_touched(
    convertro: CommandLine, arguments: list[str], told: str, has_settings: bool
) -> None:
    """Exit code 2 and a sentence."""
    if not has_settings:
        convertro.workspace.config.unlink()
    (convertro.workspace.folder / "empty.txt").touch()
    letters = with_letters(convertro, '"u1"')
    convertro("forget", *arguments).assert_told(2, told)
    assert letters.read_text() == letter('"u1"')


def test_it_waits_for_no_run(convertro: CommandLine) -> None:
    """While a run holds the lock, its dead letters may grow: try later."""
    letters = with_letters(convertro, '"u1"')
    with RunLock(convertro.workspace.state / "lock", "replay x"):
        convertro("forget", "--suppressed", "ids.csv").assert_told(75, "Another run holds")
        assert convertro("forget", "--suppressed", "ids.csv", "--dry-run").code == 0
    assert letters.read_text() == letter('"u1"')


def test_a_replay_leaves_nothing_of_suppressed_users(
    convertro: CommandLine, sandbox: Sandbox
) -> None:
    """Neither in the dead letters of earlier runs, nor in its own, nor in those set aside."""
    with_letters(convertro, '"u1"', '"u2"', name="dead-letters.20240301T000000Z.ndjson")
    with_letters(convertro, '"u1"', '"u2"')
    invalid = {"type": 5, "userId": "u1", "event": "x"}
    convertro.workspace.write("export.ndjson", invalid, {"type": "page"})
    ended = convertro.replay(sandbox.url, "export.ndjson", "--suppressed", "ids.csv")
    assert ended.summary["messages"]["read"] == 2
    assert "Dead letters of suppressed users, removed for good: 3." in ended.err
    content = b"".join(path.read_bytes() for path in convertro.workspace.state.iterdir())
    assert b'"u1"' not in content
    assert content.count(b'"u2"') == 2


def test_the_help_fits_a_terminal(convertro: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option, two examples, and no line longer than 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    told = convertro("forget", "--help").out.decode()
    assert max(map(len, told.splitlines())) <= 80
    for part in ("--suppressed", "--state", "--dry-run", "convertro forget --suppressed"):
        assert part in told
