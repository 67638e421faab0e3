"""What users, messages and settings chose: suppression, consent, schema, delivery, Engage."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from convertro_cli.mapping.calls import Skipped
from convertro_cli.mapping.message import MADE_BY_REPLAY, map_message
from convertro_cli.mapping.rules import Rules, Selection
from convertro_cli.settings.compile import compile_rules
from tests.mapping.messages import (
    SECONDS,
    WEB_CONTEXT,
    Message,
    cloud_message,
    make_rules,
    only_call,
    outcome_of,
    settings_of,
    types_of,
    web_message,
)


def rules_of(suppressed: set[str] | None = None, **tables: Message) -> Rules:
    """Rules of an account with all cloud settings, with a suppression list if there is one."""
    account = {
        "account": "acme",
        "client_name": "acme-inc",
        "site_id": "7",
        "domain": "https://shop.example.com",
    }
    rules = compile_rules(settings_of({"convertro": account, **tables}))
    return replace(rules, suppressed=suppressed)


def order(**fields: Any) -> Message:
    """An order from a browser, worth 5."""
    properties = {"order_id": "o1", "total": 5}
    return web_message("track", **{"event": "Order Completed", "properties": properties, **fields})


@pytest.mark.parametrize(
    ("user_id", "is_held"),
    [
        ("u1", True),
        (12345, True),
        ("12345", True),
        (12345.0, True),
        ("u11", False),
        ("U1", False),
        (" u1", False),
        (None, False),
        ("", False),
    ],
)
def test_a_suppressed_user_is_not_sent(user_id: Any, is_held: bool) -> None:
    """User ids are compared whole, numbers as their digits; no other id is looked at."""
    message = order(anonymousId="u1") | {"userId": user_id}
    outcome = outcome_of(message, rules_of({"u1", "12345"}))
    assert (outcome == "skip suppressed_user") is is_held


def preferences(**given: Any) -> Message:
    """A context whose consent has these preferences."""
    return WEB_CONTEXT | {"consent": {"categoryPreferences": given}}


@pytest.mark.parametrize(
    ("context", "consent", "outcome"),
    [
        (preferences(Ads=True), {"categories": ["Ads"]}, ["sale"]),
        (preferences(Ads=True, Other=False), {"categories": ["Ads"]}, ["sale"]),
        (preferences(Ads=False), {"categories": ["Ads"]}, "skip no_consent"),
        (preferences(Ads="true"), {"categories": ["Ads"]}, "skip no_consent"),
        (preferences(Ads=1), {"categories": ["Ads"]}, "skip no_consent"),
        (preferences(ads=True), {"categories": ["Ads"]}, "skip no_consent"),
        (preferences(), {"categories": ["Ads"]}, "skip no_consent"),
        (preferences(), {"categories": ["Ads"], "empty": "send"}, "skip no_consent"),
        (preferences(Ads=True), {"categories": ["Ads", "Stats"]}, "skip no_consent"),
        (preferences(Ads=True, Stats=True), {"categories": ["Ads", "Stats"]}, ["sale"]),
        (preferences(Ads=False), {}, ["sale"]),
        ({"consent": {}}, {"categories": ["Ads"]}, "skip no_consent"),
        ({"consent": {}}, {"categories": ["Ads"], "empty": "send"}, ["sale"]),
        ({"consent": {"categoryPreferences": None}}, {"categories": ["Ads"]}, "skip no_consent"),
        ({}, {"categories": ["Ads"]}, ["sale"]),
        ({}, {"categories": ["Ads"], "without": "skip"}, "skip consent_missing"),
        ({"consent": None}, {"categories": ["Ads"], "without": "skip"}, "skip consent_missing"),
        ({"consent": {}}, {"categories": ["Ads"], "without": "skip"}, "skip no_consent"),
    ],
)
def test_what_is_sent_has_the_consent_that_is_asked_for(
    context: Message, consent: Message, outcome: str | list[str]
) -> None:
    """Each category must be true; what is empty or not there is as the settings say."""
    message = order(context=context, channel="client")
    assert types_of(message, rules_of(consent=consent)) == outcome


def test_consent_counts_whatever_integrations_say() -> None:
    """A message that names Convertro itself needs the consent all the same."""
    message = order(context=preferences(Ads=False), integrations={"Convertro": True})
    assert outcome_of(message, rules_of(consent={"categories": ["Ads"]})) == "skip no_consent"


@pytest.mark.parametrize(
    ("event", "integrations", "is_held"),
    [
        ("Test Event", {}, True),
        ("test event", {}, False),
        ("Test Event ", {}, False),
        ("Test Event", {"Convertro": True}, False),
        ("Test Event", {"Convertro": {"sid": "x"}}, False),
        ("Test Event", {"Convertro": {}}, False),
        ("Test Event", {"Convertro": None}, False),
        ("Test Event", {"All": True}, True),
    ],
)
def test_an_event_that_the_schema_switches_off(
    event: str, integrations: Message, is_held: bool
) -> None:
    """Names are compared exactly, and the message's own key for Convertro beats the schema."""
    rules = rules_of(events={"Test Event": "t"}, schema={"disabled_events": ["Test Event"]})
    message = web_message("track", event=event, integrations=integrations)
    assert (outcome_of(message, rules) == "skip disabled_by_schema") is is_held


