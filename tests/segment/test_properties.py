"""Properties are found under any spelling, and the first spelling counts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.segment import properties as module
from convertro_cli.segment.properties import Lookup, canonical, find_properties


@pytest.mark.parametrize(
    "key",
    [
        "orderId",
        "order_id",
        "Order ID",
        "ORDER-ID",
        "order.id",
        "orderid",
        "_order__id_",
        "order id!",
        "$order#id",
    ],
)
def test_every_spelling_of_a_property_is_one(key: str) -> None:
    """Everything but letters and digits is passed over, and case too."""
    assert canonical(key) == "orderid"


@pytest.mark.parametrize("key", ["order", "orderIds", "order1d", "órderId", "", "___"])
def test_other_keys_are_other_properties(key: str) -> None:
    """A letter more, less or with an accent makes another property."""
    assert canonical(key) != "orderid"


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({"order_id": 1, "orderId": 2}, {"orderid": "order_id"}),
        ({"orderId": 2, "order_id": 1}, {"orderid": "orderId"}),
        ({"x": 0, "Total": None, "total": 5}, {"total": "Total"}),
        ({"TOTAL": 1, "Order ID": 2, "total": 3}, {"total": "TOTAL", "orderid": "Order ID"}),
        ({"x": 1}, {}),
        ({}, {}),
    ],
)
def test_the_first_spelling_counts(properties: dict[str, Any], found: dict[str, str]) -> None:
    """Of several spellings the first in the object's own order counts, whatever its value."""
    assert find_properties(properties, frozenset({"total", "orderid"})) == found


@given(st.dictionaries(st.text(max_size=12), st.integers(), max_size=8), st.text(max_size=12))
def test_finding_agrees_with_a_search_key_by_key(properties: dict[str, int], name: str) -> None:
    """What is found is the first key, in order, that is alike."""
    wanted = "".join(character for character in name if character.isalnum()).lower()
    alike = [
        key
        for key in properties
        if "".join(character for character in key if character.isalnum()).lower() == wanted
    ]
    assert find_properties(properties, frozenset({wanted})) == ({wanted: alike[0]} if alike else {})


def test_endless_different_keys_do_not_fill_the_memory() -> None:
    """What is remembered of keys is bounded in number and in length."""
    for number in range(10_000):
        canonical(f"key {number}")
    canonical("x" * 100_000)
    assert len(module._canonical) <= 4096
    assert all(len(key) <= 256 for key in module._canonical)


NAMES = st.sampled_from(["total", "Total", "TO_TAL", "order_id", "orderId", "x", "y", "to-tal"])


@given(st.lists(st.dictionaries(NAMES, st.integers(), max_size=6), max_size=12))
def test_a_lookup_that_learns_shapes_finds_the_same(objects: list[dict[str, int]]) -> None:
    """Object after object, of shapes that are new or known, it gives what a search would."""
    lookup = Lookup("total", "orderid")
    for properties in objects:
        found = find_properties(properties, frozenset({"total", "orderid"}))
        expected = [
            properties[found[name]] if name in found else None for name in ("total", "orderid")
        ]
        assert lookup.values(properties) == expected


def test_a_lookup_does_not_fill_the_memory() -> None:
    """Endless shapes are bounded in number, and those with long keys are not kept at all."""
    lookup = Lookup("total")
    for number in range(5_000):
        assert lookup.values({f"key{number}": 1, "total": number}) == [number]
        assert lookup.values({"x" * 2_000 + str(number): 1, "Total": number}) == [number]
    assert len(lookup._known) <= 1024
