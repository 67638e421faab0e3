"""Files of filters and transformations: every form, and every misshape with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.destination_filters.documents import read_documents
from convertro_cli.destination_filters.files import (
    CONVERTRO,
    FilterFileError,
    read_filters_file,
    read_transformations_file,
)
from convertro_cli.destination_filters.raw_table import RawTable
from convertro_cli.destination_filters.shapes import PUBLIC_API, filter_of, transformation_of
from convertro_cli.destination_filters.specs import (
    AllowProperties,
    DestinationFilter,
    Drop,
    DropProperties,
    Sample,
    Transformation,
)
from convertro_cli.errors import ConvertroError
from tests.mapping.strategies import JSON
from tests.soaking import examples

API: dict[str, Any] = {
    "id": "f1",
    "sourceId": "s1",
    "destinationId": "d1",
    "if": "type = 'track'",
    "actions": [
        {"type": "SAMPLE", "percent": 0.2, "path": "userId"},
        {"type": "DROP_PROPERTIES", "fields": {"properties": ["a"], "": ["b"]}},
        {"type": "ALLOW_PROPERTIES", "fields": {"context": ["ip"]}},
        {"type": "DROP", "fields": None, "percent": None, "path": None},
    ],
    "title": "mine",
    "description": "",
    "enabled": True,
    "createdAt": "2023-10-10T16:34:53.000Z",
}
SPEC = DestinationFilter(
    title="mine",
    condition="type = 'track'",
    actions=(
        Sample(0.2, "userId"),
        DropProperties((("properties", ("a",)), ("", ("b",)))),
        AllowProperties((("context", ("ip",)),)),
        Drop(),
    ),
    source_id="s1",
    id="f1",
)
OFF = {
    "id": "f2",
    "destinationId": "d1",
    "if": "a ==",
    "actions": [{"type": "DROP"}],
    "enabled": False,
}
OFF_SPEC = DestinationFilter("f2", "a ==", (Drop(),), enabled=False, id="f2")


def answer(*filters: Any, following: Any = None) -> dict[str, Any]:
    """An answer of the Public API."""
    return {"data": {"filters": [*filters], "pagination": {"current": "c", "next": following}}}


def terraform(name: str, value: dict[str, Any]) -> dict[str, Any]:
    """A resource's attributes, in Terraform's spelling of a filter."""
    actions = [
        action | ({"fields": json.dumps(action["fields"])} if action.get("fields") else {})
        for action in value["actions"]
    ]
    return {
        "id": value["id"],
        "source_id": value.get("sourceId"),
        "destination_id": value["destinationId"],
        "if": value["if"],
        "actions": actions,
        "title": name,
        "enabled": value.get("enabled", True),
    }


STATE = {
    "version": 4,
    "resources": [
        {"mode": "managed", "type": "segment_source", "name": "web", "instances": []},
        {
            "mode": "managed",
            "type": "segment_destination_filter",
            "name": "mine",
            "instances": [{"schema_version": 0, "attributes": terraform("mine", API)}],
        },
    ],
}
SHOWN = {
    "format_version": "1.0",
    "values": {
        "root_module": {
            "resources": [],
            "child_modules": [
                {
                    "resources": [
                        {
                            "address": "module.a.segment_destination_filter.mine",
                            "type": "segment_destination_filter",
                            "values": terraform("mine", API),
                        }
                    ]
                }
            ],
        }
    },
}


def write(folder: Path, *values: Any, between: str = "\n") -> Path:
    """Write JSON values, one after the other; text as it is."""
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    path = folder / "filters.json"
    path.write_text(between.join(texts), "utf-8", "surrogatepass")
    return path


@pytest.mark.parametrize(
    ("values", "specs"),
    [
        ([answer(API)], [SPEC]),
        ([answer(API, OFF)], [SPEC, OFF_SPEC]),
        ([answer(API, following="x"), answer(OFF)], [SPEC, OFF_SPEC]),
        ([[API, OFF]], [SPEC, OFF_SPEC]),
        ([API, OFF], [SPEC, OFF_SPEC]),
        ([{"data": {"filter": API}}], [SPEC]),
        ([{"filters": [OFF]}], [OFF_SPEC]),
        ([STATE], [SPEC]),
        ([SHOWN], [SPEC]),
        ([answer()], []),
        ([[]], []),
    ],
    ids=range(11),
)
@pytest.mark.parametrize("between", ["\n", "", "\r\n\r\n "])
def test_every_form_gives_the_same_filters(
    values: list[Any], specs: list[DestinationFilter], between: str, tmp_path: Path
) -> None:
    """Answers alone, one a line, or one after the other; a bare list; Terraform's two forms."""
    path = write(tmp_path, *values, between=between)
    assert list(read_filters_file(path).filters) == specs


