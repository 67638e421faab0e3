"""What a newcomer runs into first, and is told in a sentence that mends it."""

from __future__ import annotations

import tomllib

import pytest

from tests.cli.command_line import CommandLine
from tests.system.messages import order, orders


@pytest.fixture
def with_export(convertro: CommandLine) -> CommandLine:
    """An export with two names that need an entry."""
    messages = [order(9, event="Signed Up"), order(10, event='Paid "twice"')]
    convertro.workspace.write("e.ndjson", *orders(3), *messages)
    return convertro


def test_a_suggestion_says_where_it_belongs(with_export: CommandLine) -> None:
    """In its first lines, as comments: it can be loaded as it is."""
    out = with_export("inspect", "--no-config", "--suggest", "e.ndjson").out.decode()
    head = " ".join(line.removeprefix("# ") for line in out.splitlines()[:4])
    assert "under the [events] of your convertro.toml" in head
    assert "convertro init --suggest" in head
    assert set(tomllib.loads(out)["events"]) == {"Signed Up", 'Paid "twice"'}


def test_a_suggestion_pasted_below_is_told(with_export: CommandLine) -> None:
    """Two tables of one name are no TOML; the hint says how to make them one."""
    out = with_export("inspect", "--no-config", "--suggest", "e.ndjson").out
    with with_export.workspace.config.open("ab") as settings:
        settings.write(out)
    ended = with_export("check")
    ended.assert_told(2, "heading [events] once", "delete the second heading")


def test_a_whole_file_with_suggestions(with_export: CommandLine) -> None:
    """``init --suggest`` writes what ``check`` takes, once the account is filled in."""
    assert with_export("init", "--force", "--suggest", "e.ndjson").code == 0
    text = with_export.workspace.config.read_text()
    assert set(tomllib.loads(text)["events"]) == {"Signed Up", 'Paid "twice"'}
    assert text.count("\n[events]\n") == 1
    with_export.workspace.config.write_text(text.replace('account = ""', 'account = "acme"'))
    assert with_export("check").code == 0


def test_suggestions_beside_segments_settings(with_export: CommandLine) -> None:
    """What Segment's settings map already is not proposed again."""
    folder = with_export.workspace.folder
    (folder / "s.json").write_text('{"account": "acme", "events": {"signed_up": "signup"}}')
    command = ("init", "--force", "--from-segment", "s.json", "--suggest", "e.ndjson")
    assert with_export(*command).code == 0
    events = tomllib.loads(with_export.workspace.config.read_text())["events"]
    assert events == {"signed_up": "signup", 'Paid "twice"': "paid_twice"}
    assert with_export("check").code == 0


@pytest.mark.parametrize("arguments", [["--suggest"], ["e.ndjson"]])
def test_suggest_and_exports_go_together(with_export: CommandLine, arguments: list[str]) -> None:
    """One without the other is an error."""
    with_export("init", "--force", *arguments).assert_told(2, "--suggest EXPORT")


def test_a_file_that_is_there_is_told_before_reading(with_export: CommandLine) -> None:
    """Nobody waits for an export to be read, and then hears that nothing can be written."""
    with_export("init", "--suggest", "missing.ndjson").assert_told(2, "is there already")


def test_faults_in_inits_own_file(convertro: CommandLine) -> None:
    """Who has that file is not told to write it; anybody else is."""
    convertro("init", "--force")
    ended = convertro("check")
    ended.assert_told(2, "convertro.account")
    assert "convertro init" not in ended.err
    convertro.workspace.config.write_text("[convertro]\n")
    assert "convertro init" in convertro("check").err
