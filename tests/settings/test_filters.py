"""Destination filters and transformations in the settings: tables, files, faults."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from convertro_cli.destination_filters.filters import DestinationFilters
from convertro_cli.destination_filters.specs import (
    DestinationFilter,
    Drop,
    DropProperties,
    Sample,
    Transformation,
)
from convertro_cli.errors import ConvertroError
from convertro_cli.run.plan import digest_settings
from convertro_cli.settings.advice import advise
from convertro_cli.settings.compare import compare_settings
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.filter_text import filter_table, transformation_table
from convertro_cli.settings.load import LoadedSettings, check, load_settings
from convertro_cli.settings.template import render_template

ACCOUNT = '[convertro]\naccount = "acme"\n'
TABLES = """\
[[filters]]
title = "No staff"
if = 'contains(traits.email, "@acme.example")'
actions = [{ type = "DROP" }]

[[filters]]
title = "Less"
if = "type = 'track'"
actions = [
  { type = "SAMPLE", percent = 0.5, path = "userId" },
  { type = "DROP_PROPERTIES", fields = { "properties" = ["a"], "" = ["b"] } },
]
enabled = false
source_id = "s1"

[[transformations]]
title = "Old shop"
if = 'event = "purchase"'
new_event_name = "Order Completed"
property_renames = [{ old_name = "properties.order_total", new_name = "properties.total" }]
property_values = [{ paths = ["properties.currency"], value = "USD" }]
drop = false
"""
FILTERS = (
    DestinationFilter("No staff", 'contains(traits.email, "@acme.example")', (Drop(),)),
    DestinationFilter(
        "Less",
        "type = 'track'",
        (Sample(0.5, "userId"), DropProperties((("properties", ("a",)), ("", ("b",))))),
        enabled=False,
        source_id="s1",
    ),
)
TRANSFORMATIONS = (
    Transformation(
        "Old shop",
        'event = "purchase"',
        new_event_name="Order Completed",
        renames=(("properties.order_total", "properties.total"),),
        values=((("properties.currency",), "USD"),),
    ),
)
IN_FILE = {"id": "f1", "title": "In file", "if": "type = 'page'", "actions": [{"type": "DROP"}]}


def load(folder: Path, text: str, name: str = "convertro.toml", **files: Any) -> LoadedSettings:
    """Load settings, with files of JSON beside them."""
    for stem, content in files.items():
        (folder / f"{stem}.json").write_text(json.dumps(content))
    (folder / name).write_text(text)
    return load_settings(folder / name, environ={})


def told(tables: dict[str, Any], folder: Path = Path("/nowhere")) -> list[str]:
    """The faults of settings, as sentences."""
    _, faults = check({"convertro": {"account": "acme"}} | tables, folder=folder)
    return list(map(str, faults))


def test_tables_are_understood(tmp_path: Path) -> None:
    """And compiled into the rules, with what is switched off for whoever shows it."""
    loaded = load(tmp_path, ACCOUNT + TABLES)
    assert loaded.settings.filter_specs.filters == FILTERS
    assert loaded.settings.filter_specs.transformations == TRANSFORMATIONS
    rules = compile_rules(loaded.settings)
    assert rules.destination_filters == DestinationFilters(FILTERS, TRANSFORMATIONS)


def test_without_any_there_is_no_gate(tmp_path: Path) -> None:
    """Nor where all are switched off."""
    assert compile_rules(load(tmp_path, ACCOUNT).settings).destination_filters is None
    off = TABLES.partition("[[transformations]]")[0].replace(
        '"DROP" }]\n', '"DROP" }]\nenabled = false\n'
    )
    assert compile_rules(load(tmp_path, ACCOUNT + off).settings).destination_filters is None


def test_files_are_beside_the_settings_and_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the command runs."""
    text = 'filters_file = "f.json"\ntransformations_file = "t.json"\n' + ACCOUNT + TABLES
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    changes = [{"name": "First", "if": "all", "drop": True}]
    specs = load(tmp_path, text, f=[IN_FILE], t=changes).settings.filter_specs
    assert [each.title for each in specs.filters] == ["In file", "No staff", "Less"]
    assert [each.title for each in specs.transformations] == ["First", "Old shop"]


