"""What a transformation makes of a message."""

from __future__ import annotations

from typing import Any

import pytest

from convertro_cli.destination_filters.actions import Dropped
from convertro_cli.destination_filters.filters import DestinationFilters
from convertro_cli.destination_filters.specs import DestinationFilter, Drop, Transformation

MESSAGE: dict[str, Any] = {
    "type": "track",
    "event": "purchase",
    "properties": {"order_total": 5, "sku.id": "s", "address": {"city": "Riga", "zip": "1"}},
    "context": {"ip": "1.2.3.4", "nothing": None},
}


def applied(message: dict[str, Any] = MESSAGE, **fields: Any) -> Any:
    """What a transformation makes of a message."""
    transformation = Transformation(
        fields.pop("title", "t"), fields.pop("condition", "all"), **fields
    )
    return DestinationFilters([], [transformation]).apply(message, "m1")


RENAMES = [
    ((("properties.order_total", "properties.total"),), {"total": 5, "order_total": None}),
    ((("properties.sku\\.id", "properties.sku"),), {"sku": "s", "sku.id": None}),
    ((("properties.address.city", "properties.city"),), {"city": "Riga", "address": {"zip": "1"}}),
    ((("properties.order_total", "properties.address.total"),),
     {"order_total": None, "address": {"city": "Riga", "zip": "1", "total": 5}}),
    ((("context.ip", "properties.ip"),), {"ip": "1.2.3.4"}),
    ((("properties.a", "properties.order_total"),), {}),
    ((("properties.order_total", "properties.none.total"),), {}),
    ((("properties.order_total", "properties.order_total.x"),), {}),
    ((("properties.order_total", "properties.order_total"),), {}),
    ((("properties.order_total", "properties.a"), ("properties.a", "properties.b")),
     {"a": 5, "order_total": None}),
    ((("properties.order_total", "properties.sku\\.id"),
      ("properties.sku\\.id", "properties.order_total")),
     {"order_total": "s", "sku.id": 5}),
    ((("context.nothing", "properties.nothing"),), {"nothing": ...}),
]  # fmt: skip


@pytest.mark.parametrize(("renames", "expected"), RENAMES)
def test_renames(renames: tuple[tuple[str, str], ...], expected: dict[str, Any]) -> None:
    """Fields move with the value they had; what is missing, or has nowhere to go, stays."""
    properties = dict(MESSAGE["properties"])
    for name, value in expected.items():
        if value is None:
            del properties[name]
        else:
            properties[name] = None if value is ... else value
    assert applied(renames=renames)["properties"] == properties


def test_values_are_set_and_added_where_there_is_an_object_for_them() -> None:
    """A new name is taken, a new object is not made."""
    paths = ("properties.currency", "properties.address.city", "none.x", "properties.a.b", "flag")
    after = applied(values=((paths, "USD"),))
    assert after == MESSAGE | {
        "flag": "USD",
        "properties": MESSAGE["properties"]
        | {"currency": "USD", "address": {"city": "USD", "zip": "1"}},
    }


def test_all_parts_read_the_message_as_it_was() -> None:
    """A renamed field has its old value, whatever else is set there."""
    after = applied(
        renames=(("properties.order_total", "properties.total"),),
        values=((("properties.order_total",), 7),),
        fql_properties=(("properties.big", "properties.order_total = 5"),),
    )
    assert after["properties"] == MESSAGE["properties"] | {
        "order_total": 7,
        "total": 5,
        "big": True,
    }


def test_a_renamed_field_has_its_value_though_it_is_not_allowed_to_stay() -> None:
    """What is allowed is looked for in the message as it was, and so is what moves."""
    after = applied(
        renames=(("properties.order_total", "properties.total"),),
        allow=("properties.address",),
    )
    assert after["properties"] == {"address": {"city": "Riga", "zip": "1"}, "total": 5}


@pytest.mark.parametrize(
    ("fql", "value"),
    [
        ("event", "purchase"),
        ("uppercase(event)", "PURCHASE"),
        ("none", None),
        ("length(context)", None),
        ("event = 'purchase'", True),
        ("properties.address", {"city": "Riga", "zip": "1"}),
    ],
)
def test_a_property_of_fql(fql: str, value: Any) -> None:
    """It has the expression's value; what is no number is null."""
    assert applied(fql_properties=(("properties.made", fql),))["properties"]["made"] == value


@pytest.mark.parametrize(
    ("kind", "event"), [("track", "New"), ("TRACK", "New"), ("identify", "purchase")]
)
def test_a_new_event_name_is_for_tracks(kind: str, event: str) -> None:
    """Other messages keep what they have."""
    assert applied(MESSAGE | {"type": kind}, new_event_name="New")["event"] == event


@pytest.mark.parametrize(
    ("allow", "properties"),
    [
        (("properties.order_total",), {"order_total": 5}),
        (("order_total",), {"order_total": 5}),
        (("properties.address.city",), {"address": {"city": "Riga"}}),
        (("properties.address",), {"address": {"city": "Riga", "zip": "1"}}),
        (("properties.sku\\.id", "context.ip"), {"sku.id": "s"}),
        (("traits.email",), MESSAGE["properties"]),
        ((), MESSAGE["properties"]),
    ],
)
def test_allowed_properties(allow: tuple[str, ...], properties: dict[str, Any]) -> None:
    """Of a named object all other fields go; a bare name is of properties or traits."""
    assert applied(allow=allow)["properties"] == properties


def test_drop_beats_all_else() -> None:
    """The message is skipped under the transformation's title."""
    dropped = applied(title="Old shop", drop=True, new_event_name="New")
    assert dropped == Dropped("dropped_by_transformation", "Old shop")


def test_a_message_without_a_change_is_the_same_object() -> None:
    """Nothing is copied for nothing."""
    assert applied(condition="type = 'page'", new_event_name="New") is MESSAGE
    assert applied(new_event_name="purchase") is MESSAGE
    assert applied(allow=("type", "traits.x")) is not None
    assert applied(renames=(("properties.none", "properties.x"),)) is MESSAGE


def test_they_come_after_the_filters_and_one_after_the_other() -> None:
    """Each condition sees what those before it made."""
    filters = DestinationFilters(
        [DestinationFilter("f", "event = 'New'", (Drop(),))],
        [
            Transformation("one", "event = 'purchase'", new_event_name="New"),
            Transformation("two", "event = 'New'", new_event_name="Newer"),
        ],
    )
    after = filters.apply(MESSAGE, "m1")
    assert not isinstance(after, Dropped)
    assert after["event"] == "Newer"
