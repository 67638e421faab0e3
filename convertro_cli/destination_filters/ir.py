"""Conditions in the form that browsers get: lists with the operator first.

::

    ["and", ["=", "event", {"value": "X"}], ["!", ["contains", "context.ip", {"value": "1"}]]]

A string is a dotted path; more than two joined conditions are a pair whose second is a pair.
"""

from __future__ import annotations

from typing import Any

from convertro_cli.fql.parser import MAX_DEPTH
from convertro_cli.fql.signatures import FUNCTIONS
from convertro_cli.fql.tree import (
    Comparison,
    Condition,
    Function,
    Junction,
    ListOf,
    Literal,
    Not,
    Operand,
    Operator,
    Path,
)

_OPERATORS: dict[str, Operator] = {
    "=": "=",
    "!=": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
    "in": "in",
}
_DEEPEST = 8 * MAX_DEPTH  # a pair in a pair is no level of parentheses


def condition_of(form: Any) -> Condition:
    """Give the tree of a condition in that form. Raises ValueError for what is none."""
    return _condition(form, 0)


def _condition(form: Any, depth: int) -> Condition:
    if depth > _DEEPEST:
        raise ValueError("a condition that is nested too deep")
    match form:
        case ["and" | "or" as word, _, _, *_]:
            return _junction(word, form, depth)
        case ["!", inner]:
            return Not(_condition(inner, depth + 1))
        case [str(operator), left, right] if operator in _OPERATORS:
            return Comparison(
                _operand(left, depth + 1), _OPERATORS[operator], _operand(right, depth + 1)
            )
        case _:
            return _operand(form, depth)


def _junction(word: Any, form: Any, depth: int) -> Junction:
    """Give one junction for those of one word that stand in one another's last places."""
    parts: list[Condition] = []
    rest = form
    while isinstance(rest, list) and len(rest) >= 3 and rest[0] == word:
        parts.extend(_condition(part, depth + 1) for part in rest[1:-1])
        rest = rest[-1]
    parts.append(_condition(rest, depth + 1))
    return Junction(word, tuple(parts))


def _operand(form: Any, depth: int) -> Operand:
    if depth > _DEEPEST:
        raise ValueError("a condition that is nested too deep")
    match form:
        case str(path) if path:
            return Path(tuple(path.split(".")))
        case {"value": list(items)} if len(form) == 1:
            return ListOf(tuple(_operand(item, depth + 1) for item in items))
        case {"value": None | bool() | int() | float() | str() as value} if len(form) == 1:
            return Literal(value)
        case [str(name), *arguments] if FUNCTIONS.get(name) == len(arguments):
            return Function(name, tuple(_operand(item, depth + 1) for item in arguments))
        case _:
            raise ValueError("a condition in a form that is not known")