def test_the_schema_is_about_tracks() -> None:
    """An identify is of no event, whatever its other keys say."""
    rules = rules_of(schema={"disabled_events": ["Test Event"]})
    assert isinstance(outcome_of(web_message("identify", event="Test Event"), rules), list)


BUNDLED = {"bundled": ["Segment.io", "Convertro"], "unbundled": []}
OTHERS = {"bundled": ["Segment.io"], "unbundled": ["Convertro"]}
FAILED = {"bundled": ["Convertro"], "failedInitializations": ["Convertro"]}
IN_BROWSER, IN_APP = (
    {"channel": "client"},
    {"channel": "client", "context": {"device": {"id": "D"}}},
)
BY_ENGAGE = {
    "type": "identify",
    "channel": "server",
    "context": {"personas": {"computation_key": "k"}},
}


@pytest.mark.parametrize(
    ("fields", "setting", "is_held"),
    [
        ({"_metadata": BUNDLED}, "skip", True),
        ({"_metadata": BUNDLED}, "send", False),
        ({"_metadata": BUNDLED}, "skip-unmarked", True),
        ({"_metadata": OTHERS}, "skip", False),
        ({"_metadata": OTHERS}, "skip-unmarked", False),
        ({"_metadata": FAILED}, "skip", False),
        ({"_metadata": FAILED}, "skip-unmarked", False),
        ({"_metadata": {"bundled": "Convertro"}}, "skip", False),
        ({"_metadata": {"bundled": ["convertro"]}}, "skip", False),
        ({"_metadata": None}, "skip", False),
        ({"_metadata": None}, "skip-unmarked", True),
        ({}, "skip", False),
        ({}, "skip-unmarked", True),
        ({"context": {}, **IN_BROWSER, "_metadata": BUNDLED}, "skip", True),
        ({**IN_APP, "_metadata": BUNDLED}, "skip", False),
        (IN_APP, "skip-unmarked", False),
        (BY_ENGAGE, "skip-unmarked", False),
    ],
)
@pytest.mark.parametrize("mode", ["auto", "web", "cloud"])
def test_what_the_browser_delivered_is_not_sent_again(
    fields: Message, setting: str, is_held: bool, mode: str
) -> None:
    """It is about where a message was made, whichever rules it follows."""
    rules = rules_of(mapping={"delivered_in_browser": setting, "mode": mode})
    outcome = outcome_of(order() | fields, rules)
    assert (outcome == "skip delivered_in_browser") is is_held


@pytest.mark.parametrize("key", ["computation_key", "computation_id", "computation_class"])
def test_a_track_by_engage_is_sent_only_if_it_is_listed(key: str) -> None:
    """It says what Engage computed of a user, and nothing that a user did."""
    fields = {"context": {"personas": {key: "x"}, "device": {"id": "D"}}, "channel": "server"}
    message = cloud_message("track", event="Audience Entered") | fields
    for mapping in ({}, {"unmapped_events": "send"}, {"mode": "cloud"}):
        assert outcome_of(message, rules_of(mapping=mapping)) == "skip engage_track"
    rules = rules_of(events={"audience_entered": "entered"})
    assert types_of(message, rules) == ["entered"]


