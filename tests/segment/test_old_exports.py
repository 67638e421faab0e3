"""Exports from before 2014 have some parts of a message under other names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.segment.old_exports import read_old_message

OFF = {"all": False}
OTHER = {"All": True}


@pytest.mark.parametrize(
    ("message", "added"),
    [
        ({"action": "Track"}, {"type": "Track"}),
        ({"action": "Track", "type": None}, {"type": "Track"}),
        ({"action": "Track", "type": "page"}, {}),
        ({"action": "Track", "type": 5}, {}),
        ({"action": 5}, {}),
        ({"action": None}, {}),
        ({"sessionId": "s"}, {"anonymousId": "s"}),
        ({"sessionId": 5, "anonymousId": None}, {"anonymousId": 5}),
        ({"sessionId": "s", "anonymousId": "a"}, {}),
        ({"sessionId": "s", "anonymousId": ""}, {}),
        ({"sessionId": None}, {}),
        ({"context": {"providers": OFF}}, {"integrations": OFF}),
        ({"options": {"providers": OFF}}, {"integrations": OFF}),
        ({"context": {"providers": OFF}, "options": {"providers": OTHER}}, {"integrations": OFF}),
        ({"context": {"providers": "x"}, "options": {"providers": OFF}}, {"integrations": OFF}),
        ({"context": [], "options": {"providers": OFF}}, {"integrations": OFF}),
        ({"context": {"providers": OFF}, "integrations": None}, {"integrations": OFF}),
        ({"context": {"providers": OFF}, "integrations": {}}, {}),
        ({"context": {"providers": OFF}, "integrations": OTHER}, {}),
        ({"providers": OFF}, {}),
        ({"context": {"providers": None}}, {}),
        (
            {"action": "track", "sessionId": "s", "options": {"providers": OFF}},
            {"type": "track", "anonymousId": "s", "integrations": OFF},
        ),
        ({}, {}),
    ],
)
def test_old_names_stand_for_todays(message: dict[str, Any], added: dict[str, Any]) -> None:
    """An old name counts where today's is absent or null, and only if its value can be meant."""
    before = dict(message)
    assert read_old_message(message) == {**message, **added}
    assert message == before


@given(
    st.dictionaries(
        st.sampled_from(["type", "anonymousId", "integrations", "event"]),
        st.sampled_from(["x", {}, 5]),
    )
)
def test_a_message_of_today_is_left_as_it_is(message: dict[str, Any]) -> None:
    """Where no old name is there the message itself is given, and no copy is made."""
    assert read_old_message(message) is message
