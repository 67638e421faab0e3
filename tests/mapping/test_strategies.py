"""The random messages of these tests reach what they are to prove something of."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from convertro_cli.mapping.calls import InvalidReason, Mapped, MappingWarning, SkipReason
from convertro_cli.mapping.message import map_message
from tests.mapping.gated import GATED
from tests.mapping.strategies import MESSAGES, SPOILERS, WHOLE, Message, spoil


def sample_of(strategy: st.SearchStrategy[Message], number: int) -> list[Message]:
    """Draw so many messages, the same ones each time."""
    drawn: list[Message] = []

    @seed(8)
    @settings(
        max_examples=number,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(message: Message) -> None:
        drawn.append(message)

    draw()
    return drawn


def test_a_whole_message_yields_calls() -> None:
    """There is nothing wrong with it, and no gate stops it."""
    outcomes = [map_message(message, GATED) for message in sample_of(WHOLE, 300)]
    assert {type(outcome) for outcome in outcomes} == {Mapped}


def test_most_messages_yield_calls() -> None:
    """Half of them and more, each kind of call among them."""
    outcomes = [map_message(message, GATED) for message in sample_of(MESSAGES, 400)]
    mapped = [outcome for outcome in outcomes if isinstance(outcome, Mapped)]
    assert len(mapped) >= len(outcomes) / 2
    kinds = {(call.mode, call.kind) for outcome in mapped for call in outcome.calls}
    assert kinds == {
        ("web", "event"),
        ("web", "user"),
        ("cloud", "event"),
        ("cloud", "user"),
        ("cloud", "install"),
    }


def test_spoilt_messages_meet_every_reason() -> None:
    """Each gate stops one of them, and each fault and warning of the mapping is met."""
    spoilt = [
        spoil(message, path, value) for message in sample_of(WHOLE, 60) for path, value in SPOILERS
    ]
    outcomes: list[Any] = [map_message(message, GATED) for message in spoilt]
    met = {getattr(outcome, "reason", None) for outcome in outcomes}
    assert set(SkipReason) - met == NOT_OF_ONE_MESSAGE
    assert set(InvalidReason) - met == NOT_OF_A_MESSAGE
    warned = {warning for outcome in outcomes for warning in getattr(outcome, "warnings", ())}
    assert set(MappingWarning) - warned == NOT_DRAWN


NOT_OF_ONE_MESSAGE = {SkipReason.REPEATED_ORDER, SkipReason.CLOUD_SETTINGS_MISSING}
"""The reasons that lie in other messages, or in the settings alone."""

NOT_OF_A_MESSAGE = {
    InvalidReason.INVALID_JSON,
    InvalidReason.NOT_AN_OBJECT,
    InvalidReason.LINE_TOO_LONG,
}
"""The faults of lines that hold no message."""

NOT_DRAWN = {
    MappingWarning.SHARED_MESSAGE_ID,
    MappingWarning.TRAIT_TOO_DEEP,
    MappingWarning.TRAIT_TOO_LARGE,
}
"""The warnings that take several messages, or a depth that no random JSON has."""
