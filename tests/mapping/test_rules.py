"""The compiled [events] table, and rules that cross processes."""

from __future__ import annotations

import pickle

from convertro_cli.mapping.rules import EventMap, Selection
from tests.mapping.messages import cloud_message, make_rules, outcome_of


def test_endless_different_names_do_not_fill_the_memory() -> None:
    """What is remembered of names is bounded in number and in length."""
    events = EventMap({"Signed Up": "signup"})
    for number in range(10_000):
        events.look_up(f"name {number}")
    events.look_up("x" * 100_000)
    assert len(events._known) <= 4096
    assert all(len(name) <= 256 for name in events._known)
    assert events.look_up("signed_up").targets == ("signup",)


def test_an_empty_table_is_told_from_one_without_a_match() -> None:
    """Whether [events] is empty decides what becomes of unmapped cloud events."""
    assert not EventMap({})
    assert EventMap({"Signed Up": "signup"})


def test_no_filter_is_no_filter() -> None:
    """A time of 0 is one."""
    assert not Selection()
    assert Selection(since=0)
    assert Selection(until=0)
    assert Selection(types=frozenset({"track"}))


def test_rules_cross_processes() -> None:
    """Rules that were pickled map as before."""
    rules = make_rules(events={"Signed Up": ["signup", "lead"]}, selection=Selection(since=1.0))
    copied = pickle.loads(pickle.dumps(rules))
    message = cloud_message("track", event="signed_up")
    assert outcome_of(message, copied) == outcome_of(message, rules)
    assert copied.wire == rules.wire
