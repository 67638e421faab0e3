"""``convertro inspect``: its options, where its report goes, and how it ends."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from convertro_cli.cli.inspect import inspect
from tests.cli.one_command import enter_folder, run_command
from tests.mapping.messages import cloud_message, web_message

SETTINGS = """\
[convertro]
account = "acme"
[events]
"Signed Up" = "signup"
"""

MESSAGES = [
    web_message("track", messageId="m1", event="Signed Up", timestamp="2024-03-01T10:00:00Z"),
    web_message("track", messageId="m2", event="Paid \x1b[31m", timestamp="2024-03-04T10:00:00Z"),
    cloud_message("track", messageId="m2", event="signed_up", timestamp="2024-03-09T10:00:00Z"),
    web_message("page", messageId="m4", timestamp="2024-03-09T11:00:00Z"),
]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has an export, settings beside it, and a terminal of 80 columns."""
    enter_folder(tmp_path, monkeypatch, SETTINGS, MESSAGES)


def run(*arguments: str) -> int:
    """Run the command as the program does; give its exit code."""
    return run_command(inspect, *arguments)


@pytest.fixture
def as_json(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command for JSON."""

    def run_for_json(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        assert run("e.ndjson", "--format", "json", *arguments) == 0
        report: dict[str, Any] = json.loads(capsys.readouterr().out)
        return report

    return run_for_json


def test_the_report_is_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """With the settings that lie here, no line too wide, and nothing on standard error."""
    assert run("e.ndjson") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert max(map(cell_len, out.splitlines())) <= 80
    for told in ("With convertro.toml.", "2024-03-02 Sat to 2024-03-03 Sun, 2 days", "\\x1b[31m"):
        assert told in out


def test_settings_are_used_if_they_are_here(as_json: Any) -> None:
    """Those in this folder, those that are named, or none."""
    assert as_json()["settings"] == "convertro.toml"
    assert as_json("--no-config")["settings"] is None
    Path("convertro.toml").rename("other.toml")
    assert as_json()["settings"] is None
    assert as_json("-c", "other.toml")["settings"] == "other.toml"


def test_options_override_settings(as_json: Any) -> None:
    """With all cloud settings, only the unmapped event and the page are left."""
    assert as_json()["would_be_sent"]["skipped"]["cloud_settings_missing"] == 1
    options = ("--client-name", "acme", "--site-id", "1", "--domain", "https://shop.example.com")
    assert as_json(*options)["would_be_sent"] == {
        "messages": 2,
        "skipped": {"unmapped_event": 1, "unsupported_type": 1},
        "invalid": {"invalid_json": 1},
        "failed": {},
        "already_delivered": 0,
        "already_failed": 0,
        "calls": {"event": 2},
    }


@pytest.mark.parametrize(
    ("options", "types"),
    [
        (("--since", "2024-03-04"), {"track": 2, "page": 1}),
        (("--until", "2024-03-04"), {"track": 1}),
        (("--event", "signed-up"), {"track": 2}),
        (("--type", "track", "--since", "2024-03-04"), {"track": 2}),
        (("--limit", "1"), {"track": 1}),
    ],
)
def test_filters_are_those_of_a_replay(
    as_json: Any, options: tuple[str, ...], types: dict[str, int]
) -> None:
    """By time, by event in any spelling, by type, and by number."""
    assert as_json(*options)["types"] == types


def test_top_says_how_many_names_are_listed(as_json: Any) -> None:
    """The others are counted."""
    events = as_json("--top", "1")["events"]
    assert [event["name"] for event in events["top"]] == ["Signed Up"]
    assert events["others"] == {"names": 1, "names_are_all": True, "messages": 1}


def test_suggestions_are_toml_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output, to be put into a file as they are."""
    assert run("e.ndjson", "--suggest") == 0
    out = capsys.readouterr().out
    assert tomllib.loads(out) == {"events": {}}  # settings take no name with what is not seen
    assert "# Left out: 1 name with characters that are not seen" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("options", "begins"),
    [
        ((), "What is in the export"),
        (("--format", "json"), '{"settings"'),
        (("--format", "markdown"), "## What is in the export"),
        (("--format", "html"), "<!doctype html>"),
        (("--suggest",), "# These lines belong under the [events] of your convertro.toml."),
    ],
)
def test_a_report_can_go_to_a_file(
    options: tuple[str, ...], begins: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every format; standard output stays empty then."""
    assert run("e.ndjson", *options, "--output", "report") == 0
    assert Path("report").read_text(encoding="utf-8").lstrip().startswith(begins)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("r.txt", "What is in the export"),
        ("r.json", '{"settings"'),
        ("r.md", "## What is in the export"),
        ("r.HTML", "<!doctype html>"),
    ],
)
def test_a_file_is_written_as_it_is_named(name: str, begins: str) -> None:
    """Unless a format is asked for."""
    assert run("e.ndjson", "--output", name) == 0
    assert Path(name).read_text(encoding="utf-8").lstrip().startswith(begins)
    assert run("e.ndjson", "--output", name, "--suggest") == 0
    assert tomllib.loads(Path(name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("e.ndjson", "--output", "nowhere/report"), "There is no folder nowhere"),
        (("e.ndjson", "--output", "."), ". is a folder"),
        (("e.ndjson", "--suggest", "--format", "html"), "--suggest writes TOML"),
        (("e.ndjson", "--suggest", "--format", "terminal"), "--suggest writes TOML"),
        (("e.ndjson", "--no-config", "-c", "convertro.toml"), "--no-config does without"),
        (("e.ndjson", "--no-config", "--account", "a"), "--no-config does without"),
        (("e.ndjson", "-c", "nowhere.toml"), "There is no settings file nowhere.toml"),
    ],
)
def test_what_cannot_be_is_told_before_reading(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a sentence, with exit code 2."""
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err


def test_a_file_that_cannot_be_read_ends_with_66(capsys: pytest.CaptureFixture[str]) -> None:
    """One that is not there at once, one that is damaged after what can be read of it."""
    assert run("nowhere.ndjson") == 66
    Path("d.gz").write_bytes(b"\x1f\x8b\x08\x00\x00")
    assert run("e.ndjson", "d.gz", "--quiet") == 66
    out, err = capsys.readouterr()
    assert "messages      5 in 2 files" in out
    assert "1 damaged" in out
    assert "d.gz" in err


def test_faulty_settings_are_told_and_can_be_done_without(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A settings file that is here and wrong is no reason to guess, but how to do without is told.

    Whoever named it wants it, and hears of its fault alone.
    """
    Path("convertro.toml").write_text("[convertro]\n")
    assert run("e.ndjson") == 2
    assert "--no-config" in capsys.readouterr().err
    assert run("e.ndjson", "-c", "convertro.toml") == 2
    assert "--no-config" not in capsys.readouterr().err
    assert run("e.ndjson", "--no-config") == 0