def test_a_mark_and_blanks_at_the_start(tmp_path: Path) -> None:
    """A byte order mark is no fault, nor is a file written over many lines."""
    path = write(tmp_path, "\ufeff\n\n" + json.dumps(answer(API), indent=2))
    assert read_filters_file(path).filters == (SPEC,)


@pytest.mark.parametrize(
    ("old", "action"),
    [
        ({"type": "drop_event"}, Drop()),
        ({"type": "sample_event", "percent": 1}, Sample(1)),
        ({"type": "whitelist_fields", "fields": {"a": ["b"]}}, AllowProperties((("a", ("b",)),))),
        ({"type": "blocklist_fields", "fields": {"a": ["b"]}}, DropProperties((("a", ("b",)),))),
    ],
)
def test_older_names_of_actions(old: dict[str, Any], action: Any, tmp_path: Path) -> None:
    """Those of the API before the Public API."""
    path = write(tmp_path, answer(API | {"actions": [old]}))
    (found,) = read_filters_file(path).filters
    assert found.actions == (action,)


def test_filters_of_several_destinations(tmp_path: Path) -> None:
    """A fault that names them, until destination_id says whose are meant."""
    path = write(
        tmp_path, answer(API, OFF | {"destinationId": "d2"}, OFF | {"destinationId": None})
    )
    with pytest.raises(FilterFileError, match='destination_id = "d1" or "d2"'):
        read_filters_file(path)
    found = read_filters_file(path, "d1")
    assert found.filters == (SPEC, OFF_SPEC)  # one that names no destination stays
    assert found.notes == ("1 filter of other destinations left out",)
    with pytest.raises(
        FilterFileError, match='no filter of destination_id = "d3"; it has those of'
    ):
        read_filters_file(path, "d3")


def test_a_fault_of_another_destination_does_not_matter(tmp_path: Path) -> None:
    """What is not meant need not be readable."""
    broken = {"destinationId": "d2", "if": 5}
    assert read_filters_file(write(tmp_path, answer(API, broken)), "d1").filters == (SPEC,)


BAD = [
    ("", "the file is empty"),
    (" \n", "the file is empty"),
    ("{", "no JSON"),
    ("[1, NaN]", "NaN is no number of JSON"),
    ("[" + "9" * 5000 + "]", "no JSON"),
    ("[" * 100_000, "nested too deep"),
    ("5", "line 1: no filters: wanted are"),
    ('"x"', "line 1: no filters: wanted are"),
    ("null", "line 1: no filters: wanted are"),
    ("{}", "line 1: no filters: wanted are"),
    (answer(API, following="abc"), "line 1: pagination.next says that there are more"),
    ({"data": {"filters": [], "pagination": 5}}, "line 1: pagination is no object"),
    ({"data": {"filters": {}}}, "line 1: filters is no list"),
    ({"data": []}, "no filters: wanted are"),
    ({"errors": [{"type": "unauthorized"}]}, "line 1: an error that Segment's API answered"),
    ([5], "line 1: filters[0] is no object"),
    ([{}], "filters[0].if is missing; allowed: text"),
    ([{"if": "a", "title": 5, "actions": [{"type": "DROP"}]}], "filters[0].title = 5; allowed"),
    ([API | {"if": ["a"]}], 'filters[0] ("mine").if = ["a"]; allowed: text'),
    ([API | {"if": "  "}], '.if = "  "; allowed: text'),
    ([API | {"if": "a AND b"}], 'expected "and", "or" or the end, found AND; did you mean and?'),
    ([API | {"enabled": "yes"}], '.enabled = "yes"; allowed: true or false'),
    ([API | {"sourceId": 5}], ".sourceId = 5; allowed: text"),
    ([API | {"destinationId": 5}], ".destinationId is no text"),
    ([API | {"actions": {}}], ".actions = {}; allowed: an array of tables"),
    ([API | {"actions": []}], ".actions = []; allowed: one action or more"),
    ([API | {"actions": ["DROP"]}], '.actions = ["DROP"]; allowed: an array of tables'),
    ([API | {"actions": [{}]}], ".actions[0].type is missing; allowed: DROP, SAMPLE"),
    ([API | {"actions": [{"type": "DORP"}]}], "(did you mean DROP?)"),
    ([API | {"actions": [{"type": ["DROP"]}]}], '.actions[0].type = ["DROP"]'),
    ([API | {"actions": [{"type": "SAMPLE"}]}], ".actions[0].percent is missing"),
    ([API | {"actions": [{"type": "SAMPLE", "percent": "0.5"}]}], '.percent = "0.5"'),
    ([API | {"actions": [{"type": "SAMPLE", "percent": True}]}], ".percent = true"),
    ('[{"if": "a", "actions": [{"type": "SAMPLE", "percent": 1e999}]}]', ".percent = Infinity"),
    ([API | {"actions": [{"type": "SAMPLE", "percent": 10**400}]}], ".percent = 1000"),
    ([API | {"actions": [{"type": "SAMPLE", "percent": 1, "path": 5}]}], ".path = 5"),
    ([API | {"actions": [{"type": "DROP_PROPERTIES"}]}], ".fields is missing; allowed: paths"),
    ([API | {"actions": [{"type": "DROP_PROPERTIES", "fields": ["a"]}]}], '.fields = ["a"]'),
    ([API | {"actions": [{"type": "DROP_PROPERTIES", "fields": {"a": 1}}]}], '.fields = {"a": 1}'),
    ([API | {"actions": [{"type": "DROP_PROPERTIES", "fields": "{a}"}]}], '.fields = "{a}"'),
    ({"resources": []}, "Terraform's state without any segment_destination_filter"),
    ({"values": {}}, "Terraform's state without any segment_destination_filter"),
    ({"resources": [{"type": "segment_destination_filter", "name": "x", "instances": [{}]}]},
     "segment_destination_filter.x has no attributes"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "told"), BAD, ids=lambda value: ascii(value)[:40])
