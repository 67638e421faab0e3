"""``convertro diff``, as it is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.cli.command_line import CommandLine
from tests.mapping.messages import cloud_message, web_message
from tests.system.program import SETTINGS

ORDER = {"order_id": "o1", "total": 50.99, "repeat": False}
MESSAGES = [
    web_message("track", event="Order Completed", messageId="m1", properties=ORDER),
    web_message("track", event="Signed Up", messageId="m2", userId="jane@example.com"),
    cloud_message("track", event="Unknown", messageId="m3"),
]
HYBRID = SETTINGS.replace("[events]", "hybrid_attribution_model = true\n[events]")

JsonLine = dict[str, Any]


@pytest.fixture
def files(convertro: CommandLine) -> tuple[str, str, str]:
    """Settings before, settings after, and an export, by their names in the folder."""
    convertro.workspace.write("export.ndjson", *MESSAGES)
    (convertro.workspace.folder / "new.toml").write_text(HYBRID)
    return "convertro.toml", "new.toml", "export.ndjson"


def report(convertro: CommandLine, *arguments: str | Path) -> JsonLine:
    """Run a comparison; give its report as JSON."""
    ended = convertro("diff", *arguments, "--format", "json")
    assert ended.code == 0, ended.err
    (found,) = ended.lines
    return found


def test_two_settings_are_compared(convertro: CommandLine, files: tuple[str, str, str]) -> None:
    """Every message under both: what is added, by type and with its value, and the setting."""
    found = report(convertro, *files)
    assert found["calls"] == {"added": 1, "removed": 0, "changed": 0, "unchanged": 2}
    assert found["by_event_type"]["sale"] == {
        "before": {"calls": 0, "value": 0},
        "after": {"calls": 1, "value": 50.99},
    }
    assert found["settings"] == [
        {"key": "convertro.hybrid_attribution_model", "before": False, "after": True}
    ]
    assert found["before"] == {"settings": "convertro.toml"}
    assert found["after"] == {"settings": "new.toml"}


def test_a_saved_dry_run_can_be_the_old_side(
    convertro: CommandLine, files: tuple[str, str, str]
) -> None:
    """With --against the difference is between what was and what would be."""
    _, new, export = files
    assert convertro("replay", "--dry-run", export, "--output", "then.ndjson").code == 0
    found = report(convertro, new, export, "--against", "then.ndjson")
    assert found["calls"] == {"added": 1, "removed": 0, "changed": 0, "unchanged": 2}
    assert found["settings"] is None
    assert found["before"] == {"dry_run": "then.ndjson"}


def test_the_exit_code_tells_of_a_difference_only_if_asked(
    convertro: CommandLine, files: tuple[str, str, str]
) -> None:
    """As git diff does it: with --exit-code 1 for any difference, and 0 for none."""
    old, new, export = files
    assert convertro("diff", old, new, export).code == 0
    assert convertro("diff", old, new, export, "--exit-code").code == 1
    assert convertro("diff", old, old, export, "--exit-code").code == 0
    other = convertro.workspace.folder / "other.toml"
    other.write_text(SETTINGS + "\n[delivery]\ntimeout = 3\n")
    assert convertro("diff", old, other, export, "--exit-code").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("convertro.toml",), ["two settings files", "there is no export"]),
        (("convertro.toml", "new.toml"), ["there is no export", "OLD.toml NEW.toml EXPORT"]),
        (("convertro.toml", "new.toml", "x.toml"), ["x.toml is no export"]),
        (
            ("convertro.toml", "new.toml", "export.ndjson", "--against", "then.ndjson"),
            ["new.toml is no export", "one settings file", "--against then.ndjson"],
        ),
        (("new.toml", "--against", "then.ndjson"), ["there is no export"]),
        (("export.ndjson", "new.toml", "export.ndjson"), ["export.ndjson is no TOML"]),
        (("missing.toml", "new.toml", "export.ndjson"), ["no settings file missing.toml"]),
        (
            ("new.toml", "export.ndjson", "--against", "export.ndjson"),
            ["export.ndjson:1", "is no line of a dry run", "replay --dry-run"],
        ),
        (
            ("convertro.toml", "new.toml", "export.ndjson", "--output", "no/where.html"),
            ["There is no folder no"],
        ),
        (("convertro.toml", "new.toml", "export.ndjson", "--changes", "."), [". is a folder"]),
        (("convertro.toml", "new.toml", "export.ndjson", "--type", "page"), ["never sent"]),
    ],
)
def test_what_is_typed_wrong_is_told(
    convertro: CommandLine,
    files: tuple[str, str, str],
    arguments: tuple[str, ...],
    words: list[str],
) -> None:
    """A message says what is missing or misplaced, and how the command is typed."""
    convertro("diff", *arguments).assert_told(2, *words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("convertro.toml", "new.toml", "missing.ndjson"), ["missing.ndjson"]),
        (("new.toml", "export.ndjson", "--against", "missing"), ["missing", "cannot be read"]),
        (("new.toml", "export.ndjson", "--against", "."), ["cannot be read"]),
    ],
)
def test_what_cannot_be_read_is_told(
    convertro: CommandLine,
    files: tuple[str, str, str],
    arguments: tuple[str, ...],
    words: list[str],
) -> None:
    """An export or a saved run that is not there has an exit code of its own."""
    convertro("diff", *arguments).assert_told(66, *words)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("report.html", b"<!doctype html>"),
        ("report.md", b"## What changes with new.toml"),
        ("report.json", b'{"before":'),
        ("report.txt", b"What changes with new.toml"),
    ],
)
def test_the_name_of_the_file_tells_its_format(
    convertro: CommandLine, files: tuple[str, str, str], name: str, start: bytes
) -> None:
    """Without --format a report is written as its file is named, whole, for its owner only."""
    ended = convertro("diff", *files, "--output", name)
    assert (ended.code, ended.out) == (0, b"")
    file = convertro.workspace.folder / name
    assert file.read_bytes().lstrip().startswith(start)
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("form", ["terminal", "json", "markdown", "html"])
def test_every_format_can_go_to_standard_output(
    convertro: CommandLine, files: tuple[str, str, str], form: str
) -> None:
    """--format alone writes it to standard output."""
    ended = convertro("diff", *files, "--format", form)
    assert ended.code == 0
    assert b"hybrid_attribution_model" in ended.out
    assert b"50.99" in ended.out


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("--format", "terminal"), True),
        (("--format", "json"), True),
        (("--format", "markdown"), False),
        (("--format", "html"), False),
        (("--format", "terminal", "--show", "masked"), False),
        (("--format", "json", "--show", "none"), False),
        (("--format", "html", "--show", "full"), True),
    ],
)
def test_what_is_mailed_is_masked_by_default(
    convertro: CommandLine,
    files: tuple[str, str, str],
    arguments: tuple[str, ...],
    shown: bool,
) -> None:
    """Ids are masked in Markdown and HTML unless told otherwise, and elsewhere if told so."""
    old, _, export = files
    empty = convertro.workspace.folder / "empty.toml"
    empty.write_text(SETTINGS.replace('"Signed Up" = "signup"', ""))
    ended = convertro("diff", old, empty, export, *arguments)
    assert (b"signup-anon-1" in ended.out) is shown


def test_every_change_can_be_written_to_a_file(
    convertro: CommandLine, files: tuple[str, str, str]
) -> None:
    """--changes has a JSON line for each change, in full unless told otherwise."""
    path = convertro.workspace.folder / "changes.ndjson"
    convertro("diff", *files, "--changes", path, "--output", "report.html")
    (change,) = (orjson.loads(line) for line in path.read_bytes().splitlines())
    assert change["change"] == "added"
    assert change["source"] == "export.ndjson:1"
    assert change["before"] is None
    assert change["after"]["event_type"] == "sale"
    assert change["after"]["event_id"] == "o1"
    convertro("diff", *files, "--changes", path, "--show", "none")
    (change,) = (orjson.loads(line) for line in path.read_bytes().splitlines())
    assert change["message_id"] == change["after"]["event_id"] == "…"


def test_filters_and_samples_are_obeyed(
    convertro: CommandLine, files: tuple[str, str, str]
) -> None:
    """The same filters as in a replay, and as many examples as wanted."""
    assert report(convertro, *files, "--event", "signed_up")["calls"]["unchanged"] == 1
    assert report(convertro, *files, "--type", "identify")["calls"]["unchanged"] == 0
    assert report(convertro, *files, "--until", "2020-01-01")["calls"]["unchanged"] == 0
    assert report(convertro, *files, "--limit", "1")["messages"]["read"] == 1
    assert report(convertro, *files, "--samples", "0")["samples"][0]["examples"] == []
    assert len(report(convertro, *files)["samples"][0]["examples"]) == 1


def test_the_environment_overrides_both_settings(
    convertro: CommandLine, files: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it would in a replay with either of them."""
    old, new, export = files
    monkeypatch.setenv("CONVERTRO_SITE_ID", "77")
    found = report(convertro, old, new, export)
    assert "/77/" in found["samples"][0]["examples"][0]["after"]["url"]


def test_the_export_can_come_from_a_pipe(
    convertro: CommandLine, files: tuple[str, str, str]
) -> None:
    """A single dash is standard input, as everywhere."""
    content = (convertro.workspace.folder / "export.ndjson").read_bytes()
    ended = convertro.workspace.run("diff", *files[:2], "-", "--format", "json", stdin=content)
    assert ended.lines[0]["calls"]["added"] == 1
    assert ended.err == ""


def test_nothing_is_sent_and_nothing_is_left(
    convertro: CommandLine, files: tuple[str, str, str]
) -> None:
    """A comparison makes no state folder and no other file."""
    before = sorted(path.name for path in convertro.workspace.folder.iterdir())
    convertro("diff", *files)
    assert sorted(path.name for path in convertro.workspace.folder.iterdir()) == before


def test_the_help_has_two_real_examples(convertro: CommandLine) -> None:
    """The help shows how the command is typed, both ways."""
    ended = convertro("diff", "--help")
    assert ended.out.count(b"convertro diff convertro.toml") == 2
