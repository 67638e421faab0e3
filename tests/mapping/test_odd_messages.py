"""Messages as history holds them: each odd in one way, and what the rules make of it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from convertro_cli.mapping.calls import Mapped
from convertro_cli.mapping.lines import map_line
from convertro_cli.mapping.rules import Rules
from tests.mapping.messages import (
    TIME,
    WEB_CONTEXT,
    Message,
    cloud_message,
    make_rules,
    outcome_of,
    web_message,
)

RULES = make_rules(events={"Signed Up": "signup"})
GONE: Any = object()
"""In place of a value: the message has no such field."""

PERSONAS = {"computation_key": "k"}


def order(**fields: Any) -> Message:
    """An order from a browser, worth 5."""
    properties = {"order_id": "o1", "total": 5}
    message = web_message("track", event="Order Completed", properties=properties) | fields
    return {name: value for name, value in message.items() if value is not GONE}


def app_order(**fields: Any) -> Message:
    """The same from an app."""
    properties = {"order_id": "o1", "total": 5}
    message = cloud_message("track", event="Order Completed", properties=properties) | fields
    return {name: value for name, value in message.items() if value is not GONE}


def brief(message: Message, rules: Rules = RULES) -> str:
    """What a message becomes, in a few words: mode, type, value and id of each call."""
    outcome = outcome_of(message, rules)
    if isinstance(outcome, str):
        return outcome
    return "; ".join(map(_in_a_few_words, outcome))


def _in_a_few_words(call: Message) -> str:
    words = (call.get(name) for name in ("event_type", "event_value", "event_id"))
    told = [call["mode"], *(str(word) for word in words if word is not None)]
    return " ".join(told if len(told) > 1 else [*told, call["call"]])


SHAPES: dict[str, tuple[Message, str]] = {
    "properties and traits on a track": (
        order(traits={"id": "t", "total": 9}),
        "web sale 5 o1",
    ),
    "properties as a list": (order(properties=[{"order_id": "o1"}]), "skip missing_order_id"),
    "properties as text": (order(properties="o1"), "skip missing_order_id"),
    "no properties": (order(properties=GONE), "skip missing_order_id"),
    "no properties from an app": (
        app_order(properties=None),
        "cloud Order Completed 1 m1",
    ),
    "a context that is a list": (order(context=[]), "skip missing_device_id"),
    "a context that is null": (order(context=None), "skip missing_device_id"),
    "no context but a channel": (order(context=None, channel="client"), "web sale 5 o1"),
    "an identify with properties": (
        web_message("identify", properties={"order_id": "o1"}),
        "web user",
    ),
    "an identify with an event's name": (
        web_message("identify", event="Order Completed"),
        "web user",
    ),
    "integrations as a list": (order(integrations=[{"All": False}]), "web sale 5 o1"),
    "integrations as a boolean": (order(integrations=False), "web sale 5 o1"),
    "integrations with a null for Convertro": (
        order(integrations={"Convertro": None, "All": False}),
        "web sale 5 o1",
    ),
    "integrations with a text for All": (order(integrations={"All": "false"}), "web sale 5 o1"),
    "two spellings of All": (
        order(integrations={"All": "x", "all": False}),
        "skip disabled_by_integrations",
    ),
}

ORDERS: dict[str, tuple[Message, str]] = {
    "the id before the order id": (order(properties={"order_id": "b", "id": "a"}), "web sale 1 a"),
    "an id that is none": (order(properties={"id": " ", "order_id": "b"}), "web sale 1 b"),
    "an id that is a list": (order(properties={"id": ["a"], "order_id": 7}), "web sale 1 7"),
    "an id with a fraction": (order(properties={"id": 7.5}), "web sale 1 7.5"),
    "an id beyond the top level": (
        order(properties={"order": {"id": "a"}}),
        "skip missing_order_id",
    ),
    "an order id at the top": (order(properties={}, order_id="a"), "skip missing_order_id"),
    "a refund of an order": (order(properties={"id": "a", "total": -12.5}), "web sale -12.5 a"),
    "a refund as accountants write it": (
        order(properties={"id": "a", "total": "(12.50 €)"}),
        "web sale -12.5 a",
    ),
    "another event for refunds": (order(event="Order Refunded"), "skip unmapped_event"),
    "repeat in capitals": (order(properties={"id": "a", "Repeat": True}), "web sale.repeat 1 a"),
    "a total of a list": (order(properties={"id": "a", "total": [5]}), "invalid unreadable_amount"),
    "a total of nothing beside a revenue": (
        order(properties={"id": "a", "total": "", "revenue": "7"}),
        "web sale 7 a",
    ),
    "a total in exponents": (
        order(properties={"id": "a", "total": "1e3"}),
        "invalid unreadable_amount",
    ),
    "a value beside no total": (order(properties={"id": "a", "value": 9}), "web sale 1 a"),
    "an app's event with a total": (
        app_order(event="Signed Up"),
        "cloud signup 1 o1",
    ),
}

PLACES: dict[str, tuple[Message, str]] = {
    "an app's library in a browser's channel": (
        order(context={"library": {"name": "analytics-ios"}}, channel="web"),
        "web sale 5 o1",
    ),
    "a browser's channel with a device": (
        order(context={"device": {"id": "D"}}, channel="browser"),
        "cloud Order Completed 5 o1",
    ),
    "a channel in capitals": (order(context={}, channel="CLIENT"), "skip missing_device_id"),
    "two channels": (
        order(context={"channel": "client"}, channel="server"),
        "skip missing_device_id",
    ),
    "a library with a device": (
        order(context={"library": "@segment/analytics-next", "device": {"id": "D"}}),
        "web sale 5 o1",
    ),
    "an order by Engage": (order(context={"personas": PERSONAS}), "skip engage_track"),
    "a listed track by Engage": (
        app_order(event="Signed Up", context={"personas": PERSONAS, "device": {"id": "D"}}),
        "cloud signup 1 o1",
    ),
    "an identify by Engage without a user": (
        web_message("identify", context={"personas": PERSONAS}, userId=None),
        "skip missing_user_id",
    ),
    "an app's message that names Convertro as loaded": (
        app_order(_metadata={"bundled": ["Convertro"]}),
        "cloud Order Completed 5 o1",
    ),
    "loaded, and turned on by name": (
        order(_metadata={"bundled": ["Convertro"]}, integrations={"Convertro": True}),
        "skip delivered_in_browser",
    ),
    "loaded by an identify": (
        web_message("identify", _metadata={"bundled": ["Convertro"]}),
        "skip delivered_in_browser",
    ),
}


@pytest.mark.parametrize(("message", "becomes"), SHAPES.values(), ids=SHAPES)
def test_a_part_of_another_shape_is_as_if_it_were_not_there(message: Message, becomes: str) -> None:
    """What is no object has no fields, and what belongs to another type is not looked at."""
    assert brief(message) == becomes


@pytest.mark.parametrize(("message", "becomes"), ORDERS.values(), ids=ORDERS)
def test_the_ids_and_amounts_of_odd_orders(message: Message, becomes: str) -> None:
    """Ids and amounts are looked for in the properties alone, in their turn."""
    assert brief(message) == becomes


@pytest.mark.parametrize(("message", "becomes"), PLACES.values(), ids=PLACES)
def test_where_an_odd_message_is_from(message: Message, becomes: str) -> None:
    """The library tells first, then the channel with the device; Engage is no place."""
    assert brief(message) == becomes


@pytest.mark.parametrize(
    "value",
    ["2024-03-01", "2024-03-01T10:20:30+02:00", "2024-03-01T10:20:30.5Z", {"at": "2024-03-01"}],
)
def test_dates_among_the_traits_stay_as_they_are(value: Any) -> None:
    """analytics.js rewrites them in UTC; what was said stays said."""
    outcome = outcome_of(web_message("identify", traits={"born": value}), RULES)
    assert outcome[0]["traits"] == {"born": value}  # type: ignore[index]


@pytest.mark.parametrize(
    ("total", "becomes"),
    [
        (b"1e2", "100"),
        (b"0.1e1", "1"),
        (b"-0", "0"),
        (b"-0.0", "0"),
        (b"12345678901234567890123", "12345678901234568000000"),
        (b"1e999", None),
        (b"-1e999", None),
        (b"9" * 400, None),
    ],
)
def test_amounts_as_json_may_write_them(total: bytes, becomes: str | None) -> None:
    """With an exponent, a sign or very many digits; what no float can hold is held back."""
    line = orjson.dumps(order(properties={"order_id": "@", "total": "#"}))
    line = line.replace(b'"#"', total).replace(b'"@"', b"1234567890123456789012")
    _, outcome, _ = map_line(line, 0, RULES)
    if becomes is None:
        assert not isinstance(outcome, Mapped)
        assert outcome.reason == "unreadable_amount"
        return
    assert isinstance(outcome, Mapped)
    (call,) = outcome.calls
    assert f"{call.event_value:.0f}" == f"{float(becomes):.0f}"
    assert call.event_id == "1234567890123456789012"


OLD = {"action": "Track", "event": "Completed Order", "sessionId": "s1", "timestamp": TIME}


@pytest.mark.parametrize(
    ("fields", "becomes"),
    [
        ({"context": WEB_CONTEXT}, "web sale 5 o1"),
        ({"context": {"library": "analytics.js"}}, "web sale 5 o1"),
        ({"context": {"library": "analytics-python"}}, "skip missing_device_id"),
        ({"channel": "client"}, "web sale 5 o1"),
        ({"action": "Identify", "userId": "u1", "channel": "client"}, "web user"),
        ({"action": "pageview"}, "invalid unknown_type"),
        ({"action": "Page"}, "skip unsupported_type"),
        ({"action": None}, "invalid missing_type"),
        ({"type": 7}, "invalid missing_type"),
        ({"type": "Group"}, "skip unsupported_type"),
    ],
)
def test_messages_from_before_2014(fields: Message, becomes: str) -> None:
    """An action is a type, in any case, where there is none; a library may be mere text."""
    assert brief(OLD | {"properties": {"id": "o1", "total": 5}} | fields) == becomes
