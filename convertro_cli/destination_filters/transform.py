"""What a transformation makes of a message that its condition holds for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from convertro_cli.destination_filters.fields import (
    MISSING,
    Change,
    Message,
    changed_at,
    find,
    set_at,
    split_path,
    without,
)
from convertro_cli.destination_filters.specs import Transformation
from convertro_cli.fql.closures import compile_value
from convertro_cli.fql.parser import parse_operand

MOST_PARTS = 4
"""How deep a path of a transformation leads at most."""

_Names = tuple[str, ...]
_BARE = ("properties", "traits")
"""Where a name without a path is looked for when it is to stay."""


def compile_transformation(transformation: Transformation) -> Callable[[Message], Message]:
    """Compile all that a transformation changes; ``drop`` is not for here.

    Every part reads the message as it was before. Raises FqlError where the FQL of a property
    cannot be read.
    """
    allowed = [(name, _keeping(names)) for name, names in _allowed(transformation.allow).items()]
    moves = [(split_path(old), split_path(new)) for old, new in transformation.renames]
    values = [(split_path(path), value) for paths, value in transformation.values for path in paths]
    made = [
        (split_path(path), compile_value(parse_operand(fql)))
        for path, fql in transformation.fql_properties
    ]
    event = transformation.new_event_name

    def apply(before: Message) -> Message:
        message = before
        for root, keep in allowed:
            message = changed_at(message, (root,), keep)
        message = _move(message, before, moves)
        for path, value in values:
            message = _set(message, before, path, value)
        for path, evaluate in made:
            message = _set(message, before, path, _json(evaluate(before)))
        if event is not None and _is_track(before) and before.get("event") != event:
            message = set_at(message, ("event",), event)
        return message

    return apply


def _move(message: Message, before: Message, moves: list[tuple[_Names, _Names]]) -> Message:
    """Move fields: first all are taken from where they were, then each is put where it belongs."""
    found = [(old, new, find(before, old)) for old, new in moves if _has_parent(before, new)]
    there = [move for move in found if move[2] is not MISSING]
    for old, _, _ in there:
        message = changed_at(message, old[:-1], without(old[-1:]))
    for _, new, value in there:
        message = set_at(message, new, value)
    return message


def _set(message: Message, before: Message, path: _Names, value: Any) -> Message:
    return set_at(message, path, value) if _has_parent(before, path) else message


def _has_parent(message: Message, path: _Names) -> bool:
    """Whether there is an object to put a field into; Segment's library makes none for it."""
    return isinstance(find(message, path[:-1]), Mapping)


def _json(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _is_track(message: Message) -> bool:
    kind = message.get("type")
    return isinstance(kind, str) and kind.lower() == "track"


_Tree = dict[str, Any]
"""Names to keep, each with those to keep in it; an empty one keeps all that is in it."""


def _allowed(paths: tuple[str, ...]) -> dict[str, _Tree]:
    roots: dict[str, _Tree] = {}
    for path in paths:
        names = split_path(path)
        starts = [names] if len(names) > 1 else [(root, *names) for root in _BARE]
        for root, *inner in starts:
            tree = roots.setdefault(root, {})
            for name in inner:
                tree = tree.setdefault(name, {})
    return roots


def _keeping(names: _Tree) -> Change:
    return lambda fields: _keep(fields, names)


def _keep(fields: Mapping[str, Any], names: _Tree) -> Mapping[str, Any]:
    kept = {}
    for name, value in fields.items():
        if name in names:
            inner = names[name]
            kept[name] = _keep(value, inner) if inner and isinstance(value, dict) else value
    same = len(kept) == len(fields) and all(kept[name] is fields[name] for name in kept)
    return fields if same else kept