def test_integrations_can_be_ignored() -> None:
    """As in Segment's own Replay, which puts a choice of its own in the place of the message's."""
    message = order(integrations={"All": False, "Convertro": False})
    assert outcome_of(message, rules_of()) == "skip disabled_by_integrations"
    assert types_of(message, rules_of(mapping={"integrations": "ignore"})) == ["sale"]


@pytest.mark.parametrize(
    ("integrations", "title"),
    [
        ({"All": False, "Amazon S3": True}, MADE_BY_REPLAY),
        ({"all": False, "AWS S3": {"bucket": "b"}}, MADE_BY_REPLAY),
        ({"All": False, "Google Cloud Storage": True}, MADE_BY_REPLAY),
        ({"All": False, "Azure Blob Storage": True}, MADE_BY_REPLAY),
        ({"All": False, "Amazon S3": False}, ""),
        ({"All": False, "Mixpanel": True}, ""),
        ({"Convertro": False, "Amazon S3": True}, ""),
        ({"All": False}, ""),
    ],
)
def test_messages_of_a_bucket_that_a_replay_filled_are_told_apart(
    integrations: Message, title: str
) -> None:
    """All destinations are off there but a storage."""
    outcome = map_message(order(integrations=integrations), make_rules())
    assert isinstance(outcome, Skipped)
    assert (outcome.reason, outcome.title) == ("disabled_by_integrations", title)


OFF: Message = {"integrations": {"Convertro": False}}


@pytest.mark.parametrize(
    ("message", "worth"),
    [
        (order(**OFF), 5),
        (order(**OFF, properties={"total": "free", "revenue": "$7.50"}), 7.5),
        (order(**OFF, properties={"total": "free"}), 0),
        (order(**OFF, properties={}), 0),
        (web_message("track", event="Signed Up", **OFF, properties={"total": 3}), 3),
        (web_message("track", event="Other", **OFF, properties={"total": 3}), 0),
        (web_message("track", **OFF, properties={"total": 3}), 0),
        (web_message("track", event="Application Installed", **OFF, properties={"total": 3}), 3),
        (web_message("identify", **OFF), 0),
        (cloud_message("track", event="Order Completed", **OFF, properties={"total": 3}), 3),
        (cloud_message("track", event="Signed Up", **OFF, properties={"total": 3}), 0),
        (cloud_message("track", event="Signed Up", **OFF, properties={"revenue": 3}), 3),
        (
            cloud_message("track", event="Application Installed", **OFF, properties={"revenue": 3}),
            0,
        ),
    ],
)
def test_what_a_kept_back_message_would_have_been_worth(message: Message, worth: float) -> None:
    """The amount that would have been sent, if there is one, of a message that would have been."""
    events = {"Signed Up": "signup", "Application Installed": "install"}
    outcome = map_message(message, make_rules(events=events))
    assert isinstance(outcome, Skipped)
    assert outcome.worth == worth


REFUSED = preferences(Ads=False)
EVERYTHING_AT_ONCE = order(
    context=REFUSED,
    userId="u1",
    event="Test Event",
    integrations={"All": False},
    _metadata=BUNDLED,
)


def test_the_gates_stand_in_their_order() -> None:
    """A message that every gate would stop is stopped by the first; mended there, by the next."""
    dropped = {"title": "f", "if": 'event = "Another"', "actions": [{"type": "DROP"}]}
    changed = {"title": "t", "if": 'event = "Another" or event = "Gone"', "drop": True}
    tables: Message = {
        "consent": {"categories": ["Ads"]},
        "schema": {"disabled_events": ["Test Event"]},
        "filters": [dropped],
        "transformations": [changed],
    }
    rules = replace(rules_of({"u1"}, **tables), selection=Selection(until=SECONDS))
    message, met = EVERYTHING_AT_ONCE | {"type": "page"}, []
    mended: list[Message] = [
        {"type": "track"},
        {"userId": "u2"},
        {"context": preferences(Ads=True)},
        {"integrations": {}},
        {"event": "Another"},
        {"_metadata": OTHERS},
        {"timestamp": "soon"},
        {"event": "Gone"},
        {"event": "Order Completed", "properties": {"total": "N/A"}},
        {"properties": {"order_id": "o1", "total": "N/A"}},
        {"properties": {"order_id": "o1", "total": 5}},
        {"timestamp": "2024-01-01"},
    ]
    for fields in [{}, *mended]:
        message = message | fields
        outcome = outcome_of(message, rules)
        met.append(outcome if isinstance(outcome, str) else "calls")
    assert met == [
        "skip unsupported_type",
        "skip suppressed_user",
        "skip no_consent",
        "skip disabled_by_integrations",
        "skip disabled_by_schema",
        "skip delivered_in_browser",
        "skip filtered_out",
        "skip dropped_by_filter",
        "skip dropped_by_transformation",
        "skip missing_order_id",
        "invalid unreadable_amount",
        "invalid invalid_timestamp",
        "calls",
    ]


