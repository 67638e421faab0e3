"""Fields of a message by their paths: to find, to take away, to set. Nothing is changed in place.

What changes is copied along its path alone; everything beside it is shared with the message
as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Message = Mapping[str, Any]
Change = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Gives an object's changed copy, or the object itself where nothing changes."""

MISSING: Any = object()
"""What is found where there is no such field; null is a value."""

_DOT = re.compile(r"(?<!\\)\.")


def split_path(path: str) -> tuple[str, ...]:
    """Take a dotted path apart; ``\\.`` is a dot in a name. The path "" has no parts."""
    if not path:
        return ()
    return tuple(name.replace("\\.", ".") for name in _DOT.split(path))


def find(message: Message, names: Sequence[str]) -> Any:
    """Give the field at a path that leads through objects alone, or ``MISSING``."""
    found: Any = message
    for name in names:
        if not isinstance(found, dict) and found is not message:
            return MISSING
        found = found.get(name, MISSING)
    return found


def changed_at(message: Message, names: Sequence[str], change: Change) -> Message:
    """Change the object at a path, or each object of the list there; anything else stays."""
    if not names:
        return change(message)
    parents: list[Mapping[str, Any]] = []
    found: Any = message
    for name in names:
        if not isinstance(found, dict) and found is not message:
            return message
        parents.append(found)
        found = found.get(name)
    new: Any = _changed(found, change)
    return message if new is found else _with(parents, names, new)


def _changed(found: Any, change: Change) -> Any:
    if isinstance(found, dict):
        return change(found)
    if not isinstance(found, list):
        return found
    items = [change(item) if isinstance(item, dict) else item for item in found]
    same = all(new is old for new, old in zip(items, found, strict=True))
    return found if same else items


def without(names: Iterable[str]) -> Change:
    """Give the change that takes fields away."""
    gone = frozenset(names)
    return lambda fields: (
        fields
        if gone.isdisjoint(fields)
        else {name: value for name, value in fields.items() if name not in gone}
    )


def only(names: Iterable[str]) -> Change:
    """Give the change that takes all other fields away."""
    kept = frozenset(names)
    return lambda fields: (
        fields
        if kept.issuperset(fields)
        else {name: value for name, value in fields.items() if name in kept}
    )


def set_at(message: Message, names: Sequence[str], value: Any) -> Message:
    """Set a field; an object on its path that is not there, or is no object, is made."""
    parents: list[Mapping[str, Any]] = []
    found: Any = message
    for name in names:
        is_object = isinstance(found, dict) or found is message
        parent: Mapping[str, Any] = found if is_object else {}
        parents.append(parent)
        found = parent.get(name)
    return _with(parents, names, value)


def _with(parents: Sequence[Mapping[str, Any]], names: Sequence[str], value: Any) -> Message:
    """Copy the objects on the way to a field, with a value in it; all else is shared."""
    for parent, name in zip(reversed(parents), reversed(names), strict=True):
        value = {**parent, name: value}
    result: Message = value
    return result
