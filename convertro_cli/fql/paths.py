"""The fields that a condition asks for."""

from __future__ import annotations

from collections.abc import Iterator

from convertro_cli.fql.tree import (
    Comparison,
    Condition,
    Function,
    Junction,
    ListOf,
    Not,
    Operand,
    Path,
)


def paths_of(tree: Condition | Operand) -> Iterator[Path]:
    """Give each field that a condition or an operand asks for, in the order of the text."""
    match tree:
        case Path():
            yield tree
        case Junction(_, parts) | Function(_, parts) | ListOf(parts):
            for part in parts:
                yield from paths_of(part)
        case Not(inner):
            yield from paths_of(inner)
        case Comparison(left, _, right):
            yield from paths_of(left)
            yield from paths_of(right)
