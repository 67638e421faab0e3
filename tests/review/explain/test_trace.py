"""Where each value was found, why this mode, and which setting decided."""

from __future__ import annotations

from typing import Any

import pytest

from convertro_cli.mapping.rules import Selection
from convertro_cli.review.explain.explanation import Explanation
from convertro_cli.review.explain.steps import Step
from tests.mapping.messages import cloud_message, settings_of, web_message
from tests.review.explain.messages import ACCOUNT, Message, explain_message


def explained(
    message: Message, selection: Selection | None = None, **tables: Message
) -> Explanation:
    """Explain a message for an account that has all cloud settings, unless told otherwise."""
    return explain_message(message, settings_of({"convertro": ACCOUNT, **tables}), selection)


def step(explanation: Explanation, topic: str) -> Step:
    """The one step about a topic."""
    (found,) = [each for each in explanation.steps if each.topic == topic]
    return found


def keys(found: Step) -> tuple[str, ...]:
    """The settings that decided."""
    return tuple(setting.key for setting in found.settings)


def order(properties: Message) -> Message:
    """An order from a browser."""
    return web_message("track", event="Order Completed", properties=properties)


@pytest.mark.parametrize(
    ("message", "mapping", "mode", "says"),
    [
        (web_message("track"), {"mode": "cloud"}, "cloud", "the settings say so"),
        (
            web_message("identify", context={"personas": {"computation_key": "k"}}),
            {},
            "web",
            "Engage made it",
        ),
        (web_message("track"), {}, "web", 'context.library.name is "analytics.js"'),
        (
            web_message("track", context={}, channel="client"),
            {},
            "web",
            'channel is "client", and there is no context.device.id',
        ),
        (
            web_message("track", context={"device": {"id": "D"}}, channel="client"),
            {},
            "cloud",
            'channel is "client", but there is a context.device.id',
        ),
        (cloud_message("track"), {}, "cloud", '"analytics-ios", which is not a browser\'s'),
        (
            web_message("track", context={}, channel="server"),
            {},
            "cloud",
            'channel is "server", which is not a browser\'s',
        ),
        (web_message("track", context=3), {}, "cloud", "neither its library nor its channel"),
    ],
)
def test_the_mode_is_explained(message: Message, mapping: Message, mode: str, says: str) -> None:
    """It is said by what a message counts as a browser's or not, and that the setting decides."""
    found = step(explained(message, mapping=mapping), "mode")
    assert found.value == mode
    assert says in found.says
    assert keys(found) == ("mapping.mode",)


@pytest.mark.parametrize(
    ("integrations", "says"),
    [
        (None, "Convertro is on: the message chooses no integrations"),
        ({"Convertro": True}, "Convertro is on: integrations.Convertro is true"),
        ({"Convertro": None}, "is null, and only false turns it off"),
        ({"Convertro": {"a": 1}, "All": False}, "is an object, and only false turns it off"),
        ({"aLL": False}, "Convertro is off: integrations.aLL is false, and Convertro is not named"),
        ({"Other": False}, "Convertro is on: integrations names neither Convertro nor All"),
    ],
)
def test_who_turned_convertro_off_or_on_is_said(integrations: Any, says: str) -> None:
    """It is said which key of *integrations* decides."""
    message = web_message("identify") | {"integrations": integrations}
    assert says in step(explained(message), "integrations").says


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"Order ID": "o1"}, 'from properties["Order ID"]'),
        (
            {"orderId": "o1", "order_id": "o2"},
            "from properties.orderId, the first of 2 spellings",
        ),
        ({"id": "", "order_id": "o1"}, "from properties.order_id; properties.id is empty"),
        ({"id": "o1", "order_id": "o2"}, "from properties.id"),
    ],
)
def test_the_order_id_is_said_with_its_place(properties: Message, says: str) -> None:
    """It is said under which spelling the order id was found, and what was passed over."""
    found = step(explained(order(properties)), "order id")
    assert (found.value, found.says, found.is_personal) == ("o1", says, True)


