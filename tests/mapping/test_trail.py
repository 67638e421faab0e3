"""The mapping's trail: it changes nothing, and tells what was done."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.mapping.calls import Mapped
from convertro_cli.mapping.lines import map_line
from convertro_cli.mapping.message import map_message
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.trail import MISSING, Notes
from tests.mapping.gated import GATED, gated_rules
from tests.mapping.messages import make_rules, web_message
from tests.mapping.strategies import MESSAGES, OBJECTS, Message

ANY_RULES = st.sampled_from(
    [
        make_rules(),
        GATED,
        gated_rules(
            mapping={"mode": "web", "delivered_in_browser": "send", "integrations": "ignore"}
        ),
        gated_rules(mapping={"mode": "cloud", "cloud_orders": "sale", "traits": "none"}),
        gated_rules(mapping={"unmapped_events": "send", "unreadable_amount": "send"}),
    ]
)


@settings(max_examples=100)
@given(MESSAGES | OBJECTS, ANY_RULES)
def test_a_trail_changes_nothing(message: Message, rules: Rules) -> None:
    """The outcome is the same with a trail and without; what stopped a message is noted last."""
    trail = Notes()
    outcome = map_message(message, rules, trail)
    assert outcome == map_message(message, rules)
    stops = [note.reason for note in trail.notes if note.reason is not None]
    if isinstance(outcome, Mapped):
        assert stops == []
    else:
        assert stops == [outcome.reason]
        assert trail.notes[-1].reason == outcome.reason


@settings(max_examples=60)
@given(MESSAGES, ANY_RULES)
def test_what_is_noted_of_a_place_stands_there(message: Message, rules: Rules) -> None:
    """A note's evidence is what the message has at its path, and so is what was passed over."""
    trail = Notes()
    outcome = map_message(message, rules, trail)
    if not isinstance(outcome, Mapped):
        return
    for note in trail.notes:
        if note.topic in {"visitor id", "destination filters", "traits", "integrations"}:
            continue  # several paths, or evidence of another kind
        for path, value in note.passed_over:
            assert found(message, path) == value or value is MISSING
        if note.evidence is not MISSING:
            assert found(message, note.path) == note.evidence


def found(message: Any, path: tuple[str, ...]) -> Any:
    """What stands in a place of a message."""
    for key in path:
        message = message.get(key, MISSING) if isinstance(message, dict) else MISSING
    return message


def test_a_message_that_is_read_again_is_told_of_once() -> None:
    """An id beyond 64 bits is read again with all its digits; what was noted before is void."""
    message = web_message("identify", userId=0, messageId=0)
    line = orjson.dumps(message).replace(b":0,", b":1234567890123456789012,")
    trail = Notes()
    read, outcome, _ = map_line(line, 0, make_rules(), trail)
    assert read is not None
    assert read["messageId"] == 1234567890123456789012
    assert isinstance(outcome, Mapped)
    assert outcome.calls[0].user_id == "1234567890123456789012"
    assert [note.topic for note in trail.notes].count("type") == 1
