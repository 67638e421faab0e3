"""Filters out of the settings that browsers load."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.destination_filters.browser import filters_from_browser_settings
from convertro_cli.destination_filters.specs import (
    AllowProperties,
    DestinationFilter,
    Drop,
    DropProperties,
    Sample,
)
from tests.mapping.strategies import JSON
from tests.soaking import examples

EVENT_IS_X = json.dumps(["=", "event", {"value": "X"}])


def rule(matcher: Any = None, *transformers: Any, **others: Any) -> dict[str, Any]:
    """A rule of one matcher."""
    return {
        "scope": "destinations",
        "target_type": "workspace::project::destination",
        "destinationName": "Convertro",
        "matchers": [matcher or {"type": "all"}],
        "transformers": [list(transformers) or [{"type": "drop"}]],
    } | others


def taken(*rules: Any) -> tuple[list[DestinationFilter], list[str]]:
    """What is made of rules."""
    return filters_from_browser_settings({"middlewareSettings": {"routingRules": list(rules)}})


def test_rules_for_convertro_and_for_all_destinations() -> None:
    """Others are passed over without a word."""
    filters, left_out = taken(
        rule({"type": "fql", "ir": EVENT_IS_X, "config": {"expr": "event='X'"}}),
        rule(destinationName="Google Tag Manager"),
        rule({"type": "fql", "ir": EVENT_IS_X}),
        rule(destinationName=None),
        {key: value for key, value in rule().items() if key != "destinationName"},
    )
    assert left_out == []
    assert filters == [
        DestinationFilter("Filter 1", "event='X'", (Drop(),)),
        DestinationFilter("Filter 2", 'event = "X"', (Drop(),)),
        DestinationFilter("Filter 3", "all", (Drop(),)),
    ]


def test_every_action_is_taken() -> None:
    """In the order of the list."""
    (found,), left_out = taken(
        rule(
            None,
            {"type": "drop_properties", "config": {"drop": {"properties": ["a"]}}},
            {"type": "allow_properties", "config": {"allow": {"": ["b"]}}},
            {"type": "sample_event", "config": {"sample": {"percent": 0.5, "path": "userId"}}},
            {"type": "sample_event", "config": {"sample": {"percent": 0.5, "path": ""}}},
        )
    )
    assert left_out == []
    assert found.actions == (
        DropProperties((("properties", ("a",)),)),
        AllowProperties((("", ("b",)),)),
        Sample(0.5, "userId"),
        Sample(0.5),
    )


def test_each_matcher_has_its_transformers() -> None:
    """They become filters of their own."""
    filters, left_out = taken(
        rule() | {"matchers": [{"type": "all"}] * 2, "transformers": [[{"type": "drop"}]] * 2}
    )
    assert [each.title for each in filters] == ["Filter 1", "Filter 2"]
    assert left_out == []


def test_a_mix_without_parentheses_is_taken_from_its_other_form() -> None:
    """There its order is written down."""
    ir = json.dumps(["or", ["and", "a", "b"], ["or", "c", "d"]])
    (found,), left_out = taken(
        rule({"type": "fql", "ir": ir, "config": {"expr": "a and b or c or d"}})
    )
    assert found.condition == "(a and b) or c or d"
    assert left_out == []


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (5, "middlewareSettings.routingRules[0] is no object"),
        ({"destinationName": "Convertro"}, "has no lists of matchers and transformers"),
        (rule(transformers=[]), "has not as many transformers as matchers"),
        (rule(transformers=[{}]), "its transformers are no list"),
        (rule(matchers=[5]), "its matcher is no object"),
        (rule({"type": "fql"}), "its condition cannot be read"),
        (rule({"type": "fql", "ir": "[", "config": {"expr": "a =="}}), "cannot be read (a ==)"),
        (rule({"type": "fql", "ir": '["like","a","b"]'}), "its condition cannot be read"),
        (rule({"type": "fql", "ir": '["=","a",{"value":"\\"\'"}]'}), "cannot be read"),
        (rule({"type": "fql", "ir": '["!",' * 900 + '"a"' + "]" * 900}), "cannot be read"),
        (rule(None, {"type": "map_properties"}), "what it does (map_properties) is no action"),
        (rule(None, {"type": "hash_properties"}), "what it does (hash_properties) is no action"),
        (rule(None, 5), "what it does (None) is no action"),
        (rule(None, {"type": "sample_event"}), "percent = null; allowed: a number"),
        (rule(None, {"type": "drop_properties"}), "fields = null; allowed: paths"),
    ],
)
def test_what_cannot_be_taken_is_told(bad: Any, told: str) -> None:
    """The other rules are taken all the same."""
    filters, (sentence,) = taken(bad, rule())
    assert told in sentence
    assert "middlewareSettings.routingRules[0]" in sentence
    assert [each.condition for each in filters] == ["all"]


@settings(max_examples=examples(40))
@given(JSON | st.dictionaries(st.just("middlewareSettings"), st.dictionaries(
    st.just("routingRules"), JSON | st.lists(st.dictionaries(
        st.sampled_from(["destinationName", "matchers", "transformers"]),
        JSON | st.lists(JSON | st.just({"type": "all"}), max_size=2))))))  # fmt: skip
def test_no_settings_raise(data: Any) -> None:
    """Whatever is there, it is taken or told."""
    filters, left_out = filters_from_browser_settings(data)
    assert all(isinstance(each, DestinationFilter) for each in filters)
    assert all(isinstance(sentence, str) for sentence in left_out)
