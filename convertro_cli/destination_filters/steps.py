"""What the filters did with one message, step by step: what an explanation shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from convertro_cli.destination_filters.fields import Message
from convertro_cli.fql.parts import ConditionPart


class FieldChange(NamedTuple):
    """A field that a step changed: its path, what became of it, and its value on each side."""

    path: str
    how: Literal["taken away", "added", "set"]
    before: Any
    after: Any


class Draw(NamedTuple):
    """How a sample was told: the fraction that the value at a path gives, and the limit.

    The message is kept if the fraction is less than ``percent``. ``path`` is None where the
    message's own key is the value.
    """

    path: str | None
    fraction: float
    percent: float


class FilterStep(Struct, frozen=True):
    """A filter's actions of one kind, or a transformation, as it met one message.

    ``does`` is the kind of action (``DROP``, …, ``transform``). ``passed_over`` says why it was
    not asked: it is switched off, or it is for another source than the message's ``projectId``;
    then nothing else is known. ``dropped`` tells that the message went no further; ``draws``
    has one for each sample that a value decides.
    """

    kind: Literal["filter", "transformation"]
    title: str
    condition: str
    does: str = ""
    passed_over: Literal["disabled", "other_source"] | None = None
    parts: tuple[ConditionPart, ...] = ()
    held: bool = False
    dropped: bool = False
    changes: tuple[FieldChange, ...] = ()
    draws: tuple[Draw, ...] = ()


def changes_between(before: Message, after: Message) -> Iterator[FieldChange]:
    """Tell the changes from a message to the one that a step made of it.

    What no step touched is the same object on both sides, so only changed paths are walked.
    """
    waiting: list[tuple[str, Any, Any]] = [("", before, after)]
    while waiting:
        path, old, new = waiting.pop()
        if old is new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _gone_and_new(path, old, new)
            both = [name for name in old if name in new]
            waiting.extend((_inner(path, name), old[name], new[name]) for name in reversed(both))
        elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            pairs = list(enumerate(zip(old, new, strict=True)))
            waiting.extend((f"{path}[{place}]", *pair) for place, pair in reversed(pairs))
        else:
            yield FieldChange(path, "set", old, new)


def _gone_and_new(
    path: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[FieldChange]:
    for name in old:
        if name not in new:
            yield FieldChange(_inner(path, name), "taken away", old[name], None)
    for name in new:
        if name not in old:
            yield FieldChange(_inner(path, name), "added", None, new[name])


def _inner(path: str, name: str) -> str:
    name = name.replace(".", "\\.")
    return f"{path}.{name}" if path else name