def test_a_misshape_is_told_with_its_place(content: Any, told: str, tmp_path: Path) -> None:
    """Never a traceback, and the file's name is in it."""
    path = write(tmp_path, content)
    with pytest.raises(ConvertroError) as caught:
        read_filters_file(path)
    assert told in caught.value.message
    assert str(path) in caught.value.message


def test_all_misshapes_are_told_at_once(tmp_path: Path) -> None:
    """Each on a line of its own."""
    broken = API | {"if": "a ==", "enabled": 5, "actions": [{"type": "DROP"}, {"type": "X"}]}
    with pytest.raises(FilterFileError) as caught:
        read_filters_file(write(tmp_path, answer(broken), [5]))
    assert len(caught.value.faults) == 4
    assert caught.value.message.startswith("4 faults in ")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """It is not there, is a folder, in Terraform's language, or no text."""
    for path, told in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ConvertroError, match=told):
            read_filters_file(path)
    path = tmp_path / "main.tf"
    path.write_text('resource "segment_destination_filter" "mine" {}')
    with pytest.raises(ConvertroError, match=r"no JSON: .*; wanted is the state .*terraform show"):
        read_filters_file(path)
    path = tmp_path / "binary"
    path.write_bytes(b"[\xff]")
    with pytest.raises(ConvertroError, match="is not UTF-8 at byte 2"):
        read_filters_file(path)


def test_the_line_of_each_document(tmp_path: Path) -> None:
    """Counted over blank lines and documents of many lines."""
    path = write(tmp_path, "\n{}\n\n[\n1]\n5 6")
    assert [(line, value) for line, value in read_documents(path)] == [
        (2, {}), (4, [1]), (6, 5), (6, 6),
    ]  # fmt: skip


TRANSFORMATION: dict[str, Any] = {
    "id": "t1",
    "name": "Old shop",
    "sourceId": "s1",
    "destinationMetadataId": CONVERTRO,
    "enabled": True,
    "if": "event = 'purchase'",
    "drop": False,
    "newEventName": "Order Completed",
    "propertyRenames": [{"oldName": "properties.order_total", "newName": "properties.total"}],
    "propertyValueTransformations": [
        {"propertyPaths": ["properties.currency"], "propertyValue": "USD"}
    ],
    "fqlDefinedProperties": [{"fql": "properties.total > 5", "propertyName": "properties.big"}],
    "allowProperties": ["properties.a"],
}
TRANSFORMATION_SPEC = Transformation(
    title="Old shop",
    condition="event = 'purchase'",
    new_event_name="Order Completed",
    renames=(("properties.order_total", "properties.total"),),
    values=((("properties.currency",), "USD"),),
    fql_properties=(("properties.big", "properties.total > 5"),),
    allow=("properties.a",),
    source_id="s1",
    id="t1",
)