def test_destination_id_chooses(tmp_path: Path) -> None:
    """Of a file with filters of several destinations."""
    other = IN_FILE | {"destinationId": "d2", "title": "Other"}
    content = [IN_FILE | {"destinationId": "d1"}, other]
    text = 'filters_file = "f.json"\n'
    with pytest.raises(ConvertroError, match='destination_id = "d1" or "d2"'):
        load(tmp_path, text + ACCOUNT, f=content)
    loaded = load(tmp_path, f'destination_id = "d2"\n{text}{ACCOUNT}', f=content)
    assert [each.title for each in loaded.settings.filter_specs.filters] == ["Other"]
    assert advise(loaded.settings) == [
        "filters_file = 'f.json': 1 filter of other destinations left out."
    ]


DROP = [{"type": "DROP"}]
NO_NUMBER = {"type": "SAMPLE", "percent": float("nan")}
NO_FIELDS = {"type": "DROP_PROPERTIES", "fields": "{}"}
WRONG = [
    ({"filters": 5}, ["filters = 5; allowed: tables [[filters]]"]),
    ({"filters": {}}, ["filters = {}; allowed: tables [[filters]]"]),
    ({"filters": [5]}, ["filters.0 = 5; allowed: tables [[filters]]"]),
    ({"transformations": "x"}, ["transformations = 'x'; allowed: tables [[transformations]]"]),
    ({"filters_file": 5}, ["filters_file = 5; allowed: a file of destination filters (the Public "
                           "API's, Terraform's)"]),
    ({"filters_file": " "}, ["filters_file = ' ' is blank; allowed: a file of destination "
                             "filters (the Public API's, Terraform's)"]),
    ({"filters_file": "none.json"}, ["filters_file = 'none.json': /nowhere/none.json cannot be "
                                     "read: No such file or directory"]),
    ({"transformations_file": "a\0b"}, ["transformations_file = 'a\\x00b' holds a control "
                                        "character; allowed: a file of transformations (the "
                                        "Public API's, Terraform's)"]),
    ({"transformations_file": "~nosuchuser/x"},
     ["transformations_file = '~nosuchuser/x': Could not determine home directory."]),
    ({"destination_id": []}, ["destination_id = []; allowed: the id of the destination in Segment, "
                              "as text"]),
    ({"filter": []}, ["filter is no setting; did you mean [[filters]]?"]),
    ({"filter_file": "x"}, ["filter_file is no setting; did you mean filters_file?"]),
    ({"filters": [{"title": "T", "if": "a == 1", "actions": DROP}]},
     ["filters[0].if ('T') character 3: no such operator, found ==; did you mean =?"]),
    ({"filters": [{"title": "T", "if": "a", "actions": DROP, "enabeld": True, "id": "x"}]},
     ["filters[0].enabeld ('T') is no setting; did you mean enabled?",
      "filters[0].id ('T') is no setting"]),
    ({"filters": [{"if": "a", "actions": [{"type": "DORP"}]}]},
     ["filters[0].title is missing; allowed: text",
      'filters[0].actions[0].type = "DORP"; allowed: DROP, SAMPLE, DROP_PROPERTIES, '
      "ALLOW_PROPERTIES (did you mean DROP?)"]),
    ({"filters": [{"title": "T", "if": "a", "actions": [NO_NUMBER]}]},
     ["filters[0].actions[0].percent ('T') = NaN; allowed: a number from 0 (keeps none) to 1 "
      "(keeps all), so 0.05 for 5 %"]),
    ({"filters": [{"title": "T", "if": "a", "actions": [{"type": "SAMPLE", "percent": 50}]}]},
     ["filters[0].actions[0].percent ('T') = 50; allowed: a number from 0 (keeps none) to 1 "
      "(keeps all), so 0.05 for 5 %"]),
    ({"filters": [{"title": "T", "if": "a", "actions": [NO_FIELDS]}]},
     ["filters[0].actions[0].fields ('T') = \"{}\"; allowed: paths with arrays of names, such as "
      '{ "properties" = ["email"] }']),
    ({"filters": [{"title": "T", "if": "a", "actions": [{"type": "DROP", "percent": 0.5}]}]},
     ["filters[0].actions[0].percent ('T') is nothing that DROP takes"]),
    ({"filters": [{"title": "T", "if": "a",
                   "actions": [{"type": "SAMPLE", "percent": 0.5, "fields": {}, "pth": "a"}]}]},
     ["filters[0].actions[0].fields ('T') is nothing that SAMPLE takes",
      "filters[0].actions[0].pth ('T') is no setting; did you mean path?"]),
    ({"transformations": [{"title": "T", "if": "a",
                           "property_values": [{"paths": [], "value": 1}]}]},
     ["transformations[0].property_values[0].paths ('T') = []; allowed: one path or more"]),
    ({"transformations": [{"title": "T", "if": "a",
                           "hash_properties_configuration": {"algorithm": "SHA256"}}]},
     ["transformations[0].hash_properties_configuration ('T') is not supported: how Segment makes "
      "the hashes is not public, and a wrong one would look like a right one; take it out, or "
      "switch the transformation off"]),
    ({"transformations": [{"title": "T", "if": "a &&", "property_renames": [{"old": "a"}]}]},
     ["transformations[0].if ('T') character 3: a character that the language does not have, "
      "found '&&'; did you mean and?",
      "transformations[0].property_renames[0].old ('T') is no setting; did you mean old_name?",
      "transformations[0].property_renames[0].old_name ('T') is missing; allowed: text",
      "transformations[0].property_renames[0].new_name ('T') is missing; allowed: text"]),
]  # fmt: skip


