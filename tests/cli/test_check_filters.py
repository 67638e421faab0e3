"""``convertro check``: destination filters and transformations as understood."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from convertro_cli.cli.app import run
from convertro_cli.settings.load import load_settings

FILE = """\
filters_file = "filters.json"

[convertro]
account = "acme"

[[filters]]
title = "No staff"
if = 'contains(traits.email,"@acme.example")and(!a>=1)'
actions = [{ type = "DROP_PROPERTIES", fields = { "" = ["x"], "a b.c" = ["d"] } }]

[[filters]]
title = "Off"
if = "a == 1"
actions = [{ type = "DROP" }]
enabled = false

[[transformations]]
title = "Old shop"
if = "all"
new_event_name = "New"
"""
IN_FILE = [{"title": "In file", "if": "type='page'", "actions": [{"type": "DROP"}]}]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs where only its settings are."""
    monkeypatch.chdir(tmp_path)
    Path("convertro.toml").write_text(FILE)
    Path("filters.json").write_text(json.dumps(IN_FILE))


def test_the_output_is_a_settings_file_that_says_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With conditions as they were read; what a file holds stands in comments."""
    assert run(["check"]) == 0
    told = capsys.readouterr()
    Path("again.toml").write_text(told.out)
    again = load_settings(Path("again.toml"), environ={}).settings.filter_specs
    first = load_settings(Path("convertro.toml"), environ={}).settings.filter_specs
    assert [each.title for each in again.filters] == ["In file", "No staff", "Off"]
    assert [each.actions for each in again.filters] == [each.actions for each in first.filters]
    assert again.transformations == first.transformations
    understood = 'contains(traits.email, "@acme.example") and !(a >= 1)'
    assert tomllib.loads(told.out)["filters"][0]["if"] == understood
    lines = told.out.splitlines()
    assert "# [[filters]] of filters_file" in lines
    assert '# if = "type = \\"page\\""' in lines
    assert "# destination_id is not set" in lines
    assert "the filter 'Off' is disabled, and cannot be read" in told.err


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """All filters in one list, with the file's before the tables'."""
    assert run(["check", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["title"] for each in found["settings"]["filters"]] == [
        "In file",
        "No staff",
        "Off",
    ]
    assert found["settings"]["filters"][0]["if"] == 'type = "page"'
    assert found["settings"]["filters"][2]["if"] == "a == 1"
    assert found["settings"]["transformations"][0]["new_event_name"] == "New"
    assert found["settings"]["filters_file"] == "filters.json"
    assert found["origins"]["filters"] == "file"
    assert found["origins"]["destination_id"] == "default"


def test_a_fault_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is shown of settings that are not sound."""
    Path("filters.json").write_text('[{"if": "a"}]')
    assert run(["check"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "filters_file = 'filters.json': line 1: filters[0].actions is missing" in told.err
