"""``convertro init``: writes a convertro.toml to start from."""

from __future__ import annotations

import gzip
import io
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convertro_cli.cli.app import run
from convertro_cli.settings.load import load_settings
from convertro_cli.settings.segment_import import read_segment_settings
from convertro_cli.settings.template import render_template

DESTINATION: dict[str, Any] = {
    "account": "acme",
    "clientName": 'a"c\\me',
    "siteId": "7",
    "domain": "https://shop.example.com",
    "hybridAttributionModel": True,
    "events": [
        {"key": 'Signed "Up"\\', "value": "signup"},
        {"key": "Trial = Started # now", "value": "é 😀"},
    ],
}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs where nothing is."""
    monkeypatch.chdir(tmp_path)


def exported(data: Any, name: str = "destination.json") -> str:
    """A file with Segment's settings."""
    Path(name).write_bytes(orjson.dumps(data))
    return name


def files() -> list[str]:
    """All that is in the folder."""
    return sorted(os.listdir())  # noqa: PTH208 - the names, hidden ones too


def test_it_writes_a_commented_file_and_says_what_is_next(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is asked, and standard output stays empty."""
    assert run(["init"]) == 0
    assert Path("convertro.toml").read_text() == render_template({})
    assert files() == ["convertro.toml"]
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "Wrote convertro.toml.",
        "Next: fill in convertro.account, then `convertro check`.",
    ]


@pytest.mark.parametrize("option", ["--output", "-o"])
def test_it_writes_where_it_is_told(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The next command names the file, as a shell takes it."""
    assert run(["init", option, "my shop.toml"]) == 0
    assert files() == ["my shop.toml"]
    assert "`convertro check --config 'my shop.toml'`" in capsys.readouterr().err


def test_it_overwrites_nothing_unless_forced(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that somebody filled in is left as it is, byte for byte."""
    Path("convertro.toml").write_text("mine")
    assert run(["init"]) == 2
    assert Path("convertro.toml").read_text() == "mine"
    told = capsys.readouterr().err
    assert "convertro.toml is there already" in told
    assert "--force" in told
    assert run(["init", "--force"]) == 0
    assert Path("convertro.toml").read_text() == render_template({})
    assert files() == ["convertro.toml"]


def test_a_link_that_leads_nowhere_is_something_too() -> None:
    """It is not overwritten; when forced, what it leads to is written."""
    Path("convertro.toml").symlink_to("real.toml")
    assert run(["init"]) == 2
    assert files() == ["convertro.toml"]
    assert run(["init", "--force"]) == 0
    assert Path("convertro.toml").is_symlink()
    assert Path("real.toml").read_text() == render_template({})


def test_an_overwritten_file_keeps_its_permissions() -> None:
    """Who could read it before can read it after."""
    Path("convertro.toml").touch(mode=0o640)
    assert run(["init", "--force"]) == 0
    assert stat.S_IMODE(Path("convertro.toml").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("none/convertro.toml", "No such file or directory"),
        ("folder", "Is a directory"),
        ("x" * 300, "File name too long"),
        ("circle", "its links go in a circle"),
    ],
)
def test_a_file_that_cannot_be_written(
    output: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, exit code 74 as for any output, and nothing is left behind."""
    Path("folder").mkdir()
    Path("circle").symlink_to("circle")
    assert run(["init", "--force", "--output", output]) == 74
    told = capsys.readouterr().err
    assert f"{output} cannot be written: {reason}" in told
    assert "Traceback" not in told
    assert files() == ["circle", "folder"]
    assert not list(Path("folder").iterdir())


def test_a_disk_that_fills_up_leaves_the_old_file_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file appears whole or not at all."""
    Path("convertro.toml").write_text("mine")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert run(["init", "--force"]) == 74
    assert "No space left on device" in capsys.readouterr().err
    assert Path("convertro.toml").read_text() == "mine"
    assert files() == ["convertro.toml"]


def test_it_takes_over_segments_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """All of them, and the file loads to exactly what they were."""
    wrapped = {"data": {"destination": {"settings": DESTINATION}}}
    assert run(["init", "--from-segment", exported(wrapped)]) == 0
    found = load_settings(Path("convertro.toml"), environ={}).settings
    assert found.convertro.model_dump() == {
        "account": "acme",
        "client_name": 'a"c\\me',
        "site_id": "7",
        "domain": "https://shop.example.com",
        "hybrid_attribution_model": True,
    }
    assert found.events == {'Signed "Up"\\': "signup", "Trial = Started # now": "é 😀"}
    assert capsys.readouterr().err.splitlines() == [
        "Wrote convertro.toml.",
        "Next: `convertro check` shows the settings as understood.",
    ]


def test_it_takes_over_what_browsers_load(capsys: pytest.CaptureFixture[str]) -> None:
    """The gates before the destination, too, and the file loads to exactly what they were."""
    data = {
        "integrations": {
            "Segment.io": {"apiKey": "k"},
            "Convertro": DESTINATION | {"consentSettings": {"categories": ["C 1", 'C"2']}},
        },
        "plan": {
            "track": {
                "__default": {"enabled": True, "integrations": {}},
                'Test "Event"': {"enabled": True, "integrations": {"Convertro": False}},
            }
        },
        "middlewareSettings": {
            "routingRules": [
                {
                    "destinationName": "Convertro",
                    "matchers": [{"type": "fql", "config": {"expr": "event = 'a \"b'"}}],
                    "transformers": [[{"type": "drop"}]],
                }
            ]
        },
    }
    assert run(["init", "--from-segment", exported(data)]) == 0
    found = load_settings(Path("convertro.toml"), environ={}).settings
    assert found.convertro.account == "acme"
    assert found.consent.categories == ["C 1", 'C"2']
    assert found.schema_.disabled_events == ['Test "Event"']
    assert [each.condition for each in found.filter_specs.filters] == ["event = 'a \"b'"]
    assert "not taken over" not in capsys.readouterr().err


def test_it_asks_which_destination_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """By an option, since a script cannot answer; nothing is written before."""
    several = [
        {"id": name, "name": name, "metadata": {"slug": "convertro"}, "settings": DESTINATION}
        for name in ("d1", "d\x1b2")
    ]
    name = exported({"data": {"destinations": several}})
    assert run(["init", "--from-segment", name]) == 2
    told = capsys.readouterr().err
    assert "lists 2 destinations of Convertro. Which is it?\n  d1, " in told
    assert "\x1b" not in told
    assert files() == ["destination.json"]
    assert run(["init", "--from-segment", name, "--destination", "d1"]) == 0
    assert load_settings(Path("convertro.toml"), environ={}).settings.convertro.site_id == "7"


def test_a_destination_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to choose from."""
    assert run(["init", "--destination", "d1"]) == 2
    assert "--destination goes with --from-segment" in capsys.readouterr().err
    assert files() == []


def test_what_is_not_taken_over_is_told_and_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    """Each in a line, without a control code for the terminal; the rest is written."""
    data = DESTINATION | {"siteId": True, "domain": "a\x1b[2J", "more\x1b]": 1, "events": [5]}
    assert run(["init", "--from-segment", exported(data)]) == 0
    told = capsys.readouterr().err
    lines = [line for line in told.splitlines() if line.startswith("convertro: not taken over: ")]
    assert len(lines) == 4
    assert "\x1b" not in told
    found = load_settings(Path("convertro.toml"), environ={}).settings
    assert (found.convertro.account, found.convertro.site_id) == ("acme", None)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"{", "is no JSON"), (b"[]", "holds no settings"), (None, "cannot be read")],
)
def test_settings_that_cannot_be_read(
    content: bytes | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written then."""
    if content is not None:
        Path("destination.json").write_bytes(content)
    before = files()
    assert run(["init", "--from-segment", "destination.json"]) == 2
    assert message in capsys.readouterr().err
    assert files() == before


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries(
        {"account": TEXT},
        optional={
            "clientName": TEXT,
            "siteId": TEXT | st.integers(-(2**63), 2**63 - 1),
            "domain": TEXT,
            "hybridAttributionModel": st.booleans(),
            "events": st.dictionaries(TEXT, TEXT | st.lists(TEXT, max_size=3), max_size=4),
        },
    )
)
def test_any_settings_of_segment_load_back_as_they_were_read(segment: dict[str, Any]) -> None:
    """Quotes, backslashes, control characters, line breaks: none changes a value or breaks it."""
    name = exported(segment)
    assert run(["init", "--force", "--from-segment", name]) == 0
    taken = read_segment_settings(Path(name)).values
    environ = {} if "account" in taken["convertro"] else {"CONVERTRO_ACCOUNT": "acme"}
    found = load_settings(Path("convertro.toml"), environ=environ).settings
    expected = {"account": "acme"} | taken["convertro"]
    if "site_id" in expected:
        expected["site_id"] = str(expected["site_id"])
    assert found.convertro.model_dump(exclude_unset=True) == expected
    assert found.events == taken["events"]
    assert list(found.events) == list(taken["events"])


def test_the_help_fits_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each option, two examples, and no line longer than 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["init", "--help"]) == 0
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80
    for part in ("--from-segment", "--output", "--force", "• convertro init "):
        assert part in told
    assert "convertro init --from-segment destination.json -o shop.toml" in told


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("options", [["--force"], ["--force", "--suggest", "export"]])
def test_no_export_is_overwritten(
    pack: Callable[[bytes], bytes], options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even with --force: what a replay needs cannot be had again."""
    content = pack(b'{"type":"page","messageId":"m1"}\n' * 3)
    Path("export").write_bytes(content)
    assert run(["init", *options, "-o", "export"]) == 2
    assert "is an export, and was left as it is" in capsys.readouterr().err
    assert Path("export").read_bytes() == content
    assert files() == ["export"]


def test_nor_is_what_is_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    """A ledger, a picture: no settings file was ever that."""
    Path("ledger.db").write_bytes(b"SQLite format 3\0")
    assert run(["init", "--force", "-o", "ledger.db"]) == 2
    assert "ledger.db is no settings file" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"[convertro\n", b"\xff\xfe broken"])
def test_settings_that_are_broken_can_be_begun_anew(content: bytes) -> None:
    """That is what --force is for."""
    Path("convertro.toml").write_bytes(content)
    assert run(["init", "--force"]) == 0
    assert Path("convertro.toml").read_text() == render_template({})


@pytest.mark.parametrize("name", ["-o", "-c", "--config"])
def test_the_file_is_named_as_with_other_commands(name: str) -> None:
    """What ``check -c`` and the others read, ``init -c`` writes."""
    assert run(["init", name, "shop.toml"]) == 0
    assert files() == ["shop.toml"]


def test_segments_settings_may_come_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--from-segment -`` is a pipe from whatever fetches them, and names it in a fault."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(orjson.dumps(DESTINATION))))
    assert run(["init", "--from-segment", "-"]) == 0
    assert load_settings(Path("convertro.toml")).settings.convertro.account == "acme"

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"nope")))
    assert run(["init", "--from-segment", "-", "-o", "other.toml"]) == 2
    assert "standard input is no JSON" in capsys.readouterr().err
