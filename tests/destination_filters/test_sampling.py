"""Samples: the same messages each time."""

from __future__ import annotations

import json
from hashlib import md5
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.destination_filters.actions import Dropped
from convertro_cli.destination_filters.filters import DestinationFilters
from convertro_cli.destination_filters.sampling import fraction_of
from convertro_cli.destination_filters.specs import DestinationFilter, Sample
from tests.fql.trees import EXTREMES


def fraction(text: str) -> float:
    """The fraction that a text gives which is JSON already."""
    digest = md5(text.encode(), usedforsecurity=False).digest()
    return (int.from_bytes(digest[:8], "big") | 1) / 2**64


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("u1", '"u1"'),
        ("é", '"é"'),
        ('a"b\\', '"a\\"b\\\\"'),
        ("\x7f", '"\x7f"'),
        (12, "12"),
        (12.0, "12"),
        (12.5, "12.5"),
        ([12.0, -0.0], "[12,0]"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (1.5e-5, "0.000015"),
        (float("inf"), "null"),
        (2**64 - 1, str(2**64 - 1)),
        (2**70, "1.1805916207174113e+21"),
        (float(2**70), "1.1805916207174113e+21"),
        (10**400, "null"),
        (True, "true"),
        (None, "null"),
        ([1, "a"], '[1,"a"]'),
        ({"b": 1, "a": [None, {}]}, '{"b":1,"a":[null,{}]}'),
        ({"x": 2**63, "y": ["a", 1]}, '{"x":' + str(2**63) + ',"y":["a",1]}'),
        ([2**60, [], {}], f"[{2**60},[],{{}}]"),
        ("\ud83d", '"?"'),
    ],
)
def test_the_fraction_is_of_the_compact_json(value: Any, text: str) -> None:
    """With the keys in their own order, and whole numbers without a fraction."""
    assert fraction_of(value) == fraction(text)


def test_the_last_bit_of_the_fraction_is_set() -> None:
    """It shows only where the first ones are not: the digest of this begins with 12 zeros."""
    assert fraction_of("m7641") * 2**64 == 2983385323497399


def test_any_value_has_a_fraction() -> None:
    """Of any depth and size, and always the same."""
    for value in EXTREMES:
        assert 0 < fraction_of(value) <= 1
        assert fraction_of(value) == fraction_of(value)


PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


PLAIN_JSON = st.recursive(
    st.none() | st.integers(-(2**63), 2**64 - 1) | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3),
    max_leaves=6,
)


@given(PLAIN_JSON)
def test_the_fraction_agrees_with_another_writer(value: Any) -> None:
    """Python's own JSON, where it writes as JavaScript does."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert fraction_of(value) == fraction(text)


def kept(percent: float, path: str | None, message: dict[str, Any], key: str) -> bool:
    """Whether a sample keeps a message."""
    filters = DestinationFilters([DestinationFilter("s", "all", (Sample(percent, path),))])
    return not isinstance(filters.apply(message, key), Dropped)


@pytest.mark.parametrize("percent", [-1, 0, 0.0, 1, 1.0, 5])
def test_none_and_all_need_no_value(percent: float) -> None:
    """0 or less keeps none, 1 or more keeps all."""
    assert kept(percent, "userId", {"userId": "u"}, "k") is (percent >= 1)
    assert kept(percent, None, {}, "k") is (percent >= 1)


def test_without_a_path_the_key_decides() -> None:
    """The same messages are kept each time, about as many as asked for."""
    keys = [f"m{number}" for number in range(2000)]
    first = [kept(0.25, None, {"userId": "u1"}, key) for key in keys]
    assert first == [kept(0.25, None, {"userId": "u2"}, key) for key in keys]
    assert 400 < sum(first) < 600
    assert first == [fraction(json.dumps(key)) < 0.25 for key in keys]


@pytest.mark.parametrize(
    ("sample", "enabled", "needs"),
    [
        (Sample(0.5), True, True),
        (Sample(0.5, ""), True, True),
        (Sample(0.5, "userId"), True, False),
        (Sample(0), True, False),
        (Sample(1), True, False),
        (Sample(0.5), False, False),
    ],
)
def test_only_a_sample_without_a_path_needs_a_key(
    sample: Sample, *, enabled: bool, needs: bool
) -> None:
    """No other pays for a message's digest."""
    filters = [DestinationFilter("s", "all", (sample,), enabled=enabled)]
    assert DestinationFilters(filters).needs_sample_key is needs


def test_with_a_path_its_value_decides() -> None:
    """All messages of a user, or none; a missing value counts as null."""
    assert kept(0.5, "userId", {"userId": "u"}, "a") == kept(0.5, "userId", {"userId": "u"}, "b")
    assert kept(0.9, "a.b", {}, "x") is (fraction("null") < 0.9)
    low = fraction('"u"')
    assert kept(low, "a.b", {"a": {"b": "u"}}, "x") is False
    assert kept(low + 1e-12, "a.b", {"a": {"b": "u"}}, "x") is True
