"""The parts of a condition, each with its value for one message: what an explanation shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from convertro_cli.fql.closures import compile_condition, compile_operand
from convertro_cli.fql.printer import print_condition, print_operand
from convertro_cli.fql.tree import (
    Comparison,
    Condition,
    Function,
    Junction,
    ListOf,
    Literal,
    Not,
    Operand,
    Path,
)
from convertro_cli.fql.values import Message


class Found(NamedTuple):
    """What a message holds where a part of a condition looks: a field or a function's value."""

    text: str
    value: Any


class ConditionPart(NamedTuple):
    """One part of a condition: as it is written, what it found, and whether it held.

    ``found`` has each field and each function in it, in the order of the text; None is the
    value of a field that is not there.
    """

    text: str
    found: tuple[Found, ...]
    held: bool


def evaluate_parts(tree: Condition, message: Message) -> list[ConditionPart]:
    """Ask each part of a condition of a message, in the order of the text.

    Every part is asked, though a condition is decided as soon as one part decides it. Never
    raises.
    """
    return [
        ConditionPart(
            print_condition(part),
            tuple(_found(part, message)),
            compile_condition(part)(message),
        )
        for part in _parts(tree)
    ]


def _parts(tree: Condition) -> Iterator[Condition]:
    """Give the parts that no word joins; ``!`` before a single one belongs to it."""
    if isinstance(tree, Junction):
        for part in tree.parts:
            yield from _parts(part)
    elif isinstance(tree, Not) and isinstance(tree.inner, Junction | Not):
        yield from _parts(tree.inner)
    else:
        yield tree


def _found(tree: Condition, message: Message) -> Iterator[Found]:
    if isinstance(tree, Not):
        yield from _found(tree.inner, message)
    elif isinstance(tree, Comparison):
        yield from _looked_at(tree.left, message)
        yield from _looked_at(tree.right, message)
    elif isinstance(tree, Literal | Path | ListOf | Function):
        yield from _looked_at(tree, message)


def _looked_at(operand: Operand, message: Message) -> Iterator[Found]:
    if isinstance(operand, Path):
        yield Found(print_operand(operand), compile_operand(operand)(message))
    elif isinstance(operand, ListOf):
        for item in operand.items:
            yield from _looked_at(item, message)
    elif isinstance(operand, Function):
        for argument in operand.arguments:
            yield from _looked_at(argument, message)
        if operand.name not in {"contains", "match"}:
            yield Found(print_operand(operand), compile_operand(operand)(message))