@pytest.mark.parametrize(
    ("properties", "value", "says"),
    [
        ({"total": 5, "revenue": 3}, "5", "from properties.total"),
        ({"Total": "$1,200.50"}, "1200.5", "from properties.Total"),
        (
            {"total": "free", "revenue": 3},
            "3",
            "from properties.revenue; properties.total is no amount that can be read "
            "(unreadable_amount)",
        ),
        ({}, "1", "by default: there is no properties.total and no properties.revenue"),
        ({"total": None, "revenue": ""}, "1", "by default: there is no properties.total"),
        (
            {"total": None, "revenue": {}},
            "",
            "properties.revenue is no amount that can be read (unreadable_amount), and such "
            "messages are held back",
        ),
        ({"total": "1.200"}, "1.2", "from properties.total; its dot could be one of thousands"),
    ],
)
def test_the_value_is_said_with_its_place(properties: Message, value: str, says: str) -> None:
    """It is said which property the value is from, or why it is the default."""
    found = step(explained(order({"order_id": "o1", **properties})), "value")
    assert found.value == value
    assert found.says.startswith(says)


def test_other_cloud_events_than_orders_do_not_look_at_the_total() -> None:
    """The total of a mobile event that is no order is not named as a place."""
    message = cloud_message("track", event="Signed Up", properties={"total": 5})
    says = step(explained(message), "value").says
    assert says == "by default: there is no properties.revenue"


@pytest.mark.parametrize(
    ("properties", "hybrid", "types", "says"),
    [
        ({"repeat": False}, False, "sale.new", "properties.repeat is false"),
        (
            {"repeat": True},
            True,
            "sale.repeat, sale",
            "properties.repeat is true; the hybrid model sends both",
        ),
        ({"repeat": "true"}, True, "sale", "properties.repeat is a string, no boolean"),
        ({"Repeat": None}, False, "sale", "properties.Repeat is null"),
        ({}, False, "sale", "there is no properties.repeat"),
    ],
)
def test_the_kind_of_sale_is_explained(
    properties: Message, hybrid: bool, types: str, says: str
) -> None:
    """It is said why an order is a new, a repeated or a plain sale, and which setting has a say."""
    message = order({"order_id": "o1", **properties})
    convertro = {**ACCOUNT, "hybrid_attribution_model": hybrid}
    found = step(explained(message, convertro=convertro), "event type")
    assert found.value == types
    assert found.says.startswith(says)
    assert keys(found) == ("convertro.hybrid_attribution_model",)


def test_the_keys_of_events_that_match_are_named() -> None:
    """All keys that are the same name are named, as they stand in the settings."""
    events = {"Signed Up": "signup", "signed-up": ["lead"], "Other": "other"}
    found = step(explained(web_message("track", event="signedUp"), events=events), "event type")
    assert found.value == "signup, lead"
    assert '"Signed Up" and "signed-up", the same name in another spelling' in found.says
    assert keys(found) == ("events.Signed Up", "events.signed-up")


@pytest.mark.parametrize(
    ("message", "tables", "says", "settings"),
    [
        (
            web_message("track", event="Nope"),
            {"mapping": {"unmapped_events": "send"}},
            "[events] does not have it",
            ("mapping.unmapped_events",),
        ),
        (
            cloud_message("track", event="Nope"),
            {},
            "[events] is empty",
            ("mapping.unmapped_events",),
        ),
        (
            cloud_message("track", event="Order Completed"),
            {"events": {"a": "b"}},
            "orders go out even if",
            ("mapping.cloud_orders",),
        ),
    ],
)
def test_an_event_under_its_own_name_is_explained(
    message: Message, tables: dict[str, Message], says: str, settings: tuple[str, ...]
) -> None:
    """It is said why an event that is not listed goes out all the same."""
    settings_in_full = settings_of({"convertro": ACCOUNT, **tables})
    found = step(explain_message(message, settings_in_full), "event type")
    assert found.value == f'"{message["event"]}"'
    assert says in found.says
    assert keys(found) == settings


def test_a_name_that_is_nearly_listed_is_told() -> None:
    """For an event that is not listed, the closest name of the settings is told."""
    message = web_message("track", event="Sigend Up")
    found = step(explained(message, events={"Signed Up": "signup"}), "event type")
    assert found.reason == "unmapped_event"
    assert 'the closest name in it is "Signed Up"' in found.says


