"""The web rules: what analytics.js and Convertro's tag did in the browser."""

from __future__ import annotations

from typing import Any

import pytest

from convertro_cli.mapping.calls import Invalid, Mapped
from convertro_cli.mapping.message import map_message
from tests.mapping.messages import (
    SECONDS,
    Message,
    calls_of,
    make_rules,
    only_call,
    outcome_of,
    types_of,
    web_message,
)

ORDER = web_message("track", event="Order Completed")


def order(**properties: Any) -> Message:
    """An order with an id, unless told otherwise."""
    return ORDER | {"properties": {"order_id": "o1"} | properties}


def value_of(message: Message, **tables: Any) -> Any:
    """The value of the only call, and what was warned of."""
    outcome = map_message(message, make_rules(**tables))
    assert isinstance(outcome, Mapped)
    return outcome.calls[0].event_value, [str(warning) for warning in outcome.warnings]


@pytest.mark.parametrize(
    ("repeat", "plain", "hybrid"),
    [
        (True, ["sale.repeat"], ["sale.repeat", "sale"]),
        (False, ["sale.new"], ["sale.new", "sale"]),
        ("true", ["sale"], ["sale"]),
        ("false", ["sale"], ["sale"]),
        (1, ["sale"], ["sale"]),
        (0, ["sale"], ["sale"]),
        (None, ["sale"], ["sale"]),
        ({}, ["sale"], ["sale"]),
    ],
)
def test_the_type_of_an_order(repeat: Any, plain: list[str], hybrid: list[str]) -> None:
    """Only a real boolean says whether the buyer is new; the hybrid model adds a sale."""
    assert types_of(order(repeat=repeat), make_rules()) == plain
    rules = make_rules(convertro={"hybrid_attribution_model": True})
    assert types_of(order(repeat=repeat), rules) == hybrid
    assert types_of(order(), make_rules()) == ["sale"]


@pytest.mark.parametrize("unmapped", ["auto", "send", "drop"])
def test_orders_never_pass_through_events(unmapped: str) -> None:
    """A key for orders in [events] is not looked at."""
    rules = make_rules(
        events={"Order Completed": "purchase"}, mapping={"unmapped_events": unmapped}
    )
    assert types_of(order(), rules) == ["sale"]


@pytest.mark.parametrize(
    ("properties", "order_id"),
    [
        ({"order_id": "o1"}, "o1"),
        ({"orderId": "o1"}, "o1"),
        ({"Order ID": "o1"}, "o1"),
        ({"id": "o1"}, "o1"),
        ({"ID": "o1"}, "o1"),
        ({"order_id": "late", "id": "o1"}, "o1"),
        ({"id": "", "order_id": "o1"}, "o1"),
        ({"id": None, "order_id": "o1"}, "o1"),
        ({"id": True, "order_id": "o1"}, "o1"),
        ({"id": {}, "order_id": "o1"}, "o1"),
        ({"order_id": 1001}, "1001"),
        ({"order_id": 1001.0}, "1001"),
        ({"id": 0}, "0"),
        ({"orderId": "o1", "order_id": "o2"}, "o1"),
        ({"order_id": "o2", "orderId": "o1"}, "o2"),
    ],
)
def test_the_order_id(properties: Message, order_id: str) -> None:
    """id, else order_id, in any spelling; numbers as their digits."""
    call = only_call(ORDER | {"properties": properties}, make_rules())
    assert call["event_id"] == order_id


@pytest.mark.parametrize(
    "properties",
    [None, {}, {"order_id": ""}, {"order_id": None}, {"orderId": "", "order_id": "o1"}, [], "o1"],
)
def test_an_order_without_an_id(properties: Any) -> None:
    """It is skipped, or sent under the tag's default id. The first spelling counts, even empty."""
    message = ORDER | {"properties": properties}
    assert outcome_of(message, make_rules()) == "skip missing_order_id"
    call = only_call(message, make_rules(mapping={"require_order_id": False}))
    assert call["event_id"] == "sale-anon-1"


