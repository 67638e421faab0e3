"""The cloud rules: mobile and server sources."""

from __future__ import annotations

from typing import Any

import pytest

from convertro_cli.mapping.calls import Mapped
from convertro_cli.mapping.message import map_message
from convertro_cli.mapping.rules import Rules
from convertro_cli.settings.compile import compile_rules
from tests.mapping.messages import (
    CLOUD_CONTEXT,
    SECONDS,
    Message,
    cloud_message,
    make_rules,
    only_call,
    outcome_of,
    settings_of,
    types_of,
)

NO_DEVICE = {"library": {"name": "analytics-ios"}}
CLOUD_SETTINGS = {"client_name": "acme", "site_id": "7", "domain": "https://shop.example.com"}


def rules_without(*missing: str) -> Rules:
    """Rules in which some of the cloud settings are not filled in."""
    present = {name: value for name, value in CLOUD_SETTINGS.items() if name not in missing}
    return compile_rules(settings_of({"convertro": {"account": "acme"} | present}))


def test_an_identify_ties_the_device_to_the_user() -> None:
    """One user call with both ids, and no traits."""
    message = cloud_message("identify", traits={"plan": "pro"})
    assert outcome_of(message, make_rules()) == [
        {
            "mode": "cloud",
            "call": "user",
            "device_id": "D-1",
            "user_id": "u1",
            "timestamp": SECONDS,
        }
    ]
    outcome = map_message(message, make_rules())
    assert isinstance(outcome, Mapped)
    assert outcome.calls[0].traits is None


def test_an_install_is_one_install_call_whatever_events_says() -> None:
    """It has the device's id, and is no event."""
    rules = make_rules(
        events={"Application Installed": "install"}, mapping={"unmapped_events": "drop"}
    )
    for name in ("Application Installed", "installed_application", "applicationInstalled"):
        assert outcome_of(cloud_message("track", event=name), rules) == [
            {"mode": "cloud", "call": "install", "device_id": "D-1", "timestamp": SECONDS}
        ]


@pytest.mark.parametrize(
    "missing", [["client_name"], ["site_id"], ["domain"], ["site_id", "domain"]]
)
@pytest.mark.parametrize(
    "message",
    [
        cloud_message("identify"),
        cloud_message("identify", userId=None),
        cloud_message("track", event="Level Won"),
        cloud_message("track"),
        cloud_message("track", event="Order Completed", context=NO_DEVICE),
        cloud_message("track", event="Application Installed"),
    ],
)
def test_without_cloud_settings_every_cloud_message_is_skipped(
    missing: list[str], message: Message
) -> None:
    """Before anything else is looked at, and for any one of the three."""
    assert outcome_of(message, rules_without(*missing)) == "skip cloud_settings_missing"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (cloud_message("identify", userId=None, context=NO_DEVICE), "missing_user_id"),
        (cloud_message("identify", userId=""), "missing_user_id"),
        (cloud_message("identify", context=NO_DEVICE), "missing_device_id"),
        (cloud_message("track", context=NO_DEVICE), "missing_event_name"),
        (cloud_message("track", event=" "), "missing_event_name"),
        (cloud_message("track", event=5), "missing_event_name"),
        (cloud_message("track", event="X", context=NO_DEVICE), "missing_device_id"),
        (cloud_message("track", event="Unlisted", context=NO_DEVICE), "missing_device_id"),
        (cloud_message("track", event="Application Installed", context={}), "missing_device_id"),
        (cloud_message("track", event="X", context=[]), "missing_device_id"),
        (cloud_message("track", event="X", context={"device": "D-1"}), "missing_device_id"),
        (cloud_message("track", event="X", context={"device": {"id": ""}}), "missing_device_id"),
        (cloud_message("track", event="X", context={"device": {"id": True}}), "missing_device_id"),
    ],
)
def test_what_a_cloud_message_needs_in_this_order(message: Message, reason: str) -> None:
    """A user or a name, then a device."""
    rules = make_rules(events={"Signed Up": "signup"})
    assert outcome_of(message, rules) == f"skip {reason}"


def test_a_device_id_as_a_number() -> None:
    """It is sent as its digits."""
    message = cloud_message("track", event="X", context={"device": {"id": 42}})
    call = only_call(message, make_rules())
    assert call["device_id"] == "42"


@pytest.mark.parametrize(
    ("unmapped", "events", "name", "types"),
    [
        ("auto", {}, "Level Won", ["Level Won"]),
        ("auto", {"Signed Up": "signup"}, "Level Won", "skip unmapped_event"),
        ("auto", {"Signed Up": "signup"}, "signed_up", ["signup"]),
        ("auto", {"Signed Up": ["signup", "lead"]}, "signedUp", ["signup", "lead"]),
        ("auto", {"Signed Up": "a", "signed_up": "b"}, "Signed Up", ["a", "b"]),
        ("send", {"Signed Up": "signup"}, "level_won", ["level_won"]),
        ("send", {"Signed Up": "signup"}, "Signed Up", ["signup"]),
        ("drop", {}, "Level Won", "skip unmapped_event"),
        ("drop", {"Signed Up": "signup"}, "Signed Up", ["signup"]),
        # orders are always sent
        ("auto", {}, "Order Completed", ["Order Completed"]),
        ("auto", {"Signed Up": "signup"}, "completed_order", ["completed_order"]),
        ("drop", {"Signed Up": "signup"}, "Order Completed", ["Order Completed"]),
        ("auto", {"order completed": "purchase"}, "Order Completed", ["purchase"]),
        ("auto", {"order completed": "purchase"}, "Completed Order", ["Completed Order"]),
        ("auto", {"Order Completed": ["a", "b"]}, "orderCompleted", ["a", "b"]),
    ],
)
def test_the_types_of_a_track(
    unmapped: str, events: Message, name: str, types: str | list[str]
) -> None:
    """The targets in [events], else its own name while [events] is empty or "send" says so."""
    rules = make_rules(events=events, mapping={"unmapped_events": unmapped})
    assert types_of(cloud_message("track", event=name), rules) == types