def test_the_visitor_is_said_with_the_paths_passed_over() -> None:
    """It is said which path led to the visitor id, and which before it did not."""
    found = step(explained(web_message("identify")), "visitor id")
    assert found.value == "anon-1"
    assert found.says == "from anonymousId; there is no integrations.Convertro.sid"
    assert keys(found) == ("mapping.visitor_id",)


def test_an_email_is_said_to_be_hashed() -> None:
    """A user id that looks like an e-mail is shown itself, and that it goes out hashed."""
    explanation = explained(web_message("identify", userId="joe@example.com"))
    found = step(explanation, "user id")
    assert found.value == "joe@example.com"
    assert found.says == "from userId; an e-mail address, so it is sent hashed"
    (call,) = explanation.calls
    (sent,) = [each for each in call.parameters if each.name == "id"]
    assert sent.value.startswith("hashed-")
    assert sent.from_ == "userId, hashed"


def test_the_traits_left_out_are_named_with_the_reason() -> None:
    """Each trait that is not sent is named, and why."""
    traits = {"plan": "pro", "id": 7, "a b": 1, "sid": "x", "age": 3}
    message = web_message("identify", traits=traits)
    found = step(explained(message, mapping={"traits": ["plan", "sid", "a b"]}), "traits")
    assert found.value == "1 sent"
    assert found.says == (
        'plan; left out "id": the call has one of its own; "a b": trait_name_unsupported; '
        '"sid": trait_name_taken; "age": the settings do not want it'
    )


def test_many_traits_are_counted() -> None:
    """A user with hundreds of traits does not fill the screen."""
    message = web_message("identify", traits={f"t{number}": 1 for number in range(300)})
    found = step(explained(message), "traits")
    assert found.value == "300 sent"
    assert found.says.endswith("t7, and 292 more")


def test_the_time_is_said_with_its_place() -> None:
    """It is said which time counts, and which before it are not there."""
    message = web_message("identify", timestamp=None, receivedAt="2024-03-01T10:20:30Z")
    found = step(explained(message), "time")
    assert found.value == "2024-03-01 10:20:30 UTC"
    assert found.says == "from receivedAt; there is no timestamp or originalTimestamp"


def test_each_filter_against_the_message_is_named() -> None:
    """It is said which options left the message out."""
    selection = Selection(since=2e9, types=frozenset({"track"}), events=frozenset({"signed up"}))
    found = step(explained(web_message("track", event="Signed Up"), selection), "filters")
    assert found.says == "it is not among what --since asked for"


def test_missing_cloud_settings_are_named() -> None:
    """The keys that are missing are those to fill in."""
    message = cloud_message("track", event="Signed Up")
    found = step(explained(message, convertro={"account": "a", "site_id": "1"}), "settings")
    assert found.reason == "cloud_settings_missing"
    assert keys(found) == ("convertro.client_name", "convertro.domain")


def test_an_install_is_said_to_have_a_call_of_its_own() -> None:
    """An app's install goes to its own endpoint, whatever the settings list."""
    message = cloud_message("track", event="Application Installed")
    assert step(explained(message), "call").value == "install"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "is empty"),
        (" ", "is blank"),
        (None, "is null"),
        (True, "is a boolean"),
        ([], "an array"),
    ],
)
def test_what_is_there_but_no_id_is_said_to_be_so(value: Any, says: str) -> None:
    """An id that is not one is told from an id that is not there."""
    message = web_message("identify") | {"userId": value}
    assert says in step(explained(message), "user id").says
    assert "is not there" in step(explained(web_message("identify", userId=None)), "user id").says


def test_no_step_says_personal_data_outside_its_value() -> None:
    """The sentences name places and settings only, so that a masked explanation is masked."""
    secret = "s3cr3t"
    message = web_message(
        "track",
        event="Order Completed",
        userId=secret,
        anonymousId=secret,
        messageId=secret,
        timestamp=secret,
        properties={"order_id": secret, "total": secret, "repeat": secret},
    )
    for each in explained(message).steps:
        assert secret not in each.says
        assert each.is_personal or secret not in each.value
