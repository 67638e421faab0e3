"""Destination filters as a gate: what they drop, what they change, what is not theirs."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from convertro_cli.mapping.calls import Skipped
from convertro_cli.mapping.filtering import sample_key
from convertro_cli.mapping.lines import map_line
from convertro_cli.mapping.message import map_message
from convertro_cli.mapping.rules import Rules
from convertro_cli.segment.json_text import read_json_exactly
from convertro_cli.settings.compile import compile_rules
from tests.mapping.gated import GATED_TABLES
from tests.mapping.messages import (
    SECONDS,
    Message,
    cloud_message,
    only_call,
    outcome_of,
    settings_of,
    types_of,
    web_message,
)


def rules_with(**filters: Any) -> Rules:
    """Rules with one filter or transformation for all messages."""
    table = filters.pop("table", "filters")
    account = GATED_TABLES["convertro"]
    spec = {"title": "The one", "if": "all", **filters}
    return compile_rules(settings_of({"convertro": account, table: [spec]}))


def dropping(**fields: list[str]) -> Rules:
    """Rules with a filter that takes fields away."""
    action = {
        "type": "DROP_PROPERTIES",
        "fields": {k.replace("top", ""): v for k, v in fields.items()},
    }
    return rules_with(actions=[action])


TRACK = cloud_message("track", event="Level Won")


def test_what_the_replay_goes_by_is_not_theirs_to_take() -> None:
    """Type, time and message id are read before the filters."""
    rules = dropping(top=["type", "timestamp", "messageId"])
    call = only_call(TRACK, rules)
    assert (call["event_id"], call["timestamp"]) == ("m1", SECONDS)


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        (["event"], "skip missing_event_name"),
        (["context"], "skip missing_device_id"),
        (["nothing"], ["Level Won"]),
    ],
)
def test_all_else_is(fields: list[str], outcome: str | list[str]) -> None:
    """The calls are made of what the filters leave."""
    assert types_of(TRACK, dropping(top=fields)) == outcome


def test_a_message_without_an_id_stays_without() -> None:
    """Nothing is made up that the message did not have."""
    message = cloud_message("track", event="Level Won", messageId=None)
    assert only_call(message, dropping(top=["userId"]))["event_id"] is None


def test_whose_rules_apply_is_decided_after_the_filters() -> None:
    """A library that was taken away tells nothing any more."""
    message = web_message("track", event="Order Completed", properties={"order_id": "o1"})
    assert outcome_of(message, dropping(context=["library"])) == "skip missing_device_id"


@pytest.mark.parametrize("written", [{"type": "TRACK"}, {"action": "Track", "type": None}])
def test_conditions_are_about_the_type_in_lower_case(written: Message) -> None:
    """Old libraries wrote it otherwise; Segment's own messages never do."""
    rules = rules_with(**{"if": 'type = "track"'}, actions=[{"type": "DROP"}])
    assert outcome_of(TRACK | written, rules) == "skip dropped_by_filter"
    unlike = rules_with(**{"if": 'type != "track"'}, actions=[{"type": "DROP"}])
    assert types_of(TRACK | written, unlike) == ["Level Won"]


def test_gates_before_the_filters_see_the_message_as_it_was() -> None:
    """What a filter would take away from integrations still turns Convertro off."""
    message = TRACK | {"integrations": {"Convertro": False}}
    assert outcome_of(message, dropping(top=["integrations"])) == "skip disabled_by_integrations"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"actions": [{"type": "DROP"}]}, "dropped_by_filter"),
        ({"actions": [{"type": "SAMPLE", "percent": 0}]}, "sampled_out"),
        ({"table": "transformations", "drop": True}, "dropped_by_transformation"),
    ],
)
def test_what_was_dropped_names_the_filter(spec: Message, reason: str) -> None:
    """With its title and with what the message would have been worth before the filters."""
    message = cloud_message("track", event="Level Won", properties={"revenue": 3})
    assert map_message(message, rules_with(**spec)) == Skipped(reason, "The one", 3)  # type: ignore[arg-type]


def test_a_sample_is_the_same_each_time() -> None:
    """The message id decides, and without one all that the message says, in any order."""
    assert sample_key({"messageId": 5, "a": 1}) == "5"
    alike = sample_key({"a": 1, "b": 2})
    assert sample_key({"b": 2, "a": 1}) == alike
    assert sample_key({"a": 1, "b": 3}) != alike
    rules = rules_with(actions=[{"type": "SAMPLE", "percent": 0.5}])
    ids = [f"m{number}" for number in range(200)]
    kept = [isinstance(outcome_of(TRACK | {"messageId": i}, rules), list) for i in ids]
    assert kept == [isinstance(outcome_of(TRACK | {"messageId": i}, rules), list) for i in ids]
    assert 60 < sum(kept) < 140


DIGITS = "1234567890123456789012"


@pytest.mark.parametrize(
    ("condition", "action", "is_held"),
    [
        (f"properties.x = {DIGITS}", {"type": "DROP"}, True),
        (f"properties.x != {DIGITS}", {"type": "DROP"}, False),
        (f"properties.x >= {DIGITS}", {"type": "DROP"}, True),
        (f"properties.x < {DIGITS}", {"type": "DROP"}, False),
        (f"properties.x in [1, {DIGITS}]", {"type": "DROP"}, True),
        ("properties.x = properties.y", {"type": "DROP"}, True),
        ("properties.x > properties.y", {"type": "DROP"}, False),
        ("all", {"type": "SAMPLE", "percent": 0.6, "path": "properties.x"}, None),
        ("all", {"type": "SAMPLE", "percent": 0.4, "path": "properties.x"}, None),
        ("all", {"type": "SAMPLE", "percent": 0.5}, None),
    ],
)
@pytest.mark.parametrize("place", ["x", "order_id"])
def test_a_filter_decides_alike_however_exactly_a_number_was_read(
    condition: str, action: Message, is_held: bool | None, place: str
) -> None:
    """Whether or not the message is read again, for all digits of its order id."""
    properties = {"x": "@", "y": "@", place: "@"}
    message = cloud_message("track", event="Level Won", properties=properties, messageId=None)
    line = orjson.dumps(message).replace(b'"@"', DIGITS.encode())
    rules = rules_with(**{"if": condition}, actions=[action])
    _, outcome, _ = map_line(line, 0, rules)
    assert outcome == map_message(read_json_exactly(line), rules)
    if is_held is not None:
        assert isinstance(outcome, Skipped) is is_held


def test_a_message_nested_too_deep_has_a_sample_key_all_the_same() -> None:
    """What JSON writers do not write."""
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    assert sample_key({"properties": deep}) == sample_key({"properties": deep})