def test_transformations_of_the_public_api(tmp_path: Path) -> None:
    """Those of other destinations are left out, and what names none stays; both are said."""
    unnamed = {"id": "t2", "if": "all", "drop": True}
    other = TRANSFORMATION | {"destinationMetadataId": "other", "if": 5}
    path = write(tmp_path, {"data": {"transformations": [TRANSFORMATION, unnamed, other]}})
    found = read_transformations_file(path)
    assert found.transformations == (
        TRANSFORMATION_SPEC,
        Transformation("t2", "all", drop=True, id="t2"),
    )
    left, taken = found.notes
    assert left == "1 transformation of other destinations left out"
    assert taken.startswith("1 transformation of no destination taken: ")


def test_transformations_of_terraform(tmp_path: Path) -> None:
    """In its spelling, with nulls and empty sets for what is not there."""
    attributes = {
        "id": "t1",
        "name": "Old shop",
        "source_id": "s1",
        "destination_metadata_id": CONVERTRO,
        "enabled": True,
        "if": "all",
        "new_event_name": None,
        "property_renames": [{"old_name": "a", "new_name": "b"}],
        "property_value_transformations": [{"property_paths": ["a"], "property_value": "x"}],
        "fql_defined_properties": [],
    }
    resource = {"type": "segment_transformation", "instances": [{"attributes": attributes}]}
    found = read_transformations_file(write(tmp_path, {"resources": [resource]}))
    assert found.transformations == (
        Transformation(
            "Old shop",
            "all",
            renames=(("a", "b"),),
            values=((("a",), "x"),),
            source_id="s1",
            id="t1",
        ),
    )


BAD_TRANSFORMATIONS = [
    ({"hashPropertiesConfiguration": {"algorithm": "sha256"}}, "is not supported: how Segment"),
    ({"drop": "no"}, '.drop = "no"; allowed: true or false'),
    ({"newEventName": 5}, ".newEventName = 5; allowed: text"),
    ({"propertyRenames": {}}, ".propertyRenames = {}; allowed: an array of tables"),
    ({"propertyRenames": [{"oldName": "a"}]}, ".propertyRenames[0].newName is missing"),
    ({"propertyRenames": [{"oldName": "a.b.c.d.e", "newName": "a"}]}, "no path of 1 to 4 names"),
    ({"propertyRenames": [{"oldName": "a..b", "newName": "a"}]}, '"a..b" is no path'),
    ({"propertyValueTransformations": [{"propertyPaths": "a", "propertyValue": "x"}]},
     '.propertyPaths = "a"; allowed: an array of texts'),
    ({"propertyValueTransformations": [{"propertyPaths": ["a"], "propertyValue": {}}]},
     ".propertyValue = {}; allowed: text, a number"),
    ({"fqlDefinedProperties": [{"fql": "a ==", "propertyName": "a"}]}, ".fql character"),
    ({"allowProperties": [5]}, ".allowProperties = [5]; allowed: an array of texts"),
    ({"if": "a && b"}, "found '&&'; did you mean and?"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "told"), BAD_TRANSFORMATIONS, ids=lambda value: ascii(value)[:40]
)
def test_a_misshapen_transformation(fields: dict[str, Any], told: str, tmp_path: Path) -> None:
    """Told with its place, as a filter is."""
    with pytest.raises(FilterFileError) as caught:
        read_transformations_file(write(tmp_path, [TRANSFORMATION | fields]))
    assert told in caught.value.message
    assert 'line 1: transformations[0] ("Old shop")' in caught.value.message


def test_a_transformation_with_hashes_may_be_switched_off(tmp_path: Path) -> None:
    """As the fault proposes."""
    fields = {"hashPropertiesConfiguration": {"algorithm": "sha256"}, "enabled": False}
    found = read_transformations_file(write(tmp_path, [TRANSFORMATION | fields]))
    assert [each.enabled for each in found.transformations] == [False]


KEYS = ["id", "title", "if", "actions", "enabled", "sourceId", "propertyRenames", "allowProperties"]
ACTIONS = st.fixed_dictionaries(
    {"type": st.sampled_from(["DROP", "SAMPLE", "DROP_PROPERTIES", "drop_event"]) | JSON},
    optional={"percent": JSON, "path": JSON, "fields": JSON},
)


@settings(max_examples=examples(40))
@given(
    st.dictionaries(st.sampled_from(KEYS), JSON) | st.fixed_dictionaries(
        {"if": st.just("all"), "actions": st.lists(ACTIONS)}
    )
)  # fmt: skip
def test_no_table_raises(fields: dict[str, Any]) -> None:
    """It gives what it stands for, or faults; never both, and never neither."""
    for read in (filter_of, transformation_of):
        raw = RawTable(fields, "it", spelling=PUBLIC_API)
        found = read(raw)
        assert (found is None) == bool(raw.faults)
        assert all(str(fault).startswith("it.") for fault in raw.faults)
