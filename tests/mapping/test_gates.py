"""The gates: type, integrations, filters, time, and whose rules apply."""

from __future__ import annotations

from typing import Any

import pytest

from convertro_cli.mapping.integrations import is_disabled
from convertro_cli.mapping.modes import decide_mode
from convertro_cli.mapping.rules import ModeSetting, Selection
from convertro_cli.mapping.selection import is_selected
from tests.mapping.messages import (
    SECONDS,
    Message,
    cloud_message,
    make_rules,
    only_call,
    outcome_of,
    web_message,
)


@pytest.mark.parametrize(
    ("integrations", "enabled"),
    [
        (None, True),
        ({}, True),
        ({"Convertro": True}, True),
        ({"Convertro": False}, False),
        ({"Convertro": {}}, True),
        ({"Convertro": {"sid": "X"}}, True),
        ({"Convertro": "false"}, True),
        ({"Convertro": ""}, True),
        ({"Convertro": 0}, True),
        ({"Convertro": None}, True),
        ({"convertro": False}, True),
        ({"All": False}, False),
        ({"all": False}, False),
        ({"ALL": False}, False),
        ({"All": True}, True),
        ({"All": "false"}, True),
        ({"All": 0}, True),
        ({"All": None, "all": False}, False),
        ({"All": False, "Convertro": True}, True),
        ({"All": False, "Convertro": {"sid": "X"}}, True),
        ({"All": True, "Convertro": False}, False),
        ({"All": False, "Mixpanel": True}, False),
        ({"Mixpanel": False}, True),
        (False, True),
        ([], True),
        ("none", True),
    ],
)
def test_what_integrations_leave_on(integrations: Any, enabled: bool) -> None:
    """Convertro's own key decides, then All, and else it is on."""
    assert is_disabled(integrations) is not enabled


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ({}, "invalid missing_type"),
        ({"type": None}, "invalid missing_type"),
        ({"type": 1}, "invalid missing_type"),
        ({"type": ["track"]}, "invalid missing_type"),
        ({"type": ""}, "invalid unknown_type"),
        ({"type": "RECORD"}, "invalid unknown_type"),
        ({"action": "page"}, "skip unsupported_type"),
        ({"action": 5}, "invalid missing_type"),
        ({"type": "group"}, "skip unsupported_type"),
        ({"type": "page"}, "skip unsupported_type"),
        ({"type": "SCREEN"}, "skip unsupported_type"),
        ({"type": "alias", "integrations": {"All": False}}, "skip unsupported_type"),
        ({"type": "track", "integrations": {"All": False}}, "skip disabled_by_integrations"),
        ({"type": "track", "event": "X"}, "skip missing_device_id"),
        ({"type": "track"}, "skip missing_event_name"),
        ({"type": "identify"}, "skip missing_user_id"),
    ],
)
def test_the_first_gate_that_holds_a_message_names_the_reason(
    message: Message, outcome: str
) -> None:
    """The gates stand in a fixed order, and what no call comes of needs no time."""
    assert outcome_of(message, make_rules()) == outcome


@pytest.mark.parametrize("message_type", ["track", "Track", "TRACK"])
def test_the_type_in_any_case(message_type: str) -> None:
    """Some sources write the type in capitals."""
    message = cloud_message("track", event="Level Won") | {"type": message_type}
    assert isinstance(outcome_of(message, make_rules()), list)


@pytest.mark.parametrize(
    ("times", "outcome"),
    [
        ({}, "invalid missing_timestamp"),
        ({"timestamp": ""}, "invalid missing_timestamp"),
        ({"timestamp": "soon"}, "invalid invalid_timestamp"),
        ({"timestamp": "soon", "receivedAt": "later"}, "invalid invalid_timestamp"),
        ({"timestamp": {}}, "invalid invalid_timestamp"),
        ({"timestamp": 0}, "invalid invalid_timestamp"),
    ],
)
def test_a_call_without_a_readable_time_is_invalid(times: Message, outcome: str) -> None:
    """There is no fallback to now."""
    message = cloud_message("track", event="Level Won", timestamp=None) | times
    assert outcome_of(message, make_rules()) == outcome


@pytest.mark.parametrize("key", ["timestamp", "originalTimestamp", "receivedAt", "sentAt"])
def test_the_time_in_whole_seconds(key: str) -> None:
    """A call has the time of its message, without the parts of a second."""
    message = cloud_message("track", event="X", timestamp=None) | {key: "2024-03-01T10:20:30.999Z"}
    call = only_call(message, make_rules())
    assert call["timestamp"] == SECONDS


WEB_LIBRARIES = ["analytics.js", "analytics.js-integrations", "@segment/analytics-next"]
OTHER_LIBRARIES = ["analytics-ios", "analytics-python", "Analytics.js", "my-analytics.js", "", None]


@pytest.mark.parametrize("library", WEB_LIBRARIES)
def test_the_library_tells_a_browser(library: str) -> None:
    """analytics.js by the beginning of its name, analytics-next anywhere in it."""
    message = {"context": {"library": {"name": library}, "device": {"id": "D"}}}
    assert decide_mode("auto", "track", message) == "web"