@pytest.mark.parametrize(
    ("properties", "value", "warnings"),
    [
        ({"total": 50.99, "revenue": 40}, 50.99, []),
        ({"revenue": 40}, 40, []),
        ({}, 1, []),
        ({"total": 0}, 0, []),
        ({"total": 0, "revenue": 9}, 0, []),
        ({"total": -5}, -5, []),
        ({"total": None, "revenue": 9}, 9, []),
        ({"total": "$1,200.50"}, 1200.5, []),
        ({"TOTAL": "1.200,50 €"}, 1200.5, []),
        ({"total": "", "revenue": " "}, 1, []),
        ({"total": "free", "revenue": "9"}, 9, ["unreadable_amount"]),
        ({"total": 5, "revenue": "free"}, 5, []),
        ({"total": -0.0, "revenue": 3}, 0, []),
        ({"total": "1.200"}, 1.2, ["ambiguous_amount"]),
        ({"total": "1.200", "Currency": "CLP"}, 1200, []),
        ({"total": "N/A", "revenue": "2.500"}, 2.5, ["unreadable_amount", "ambiguous_amount"]),
    ],
)
def test_the_value(properties: Message, value: float, warnings: list[str]) -> None:
    """total, else revenue, else 1, for orders and others alike; what is unreadable is warned of."""
    assert value_of(order(**properties)) == (value, warnings)
    other = web_message("track", event="Signed Up", properties=properties)
    assert value_of(other, events={"Signed Up": "signup"}) == (value, warnings)


@pytest.mark.parametrize(
    "properties",
    [
        {"total": "free"},
        {"revenue": []},
        {"total": "free", "revenue": {}},
        {"total": "free", "revenue": ""},
        {"total": True},
        {"Total": "x", "total": 5},
    ],
)
def test_an_amount_that_cannot_be_read_is_held(properties: Message) -> None:
    """It is not worth 1: the message is held back, unless the settings say to send it."""
    assert outcome_of(order(**properties), make_rules()) == "invalid unreadable_amount"
    sent = value_of(order(**properties), mapping={"unreadable_amount": "send"})
    assert sent == (1, ["unreadable_amount"])  # once a message, however many amounts it has


def test_what_is_held_back_is_named_without_its_content() -> None:
    """The fault says which amount it is about, and nothing that the message holds."""
    for properties in ({"TOTAL": "s3cret"}, {"TOTAL": "s3cret", "revenue": "s3cret"}):
        outcome = map_message(order(**properties), make_rules())
        assert isinstance(outcome, Invalid)
        assert outcome.detail == "'total' is no amount"


@pytest.mark.parametrize("wire", [{}, {"params": {"id": "user"}}])
def test_a_trait_named_id_is_not_worth_a_word(wire: Message) -> None:
    """The call has the user's own id, whatever that is called on the wire."""
    message = web_message("identify", traits={"id": "x", "plan": "pro"})
    outcome = map_message(message, make_rules(wire=wire))
    assert isinstance(outcome, Mapped)
    assert (outcome.calls[0].traits, outcome.warnings) == ({"plan": "pro"}, [])


@pytest.mark.parametrize(
    ("events", "name", "types"),
    [
        ({"Signed Up": "signup"}, "Signed Up", ["signup"]),
        ({"Signed Up": "signup"}, "signed_up", ["signup"]),
        ({"signedUp": "signup"}, "SIGNED UP", ["signup"]),
        ({"Signed Up": ["signup", "lead"]}, "signed-up", ["signup", "lead"]),
        ({"Signed Up": "signup", "signed_up": "lead"}, "Signed Up", ["signup", "lead"]),
        ({"signed_up": "lead", "Signed Up": "signup"}, "Signed Up", ["lead", "signup"]),
        ({"Signed Up": ["a", "b"], "signedUp": ["b", "c"]}, "signedUp", ["a", "b", "c"]),
        ({"Signed Up": "signup"}, "Signed  Up", "skip unmapped_event"),
        ({"Signed Up": "signup"}, "Level Won", "skip unmapped_event"),
        ({}, "Level Won", "skip unmapped_event"),
        ({"Order Completed": "x"}, "Order Completed Twice", "skip unmapped_event"),
        ({"Application Installed": "install"}, "application_installed", ["install"]),
    ],
)
def test_other_tracks_go_where_events_says(
    events: Message, name: str, types: str | list[str]
) -> None:
    """One call for each target of each key that matches, in the order of the file."""
    message = web_message("track", event=name)
    assert types_of(message, make_rules(events=events)) == types


@pytest.mark.parametrize(("unmapped", "sent"), [("auto", False), ("drop", False), ("send", True)])
@pytest.mark.parametrize("events", [{}, {"Signed Up": "signup"}])
def test_unmapped_tracks(unmapped: str, sent: bool, events: Message) -> None:
    """Only "send" sends what [events] does not list, and under its own name as it is spelt."""
    rules = make_rules(events=events, mapping={"unmapped_events": unmapped})
    wanted = ["level_Won"] if sent else "skip unmapped_event"
    assert types_of(web_message("track", event="level_Won"), rules) == wanted


