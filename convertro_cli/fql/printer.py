"""From a tree to text that reads back to the same tree."""

from __future__ import annotations

import re
from decimal import Decimal

from convertro_cli.fql.tree import (
    Comparison,
    Condition,
    Everything,
    Function,
    Junction,
    ListOf,
    Literal,
    Not,
    Operand,
    Path,
)

KEYWORDS = frozenset({"and", "or", "in", "true", "false", "null"})

_TO_ESCAPE = re.compile(r"[^A-Za-z0-9_-]", re.DOTALL)
_FIRST = re.compile(r"[A-Za-z_]")


def print_condition(tree: Condition) -> str:
    """Write a condition. Raises ValueError for text with both kinds of quotes: FQL has no escapes.

    A number that is not finite cannot be written either.
    """
    if isinstance(tree, Path) and tree.names == ("all",):
        return "\\all"  # as the whole text the bare word is another condition
    return _condition(tree)


def print_operand(operand: Operand) -> str:
    """Write one operand; raises ValueError as ``print_condition`` does."""
    match operand:
        case Literal(value):
            return _literal(value)
        case Path(names):
            return ".".join(_name(name, first=not place) for place, name in enumerate(names))
        case ListOf(items):
            return f"[{', '.join(map(print_operand, items))}]"
        case Function(name, arguments):
            return f"{name}({', '.join(map(print_operand, arguments))})"


def _condition(tree: Condition) -> str:
    match tree:
        case Everything():
            return "all"
        case Junction(word, parts):
            return f" {word} ".join(
                f"({_condition(part)})" if isinstance(part, Junction) else _condition(part)
                for part in parts
            )
        case Not(inner):
            bare = not isinstance(inner, Junction | Comparison)
            return f"!{_condition(inner)}" if bare else f"!({_condition(inner)})"
        case Comparison(left, operator, right):
            return f"{print_operand(left)} {operator} {print_operand(right)}"
        case _:
            return print_operand(tree)


def _literal(value: str | int | float | bool | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int):
        return str(value)
    digits = format(Decimal(repr(value)), "f")
    if not digits.lstrip("-")[0].isdigit():
        raise ValueError(f"{value} is no number that FQL can write")
    return digits if "." in digits else f"{digits}.0"


def _string(text: str) -> str:
    for quote in ('"', "'"):
        if quote not in text:
            return f"{quote}{text}{quote}"
    raise ValueError("text with both kinds of quotes cannot be written in FQL")


def _name(name: str, *, first: bool) -> str:
    if not name:
        raise ValueError("a field without a name cannot be written in FQL")
    escaped = _TO_ESCAPE.sub(r"\\\g<0>", name)
    if not escaped.startswith("\\") and (not _FIRST.match(name) or (first and name in KEYWORDS)):
        escaped = f"\\{escaped}"
    return escaped