@pytest.mark.parametrize(("tables", "sentences"), WRONG, ids=lambda value: ascii(value)[:40])
def test_a_fault_is_told_with_all_that_is_known(
    tables: dict[str, Any], sentences: list[str]
) -> None:
    """The key, the title, the character, what was found, what is allowed, what was meant."""
    assert told(tables) == sentences


def test_faults_of_tables_and_files_are_told_with_the_rest(tmp_path: Path) -> None:
    """All at once; a file's with its name, place and title."""
    (tmp_path / "f.json").write_text(json.dumps([IN_FILE | {"if": "a AND b"}, 5]))
    sentences = told(
        {
            "filters_file": "f.json",
            "filters": [{"title": "T", "if": "(a", "actions": DROP}],
            "mapping": {"mode": "x"},
        },
        tmp_path,
    )
    assert len(sentences) == 4
    place = "filters_file = 'f.json': line 1: filters[0] (\"In file\").if character 3: "
    assert any(sentence.startswith(place) for sentence in sentences)
    assert any(sentence.endswith("did you mean and?") for sentence in sentences)
    assert any(sentence.startswith("filters[0].if ('T') character 3: ") for sentence in sentences)
    assert any(sentence.startswith("mapping.mode") for sentence in sentences)


def test_a_transformation_that_changes_nothing_is_a_warning(tmp_path: Path) -> None:
    """Nothing is refused: it is told by its title."""
    text = '[[transformations]]\ntitle = "Nothing"\nif = "type = \'track\'"\n'
    assert advise(load(tmp_path, ACCOUNT + text).settings) == [
        "the transformation 'Nothing' changes nothing, and drops nothing.",
    ]


def test_a_disabled_filter_that_cannot_be_read_is_a_warning(tmp_path: Path) -> None:
    """So is a word without quotes where text is meant, and a list without a filter."""
    text = """
[[filters]]
title = "Off"
if = "a == 1"
actions = [{ type = "DROP" }]
enabled = false
[[filters]]
title = "Bare"
if = "event = purchase and properties.plan = gold and _metadata.x = 1 and gold = 1"
actions = [{ type = "DROP" }]
"""
    loaded = load(tmp_path, 'destination_id = "d"\ntransformations = []\n' + ACCOUNT + text)
    assert advise(loaded.settings) == [
        "the filter 'Off' is disabled, and cannot be read: if: character 3: no such operator, "
        "found ==; did you mean =?",
        *(
            f"the filter 'Bare' asks for the field {name}, which no message of Segment's has: text "
            f'stands in quotes ("{name}"), and what is in an object is found there '
            f"(properties.{name})."
            for name in ("purchase", "gold")
        ),
        "transformations is an empty list: nothing is left out or changed by it.",
        "destination_id has no effect without filters_file.",
    ]


def test_a_file_that_leaves_nothing_is_told(tmp_path: Path) -> None:
    """A file of filters without any, or none of this destination, is most likely the wrong one."""
    text = 'filters_file = "f.json"\ntransformations_file = "t.json"\n'
    nothing = load(tmp_path, text + ACCOUNT, f={"data": {"filters": []}}, t=[])
    assert advise(nothing.settings) == [
        "filters_file = 'f.json': it holds no filter.",
        "transformations_file = 't.json': it holds no transformation.",
    ]
    other = [{"name": "T", "if": "all", "drop": True, "destinationMetadataId": "x"}]
    others = load(tmp_path, text + ACCOUNT, f=[IN_FILE], t=other)
    assert "transformations_file = 't.json': no transformation is left." in advise(others.settings)