@pytest.mark.parametrize("library", OTHER_LIBRARIES)
def test_other_libraries_are_no_browser(library: str | None) -> None:
    """Mobile and server libraries follow the cloud rules."""
    message = {"context": {"library": {"name": library}}, "channel": "server"}
    assert decide_mode("auto", "track", message) == "cloud"


@pytest.mark.parametrize(
    ("channel", "device", "mode"),
    [
        ("client", None, "web"),
        ("browser", None, "web"),
        ("web", None, "web"),
        ("client", {"id": "D"}, "cloud"),
        ("client", {"id": ""}, "web"),
        ("client", {"type": "ios"}, "web"),
        ("server", None, "cloud"),
        ("mobile", None, "cloud"),
        (None, None, "cloud"),
        (["web"], None, "cloud"),
    ],
)
def test_the_channel_tells_a_browser(channel: Any, device: Any, mode: str) -> None:
    """A client's message without a device id is from a browser."""
    assert decide_mode("auto", "track", {"channel": channel, "context": {"device": device}}) == mode


@pytest.mark.parametrize(
    ("message_type", "personas", "mode"),
    [
        ("identify", {"computation_key": "big_spender"}, "web"),
        ("identify", {"computation_key": ""}, "cloud"),
        ("identify", {"computation_class": "audience"}, "web"),
        ("identify", {"computation_id": "aud_1"}, "web"),
        ("identify", {"computation_name": "Big spenders"}, "cloud"),
        ("identify", "big_spender", "cloud"),
        ("track", {"computation_key": "big_spender"}, "cloud"),
    ],
)
def test_an_identify_by_engage_is_web(message_type: str, personas: Any, mode: str) -> None:
    """Convertro takes the user properties of Engage on the web's user call only."""
    message = {"context": {"personas": personas, "device": {"id": "D"}}, "channel": "server"}
    assert decide_mode("auto", message_type, message) == mode


@pytest.mark.parametrize("mode", ["web", "cloud"])
@pytest.mark.parametrize("message", [web_message("identify"), cloud_message("identify"), {}])
def test_a_forced_mode_rules_every_message(mode: ModeSetting, message: Message) -> None:
    """With mode = "web" or "cloud" nothing is told by the message."""
    assert decide_mode(mode, "identify", message) == mode


NAMED = cloud_message("track", event="Level Won")


@pytest.mark.parametrize(
    ("selection", "selected"),
    [
        (Selection(), True),
        (Selection(since=SECONDS), True),
        (Selection(since=SECONDS + 1), False),
        (Selection(until=SECONDS + 1), True),
        (Selection(until=SECONDS), False),
        (Selection(since=SECONDS - 1, until=SECONDS + 1), True),
        (Selection(types=frozenset({"track"})), True),
        (Selection(types=frozenset({"identify"})), False),
        (Selection(types=frozenset({"identify", "track"})), True),
        (Selection(events=frozenset({"level won"})), True),
        (Selection(events=frozenset({"signed up", "level won"})), True),
        (Selection(events=frozenset({"signed up"})), False),
        (Selection(since=SECONDS, events=frozenset({"signed up"})), False),
    ],
)
def test_filters_by_time_type_and_name(selection: Selection, selected: bool) -> None:
    """since counts, until does not; names are compared as Segment compares them."""
    outcome = outcome_of(NAMED | {"event": "level_won"}, make_rules(selection=selection))
    assert outcome != "skip filtered_out" if selected else outcome == "skip filtered_out"


def test_a_filter_by_name_selects_tracks_only() -> None:
    """An identify has no event name, whatever its other keys say."""
    rules = make_rules(selection=Selection(events=frozenset({"level won"})))
    message = cloud_message("identify", event="Level Won")
    assert outcome_of(message, rules) == "skip filtered_out"


def test_a_message_without_a_time_is_not_hidden_by_a_filter_by_time() -> None:
    """Whether it belongs to the time is not known; that it is invalid is."""
    rules = make_rules(selection=Selection(since=SECONDS, until=SECONDS + 1))
    message = cloud_message("track", event="Level Won", timestamp=None)
    assert outcome_of(message, rules) == "invalid missing_timestamp"


@pytest.mark.parametrize(
    ("received_at", "selected"),
    [
        ("2024-03-01T00:00:00Z", True),
        ("2024-02-29T23:59:59.999Z", False),
        ("2024-03-31T23:59:59Z", True),
        ("2024-04-01T00:00:00Z", False),
        (None, True),
        ("soon", True),
    ],
)
def test_the_time_of_receipt_selects_by_itself(received_at: Any, *, selected: bool) -> None:
    """It is the message's own ``receivedAt``, whenever it happened; what has none passes."""
    march = Selection(received_since=1_709_251_200, received_until=1_711_929_600)
    assert is_selected(march, {"receivedAt": received_at}, "track", 0) == selected


@pytest.mark.parametrize(
    ("selection", "is_any"),
    [
        (Selection(), False),
        (Selection(received_since=0.0), True),
        (Selection(received_until=0.0), True),
        (Selection(since=0.0), True),
        (Selection(types=frozenset({"track"})), True),
    ],
)
def test_a_selection_is_true_where_it_asks_for_anything(
    selection: Selection, *, is_any: bool
) -> None:
    """Its truth decides whether a message is looked at, and whether a file is done with."""
    assert bool(selection) == is_any
