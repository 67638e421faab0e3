"""What is done with a message for which a condition holds: the actions, each as a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from convertro_cli.destination_filters.fields import (
    MISSING,
    Message,
    changed_at,
    find,
    only,
    split_path,
    without,
)
from convertro_cli.destination_filters.sampling import fraction_of
from convertro_cli.destination_filters.specs import (
    Action,
    AllowProperties,
    Drop,
    DropProperties,
    Sample,
    Transformation,
)
from convertro_cli.destination_filters.transform import compile_transformation

DropReason = Literal["dropped_by_filter", "sampled_out", "dropped_by_transformation"]


class Dropped(NamedTuple):
    """A message that goes no further: why, and the title of what stopped it."""

    reason: DropReason
    title: str


Act = Callable[[Message, str], Message | Dropped]
"""What is done with a message and its sample key, where the condition holds."""


def compile_actions(actions: Sequence[Action], title: str) -> Act:
    """Give what a filter's actions of one kind do, one after the other."""
    acts = [_action(action, title) for action in actions]
    if len(acts) == 1:
        return acts[0]

    def act(message: Message, sample_key: str) -> Message | Dropped:
        for each in acts:
            outcome = each(message, sample_key)
            if isinstance(outcome, Dropped):
                return outcome
            message = outcome
        return message

    return act


def _action(action: Action, title: str) -> Act:
    match action:
        case Drop():
            dropped = Dropped("dropped_by_filter", title)
            return lambda message, sample_key: dropped
        case Sample(percent, path):
            return _sample(percent, path, Dropped("sampled_out", title))
        case DropProperties(fields):
            changes = [(split_path(path), without(names)) for path, names in fields]
        case AllowProperties(fields):
            changes = [(split_path(path), only(names)) for path, names in fields]

    def change(message: Message, sample_key: str) -> Message:
        for path, with_fields in changes:
            message = changed_at(message, path, with_fields)
        return message

    return change


def sampled_fraction(names: tuple[str, ...] | None, message: Message, sample_key: str) -> float:
    """Give the fraction by which a sample is told; ``names`` is None where it names no field."""
    value = sample_key if names is None else find(message, names)
    return fraction_of(None if value is MISSING else value)


def _sample(percent: float, path: str | None, dropped: Dropped) -> Act:
    if percent <= 0:
        return lambda message, sample_key: dropped
    if percent >= 1:
        return lambda message, sample_key: message
    names = split_path(path) if path else None

    def sample(message: Message, sample_key: str) -> Message | Dropped:
        return message if sampled_fraction(names, message, sample_key) < percent else dropped

    return sample


def compile_change(transformation: Transformation) -> Act:
    """Give what a transformation does: it drops, or it changes. Raises FqlError."""
    if transformation.drop:
        dropped = Dropped("dropped_by_transformation", transformation.title)
        return lambda message, sample_key: dropped
    change = compile_transformation(transformation)
    return lambda message, sample_key: change(message)