def test_a_percent_of_segments_own_is_taken_as_it_is(tmp_path: Path) -> None:
    """In a file it keeps all, as at Segment, and is told of; written by hand it is a fault."""
    actions = [{"type": "SAMPLE", "percent": 5}]
    file = load(tmp_path, 'filters_file = "f.json"\n' + ACCOUNT, f=[IN_FILE | {"actions": actions}])
    assert advise(file.settings) == [
        "the filter 'In file' samples with percent = 5, which keeps all: 0.05 are 5 %."
    ]


@pytest.mark.parametrize("key", ["filters_file", "destination_id", "transformations_file"])
@pytest.mark.parametrize(
    ("heading", "place"),
    [
        ("[events]", "events"),
        ("[mapping]", "mapping"),
        ("[wire.paths]", "wire.paths"),
        ('[[filters]]\ntitle = "T"\nif = "all"\nactions = [{ type = "DROP" }]', "filters[0]"),
    ],
)
def test_a_key_below_a_heading_is_told_where_it_belongs(
    tmp_path: Path, heading: str, place: str, key: str
) -> None:
    """Below a table's heading it would be a key of that table: it says where it must stand."""
    with pytest.raises(ConvertroError) as caught:
        load(tmp_path, f'{ACCOUNT}{heading}\n{key} = "f.json"\n')
    assert f"{place}.{key} " in caught.value.message
    assert "must stand above the first [table] of the file" in caught.value.message
    assert caught.value.hint is None


def test_the_digest_holds_what_the_files_hold(tmp_path: Path) -> None:
    """A file that was replayed under other filters is read again; their own form is nothing."""
    text = 'filters_file = "f.json"\ntransformations_file = "t.json"\n' + ACCOUNT
    change = {"name": "T", "if": "all", "drop": True}

    def digest(filters: Any, changes: Any) -> bytes:
        return digest_settings(load(tmp_path, text, f=filters, t=changes))

    first = digest([IN_FILE], [change])
    assert digest({"data": {"filters": [IN_FILE]}}, [change]) == first
    assert digest([IN_FILE | {"createdAt": "x"}], [change]) == first
    assert digest([IN_FILE | {"if": "all"}], [change]) != first
    assert digest([IN_FILE], [change | {"drop": False}]) != first
    assert digest([], [change]) != first
    assert digest_settings(load(tmp_path, ACCOUNT)) != digest_settings(
        load(tmp_path, ACCOUNT + TABLES)
    )


def test_a_table_says_what_a_filter_is(tmp_path: Path) -> None:
    """What is written for a filter reads back to it."""
    values = {
        "convertro": {"account": "acme"},
        "filters_file": "f.json",
        "filters": [filter_table(each) for each in FILTERS],
        "transformations": [transformation_table(each) for each in TRANSFORMATIONS],
    }
    specs = load(tmp_path, render_template(values), f=[IN_FILE]).settings.filter_specs
    assert specs.filters[1:] == FILTERS
    assert specs.filters[0].title == "In file"
    assert specs.transformations == TRANSFORMATIONS


def test_the_examples_of_the_template_are_sound() -> None:
    """With the signs off, they are two filters, and three files' keys."""
    lines = [line[4:] for line in render_template({}).splitlines() if line.startswith("#   ")]
    tables = tomllib.loads("\n".join(lines))
    assert set(tables) == {
        "filters_file", "destination_id", "transformations_file", "filters", "transformations",
    }  # fmt: skip
    del tables["filters_file"], tables["transformations_file"]
    assert told(tables) == []
    assert max(map(len, lines)) <= 96


def test_settings_are_compared_by_title(tmp_path: Path) -> None:
    """Whichever file a filter stands in; a second one of a title by its number."""
    again = TABLES.replace('title = "Less"', 'title = "No staff"')
    before = load(tmp_path, ACCOUNT + TABLES).settings
    after = load(
        tmp_path, 'filters_file = "f.json"\n' + ACCOUNT + again, "b.toml", f=[IN_FILE]
    ).settings
    changes = {change.key: change.texts for change in compare_settings(before, after)}
    less = (
        "{ if = \"type = 'track'\", "
        'actions = [{ type = "SAMPLE", percent = 0.5, path = "userId" }, '
        '{ type = "DROP_PROPERTIES", fields = { properties = ["a"], "" = ["b"] } }], '
        'enabled = false, source_id = "s1" }'
    )
    assert changes == {
        "filters_file": ("not set", '"f.json"'),
        'filters."Less"': (less, "not set"),
        'filters."No staff" (2)': ("not set", less),
        'filters."In file"': (
            "not set",
            '{ if = "type = \'page\'", actions = [{ type = "DROP" }] }',
        ),
    }
