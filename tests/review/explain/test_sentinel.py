"""A parameter is from where explain says: change what stands there, and the parameter changes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as profile

from convertro_cli.mapping.calls import Mapped
from convertro_cli.mapping.message import map_message
from convertro_cli.mapping.parameters import parameters
from convertro_cli.mapping.rules import Selection
from convertro_cli.review.explain.explanation import Parameter
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import check
from convertro_cli.settings.model import Settings
from tests.mapping.messages import cloud_message, settings_of, web_message
from tests.mapping.strategies import MESSAGES, spoil
from tests.mapping.test_conformance import line_of, read_cases
from tests.review.explain import messages as made
from tests.review.explain.messages import ACCOUNT, Message, explain_message

SENTINELS: list[Any] = ["sentinel", 987.25, "2023-05-06T07:08:09Z", True, "Trial Started"]
"""Values of every kind: for each place there is one that is as good as what stands there."""

SETTING = "the setting "
DEFAULT = "the default"
MADE_UP = "event type and visitor id, as Convertro's tag does"
COMPUTED = "receivedAt - (sentAt - originalTimestamp)"
PARTS_OF = {
    MADE_UP: ("anonymousId", "userId", "integrations.Convertro.sid", "sessionId"),
    COMPUTED: ("receivedAt",),
}
"""The places that a value is made of that is from several."""


def path_in(message: Message, source: str) -> tuple[str, ...]:
    """Take a place apart, as explain writes it: properties["Order ID"]."""
    head, _, quoted = source.removesuffix(", hashed").partition('["')
    keys = tuple(head.split("."))
    return (*keys, quoted.removesuffix('"]')) if quoted else keys


def changed(message: Message, source: str) -> list[Message]:
    """The message with each of the sentinels in the places that a source names."""
    places = PARTS_OF.get(source, (source,))
    return [
        spoil(message, path_in(message, place), value) for place in places for value in SENTINELS
    ]


def value_of(message: Message, settings: Settings, index: int, name: str) -> str | None:
    """The value of a parameter of one of the calls, None where there is none any more."""
    rules = compile_rules(settings)
    outcome = map_message(message, rules)
    if not isinstance(outcome, Mapped) or index >= len(outcome.calls):
        return None
    sent = parameters(outcome.calls[index], rules.wire)
    return next((value for key, value in sent if rules.wire.names.get(key, key) == name), None)


def assert_from_there(
    message: Message, settings: Settings, index: int, parameter: Parameter
) -> None:
    """Change the value where a parameter is said to be from: the parameter changes.

    A type can also come to nothing, as the second of two calls can.
    """
    if parameter.from_ == DEFAULT or "which the transformation" in parameter.from_:
        return  # nothing in the message says it
    if parameter.from_ == "[events]" or parameter.from_.startswith(SETTING):
        others = [(message, other) for other in _other_settings(settings, parameter.from_)]
    else:
        others = [(other, settings) for other in changed(message, parameter.from_)]
    values = {value_of(other, under, index, parameter.name) for other, under in others}
    if parameter.name not in {"typ", "event_type"} and not index:
        values.discard(None)
    assert values - {parameter.value}, (parameter, values)


def _other_settings(settings: Settings, source: str) -> list[Settings]:
    tables = settings.model_dump(exclude_unset=True)
    if source == "[events]":
        tables["events"] = dict.fromkeys(tables["events"], "sentinel")
    else:
        table, _, name = source.removeprefix(SETTING).partition(".")
        tables[table][name] = "sentinel"
    other, faults = check(tables, folder=made.loaded_from(settings).file.parent)
    assert other is not None
    assert not faults
    return [other]


def assert_all_from_there(message: Message, settings: Settings) -> int:
    """Look at each parameter of each call of a message; give their number."""
    explained = explain_message(message, settings)
    number = 0
    for index, call in enumerate(explained.calls):
        for parameter in call.parameters:
            assert parameter.from_
            assert_from_there(message, settings, index, parameter)
            number += 1
    return number


RULE_CASES = [case for case in read_cases("rules.ndjson") if case["calls"] and "line" not in case]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in RULE_CASES])
def test_each_parameter_of_each_case_is_from_where_explain_says(case: Message) -> None:
    """For each case of the rules that yields calls."""
    message: Message = orjson.loads(line_of(case))
    assert assert_all_from_there(message, settings_of(case["settings"]))


FULL = [
    web_message(
        "track",
        event="Order Completed",
        properties={"Order ID": "o1", "id": "", "Total": "x", "revenue": 5, "repeat": True},
        integrations={"Convertro": {"sid": "S1"}},
    ),
    web_message("track", event="signed_up", properties={"total": 5}),
    web_message("identify", userId="joe@example.com", traits={"plan": "pro"}),
    cloud_message("track", event="Order Completed", properties={"total": 5}),
    cloud_message("identify"),
    cloud_message("track", event="Application Installed"),
    web_message("identify", timestamp=None)
    | {
        "originalTimestamp": "2024-03-01T09:00:00Z",
        "sentAt": "2024-03-01T09:00:30Z",
        "receivedAt": "2024-03-01T10:00:30Z",
    },
]


@pytest.mark.parametrize("message", FULL)
def test_each_parameter_of_a_full_message_is_from_where_explain_says(message: Message) -> None:
    """Messages with all that a call can carry."""
    events = {"Signed Up": ["signup", "lead"]}
    settings = settings_of({"convertro": ACCOUNT, "events": events})
    assert assert_all_from_there(message, settings) >= 5


@given(MESSAGES)
@profile(max_examples=25, deadline=None)
def test_each_parameter_of_any_message_is_from_where_explain_says(message: Message) -> None:
    """Whatever the message."""
    settings = settings_of({"convertro": ACCOUNT, "events": {"Signed Up": ["signup", "lead"]}})
    assert_all_from_there(message, settings)


def test_a_selection_is_no_part_of_it() -> None:
    """What a command asks for does not change where a value is from."""
    settings = settings_of({"convertro": ACCOUNT})
    with_one = explain_message(FULL[0], settings, Selection(types=frozenset({"track"})))
    assert with_one.calls == explain_message(FULL[0], settings).calls