@pytest.mark.parametrize(
    ("old", "outcome"),
    [
        ({"sessionId": "s1"}, "s1"),
        ({"sessionId": "s1", "anonymousId": "a1"}, "a1"),
        ({"sessionId": "s1", "type": "track", "integrations": {}}, "s1"),
        ({"options": {"providers": {"all": False}}}, "skip disabled_by_integrations"),
        (
            {"context": {"library": "analytics.js", "providers": {"Convertro": False}}},
            "skip disabled_by_integrations",
        ),
        (
            {"options": {"providers": {"all": False}}, "integrations": {"All": True}},
            None,
        ),
        (
            {
                "type": "track",
                "integrations": None,
                "context": {"library": "analytics.js", "providers": {"Convertro": False}},
            },
            "skip disabled_by_integrations",
        ),
    ],
)
def test_exports_from_before_2014(old: Message, outcome: str | None) -> None:
    """An action, a session and providers stand for a type, a visitor and integrations."""
    message = {
        "action": "Track",
        "event": "Completed Order",
        "properties": {"id": "o1", "total": 5},
        "timestamp": "2013-03-01T10:20:30Z",
        "context": {"library": "analytics.js"},
        **old,
    }
    rules = make_rules(mapping={"mode": "web"})
    if outcome is not None and outcome.startswith("skip"):
        assert outcome_of(message, rules) == outcome
        return
    assert only_call(message, rules)["event_type"] == "sale"
    found = map_message(message, rules)
    assert not isinstance(found, Skipped)
    assert getattr(found, "calls")[0].visitor_id == outcome  # noqa: B009


@pytest.mark.parametrize(
    ("times", "seconds", "warnings"),
    [
        ({"timestamp": "2024-03-01T10:20:30Z"}, 1709288430, []),
        (
            {"timestamp": "soon", "receivedAt": "2024-03-01T10:20:30Z"},
            1709288430,
            ["unreadable_time"],
        ),
        (
            {"timestamp": "soon", "receivedAt": "soon", "sentAt": "2024-03-01T10:20:30Z"},
            1709288430,
            ["unreadable_time"],  # once a message, however many fields were passed over
        ),
        (
            {"timestamp": "2024-03-01T10:20:30Z", "receivedAt": "2024-02-01T10:20:30Z"},
            1709288430,
            ["time_after_receipt"],
        ),
    ],
)
def test_a_time_that_is_odd_is_warned_of(times: Message, seconds: int, warnings: list[str]) -> None:
    """What is passed over is counted, and a time long after the receipt."""
    outcome = map_message(order(timestamp=None) | times, make_rules())
    assert getattr(outcome, "warnings") == warnings  # noqa: B009
    assert getattr(outcome, "calls")[0].timestamp == seconds  # noqa: B009


def test_a_time_after_the_run_began_is_not_used() -> None:
    """More than a day after the run began: the clock is that of whoever compiled the rules."""
    settings = settings_of({"convertro": {"account": "acme"}})
    began = 1709200000.0
    early, late = (
        compile_rules(settings, begun=began),
        compile_rules(settings, begun=began + 86_400),
    )
    message = order(timestamp=began + 86_401)
    assert outcome_of(message, early) == "invalid invalid_timestamp"
    assert types_of(message, late) == ["sale"]


def test_a_message_is_warned_of_once_for_its_amounts() -> None:
    """However many of its amounts cannot be read, it is one message."""
    properties = {"order_id": "o1", "total": "a lot", "revenue": "more"}
    rules = make_rules(mapping={"unreadable_amount": "send"})
    outcome = map_message(order(properties=properties), rules)
    assert getattr(outcome, "warnings") == ["unreadable_amount"]  # noqa: B009