@pytest.mark.parametrize(
    ("repeat", "hybrid", "types"),
    [
        (True, False, ["sale.repeat"]),
        (True, True, ["sale.repeat", "sale"]),
        (False, False, ["sale.new"]),
        (False, True, ["sale.new", "sale"]),
        (None, True, ["sale"]),
        ("true", False, ["sale"]),
    ],
)
def test_cloud_orders_as_sales(repeat: Any, hybrid: bool, types: list[str]) -> None:
    """cloud_orders = "sale" sends orders as on the web, whatever [events] says."""
    rules = make_rules(
        events={"Order Completed": "purchase"},
        mapping={"cloud_orders": "sale"},
        convertro={"hybrid_attribution_model": hybrid},
    )
    message = cloud_message("track", event="Order Completed", properties={"repeat": repeat})
    assert types_of(message, rules) == types


def test_the_hybrid_model_leaves_orders_by_name_alone() -> None:
    """It speaks of sales only."""
    rules = make_rules(convertro={"hybrid_attribution_model": True})
    message = cloud_message("track", event="Order Completed", properties={"repeat": True})
    assert types_of(message, rules) == ["Order Completed"]


@pytest.mark.parametrize(
    ("name", "properties", "value", "warned"),
    [
        ("Order Completed", {"total": 50.99, "revenue": 40}, 50.99, 0),
        ("Order Completed", {"revenue": 40}, 40, 0),
        ("Order Completed", {}, 1, 0),
        ("Order Completed", {"total": 0, "revenue": 9}, 0, 0),
        ("Order Completed", {"total": "free", "revenue": 9}, 9, 1),
        ("Upgraded", {"total": 50}, 1, 0),
        ("Upgraded", {"total": "free"}, 1, 0),
        ("Upgraded", {"total": 50, "Revenue": "$19.90"}, 19.9, 0),
        ("Upgraded", {"revenue": 0}, 0, 0),
    ],
)
def test_the_value(name: str, properties: Message, value: float, warned: int) -> None:
    """total counts for orders only; a total that is not looked at is not warned of."""
    outcome = map_message(cloud_message("track", event=name, properties=properties), make_rules())
    assert isinstance(outcome, Mapped)
    assert (outcome.calls[0].event_value, len(outcome.warnings)) == (value, warned)


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("Order Completed", {"total": "n/a"}),
        ("Order Completed", {"total": "n/a", "revenue": "n/a"}),
        ("Upgraded", {"revenue": "n/a", "total": 5}),
    ],
)
def test_an_amount_that_cannot_be_read_is_held(name: str, properties: Message) -> None:
    """A mobile event is held back like a browser's, by the amounts that count for it."""
    message = cloud_message("track", event=name, properties=properties)
    assert outcome_of(message, make_rules()) == "invalid unreadable_amount"


def test_what_a_tracking_plan_says_is_not_sent() -> None:
    """A violation of a tracking plan is nothing that anybody did, unless [events] lists it."""
    for name in ("Violation Generated", "violation_generated"):
        message = cloud_message("track", event=name)
        for rules in (make_rules(), make_rules(mapping={"unmapped_events": "send"})):
            assert outcome_of(message, rules) == "skip unmapped_event"
        assert types_of(message, make_rules(events={"Violation Generated": "v"})) == ["v"]


@pytest.mark.parametrize(
    ("properties", "message_id", "event_id"),
    [
        ({"order_id": "o1"}, "m1", "o1"),
        ({"id": 5}, "m1", "5"),
        ({}, "m1", "m1"),
        ({}, 77, "77"),
        ({"order_id": ""}, "m1", "m1"),
        ({}, None, None),
    ],
)
def test_the_event_id(properties: Message, message_id: Any, event_id: str | None) -> None:
    """The order id, else the message's; a cloud order needs none."""
    for name in ("Order Completed", "Level Won"):
        message = cloud_message("track", event=name, properties=properties, messageId=message_id)
        call = only_call(message, make_rules())
        assert call["event_id"] == event_id


def test_who_where_and_when_goes_with_every_call() -> None:
    """Device, user, domain, address, agent and time."""
    messages = [
        cloud_message("identify"),
        cloud_message("track", event="Level Won"),
        cloud_message("track", event="Application Installed"),
    ]
    for message in messages:
        outcome = map_message(message, make_rules())
        assert isinstance(outcome, Mapped)
        call = outcome.calls[0]
        assert (call.device_id, call.user_id, call.timestamp) == ("D-1", "u1", SECONDS)
        assert call.page == "https://shop.example.com"
        assert (call.ip, call.user_agent) == (CLOUD_CONTEXT["ip"], CLOUD_CONTEXT["userAgent"])
        assert (call.visitor_id, call.referrer) == (None, None)