@pytest.mark.parametrize("name", [None, "", " ", "\t", 5, {}, ["Order Completed"], True])
def test_a_track_without_a_name(name: Any) -> None:
    """What is absent, no text or blank is no name."""
    rules = make_rules(mapping={"unmapped_events": "send"})
    message = web_message("track") | {"event": name}
    assert outcome_of(message, rules) == "skip missing_event_name"


def test_the_event_id_of_others() -> None:
    """An order id counts for any event; the default is the type and 32 characters of visitor."""
    rules = make_rules(events={"Signed Up": ["signup", "lead"]})
    message = web_message("track", event="Signed Up", anonymousId="v" * 40)
    ids = [call["event_id"] for call in calls_of(message, rules)]
    assert ids == ["signup-" + "v" * 32, "lead-" + "v" * 32]
    message["properties"] = {"orderId": 7}
    assert [call["event_id"] for call in calls_of(message, rules)] == ["7", "7"]


def test_no_visitor_and_no_order_id_leave_no_event_id() -> None:
    """There is nothing to make a default of."""
    rules = make_rules(mapping={"require_order_id": False})
    message = web_message("track", event="Order Completed", anonymousId=None, userId=None)
    call = only_call(message, rules)
    assert call["event_id"] is None


@pytest.mark.parametrize(
    ("fields", "visitor"),
    [
        ({"integrations": {"Convertro": {"sid": "ABC234"}}}, "ABC234"),
        ({"integrations": {"Convertro": {"sid": ""}}}, "anon-1"),
        ({"integrations": {"Convertro": True}}, "anon-1"),
        ({}, "anon-1"),
        ({"anonymousId": 77}, "77"),
        ({"anonymousId": None}, "u1"),
        ({"anonymousId": "", "userId": 5}, "5"),
        ({"anonymousId": None, "userId": None}, None),
    ],
)
def test_the_visitor_id(fields: Message, visitor: str | None) -> None:
    """The first path that leads to an id: Convertro's own, then Segment's, then the user's."""
    outcome = map_message(order() | fields, make_rules())
    assert isinstance(outcome, Mapped)
    assert outcome.calls[0].visitor_id == visitor


@pytest.mark.parametrize(
    ("paths", "visitor"),
    [
        (["userId"], "u1"),
        (["context.traits.cvo", "anonymousId"], "C-9"),
        (["context.traits.none", "anonymousId"], "anon-1"),
        (["context.traits", "properties.order_id.x", "nothing"], None),
        (["properties.order_id"], "o1"),
    ],
)
def test_the_visitor_id_by_other_paths(paths: list[str], visitor: str | None) -> None:
    """visitor_id names the paths to try, each through any objects; what is no id is passed over."""
    message = order() | {"context": {"library": {"name": "analytics.js"}, "traits": {"cvo": "C-9"}}}
    outcome = map_message(message, make_rules(mapping={"visitor_id": paths}))
    assert isinstance(outcome, Mapped)
    assert outcome.calls[0].visitor_id == visitor


@pytest.mark.parametrize(
    ("user_id", "sent"), [("u1", "u1"), (12345, "12345"), (0, "0"), ("a@b.c", "a@b.c")]
)
def test_an_identify_is_one_user_call(user_id: Any, sent: str) -> None:
    """It has the user's id and the traits, without a trait named id."""
    message = web_message("identify", userId=user_id, traits={"id": "x", "plan": "pro", "Id": 1})
    assert outcome_of(message, make_rules()) == [
        {
            "mode": "web",
            "call": "user",
            "user_id": sent,
            "traits": {"plan": "pro", "Id": 1},
            "timestamp": SECONDS,
        }
    ]


@pytest.mark.parametrize("user_id", [None, "", {}, [], True, False])
def test_an_identify_without_a_user(user_id: Any) -> None:
    """Nothing is sent for a user without an id."""
    message = web_message("identify") | {"userId": user_id}
    assert outcome_of(message, make_rules()) == "skip missing_user_id"


@pytest.mark.parametrize(
    ("setting", "kept"),
    [
        ("all", {"plan": "pro", "Plan": 2, "age": 5}),
        ("none", {}),
        (["plan", "email"], {"plan": "pro"}),
        (["id"], {}),
    ],
)
def test_which_traits_go(setting: Any, kept: Message) -> None:
    """All, none, or those named, as they are spelt."""
    traits = {"plan": "pro", "Plan": 2, "age": 5, "id": "x"}
    rules = make_rules(mapping={"traits": setting})
    call = only_call(web_message("identify", traits=traits), rules)
    assert call["traits"] == kept


@pytest.mark.parametrize("traits", [None, [], "pro", 5])
def test_traits_that_are_no_object(traits: Any) -> None:
    """The user call goes without them."""
    call = only_call(web_message("identify", traits=traits), make_rules())
    assert call["traits"] == {}
