"""From a tree to a function of one message, built once and called for each.

The usual shapes (a field and a literal) get functions of their own: a condition of four parts
is asked of millions of messages. No function here raises, whatever JSON the message holds.
"""

from __future__ import annotations

import operator as order
from collections.abc import Callable, Sequence
from typing import Any

from convertro_cli.fql import glob
from convertro_cli.fql.functions import OF_ONE
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
    Operator,
    Path,
)
from convertro_cli.fql.values import Message, as_counted, equal, is_beyond_integers, is_number

Test = Callable[[Message], bool]
Value = Callable[[Message], Any]


def compile_condition(tree: Condition) -> Test:
    """Build the function that tells whether a condition holds for a message."""
    match tree:
        case Everything():
            return lambda message: True
        case Junction(word, parts):
            tests = [compile_condition(part) for part in parts]
            return _all_of(tests) if word == "and" else _any_of(tests)
        case Not(inner):
            test = compile_condition(inner)
            return lambda message: not test(message)
        case Comparison(left, operator, right):
            return _comparison(left, operator, right)
        case Function("contains" | "match", _):
            return compile_operand(tree)
        case _:
            value = compile_operand(tree)
            return lambda message: value(message) is True


def compile_value(tree: Condition) -> Value:
    """Build the function that gives an expression's value: true or false for a condition."""
    if isinstance(tree, Literal | Path | ListOf | Function):
        return compile_operand(tree)
    return compile_condition(tree)


def compile_operand(operand: Operand) -> Value:
    """Build the function that gives an operand's value; a missing field is None."""
    match operand:
        case Literal(value):
            return lambda message: value
        case Path(names):
            return _path(names)
        case ListOf(items):
            values = [compile_operand(item) for item in items]
            return lambda message: [item(message) for item in values]
        case Function(name, arguments):
            return _function(name, arguments)


def _path(names: Sequence[str]) -> Value:
    if len(names) == 1:
        (name,) = names
        return lambda message: message.get(name)
    if len(names) == 2:
        outer, inner = names

        def second(message: Message) -> Any:
            found = message.get(outer)
            return found.get(inner) if isinstance(found, dict) else None

        return second
    first, rest = names[0], names[1:]

    def nested(message: Message) -> Any:
        found = message.get(first)
        for name in rest:
            if not isinstance(found, dict):
                return None
            found = found.get(name)
        return found

    return nested


def _all_of(tests: list[Test]) -> Test:
    def holds(message: Message) -> bool:
        for test in tests:  # noqa: SIM110 - a generator costs more than the loop
            if not test(message):
                return False
        return True

    return holds


def _any_of(tests: list[Test]) -> Test:
    def holds(message: Message) -> bool:
        for test in tests:  # noqa: SIM110 - as above
            if test(message):
                return True
        return False

    return holds


def _function(name: str, arguments: Sequence[Operand]) -> Value:
    first = compile_operand(arguments[0])
    if name == "contains":
        return _contains(first, arguments[1])
    if name == "match":
        return _match(first, arguments[1])
    change = OF_ONE[name]
    return lambda message: change(first(message))


def _contains(text: Value, part: Operand) -> Test:
    wanted = compile_operand(part)

    def contains(message: Message) -> bool:
        whole, piece = text(message), wanted(message)
        return isinstance(whole, str) and isinstance(piece, str) and piece in whole

    return contains


def _match(text: Value, pattern: Operand) -> Test:
    if isinstance(pattern, Literal) and isinstance(pattern.value, str):
        known = glob.compile_pattern(pattern.value)

        def matches_known(message: Message) -> bool:
            whole = text(message)
            return isinstance(whole, str) and known(whole)

        return matches_known
    other = compile_operand(pattern)

    def matches(message: Message) -> bool:
        whole, wanted = text(message), other(message)
        return isinstance(whole, str) and isinstance(wanted, str) and glob.match(whole, wanted)

    return matches


def _comparison(left: Operand, operator: Operator, right: Operand) -> Test:
    if operator == "in":
        return _is_in(compile_operand(left), right)
    if operator in {"=", "!="}:
        test = _equals(left, right)
        return test if operator == "=" else lambda message: not test(message)
    return _ordered(left, operator, right)


def _equals(left: Operand, right: Operand) -> Test:
    if isinstance(left, Literal):
        left, right = right, left
    value = compile_operand(left)
    if not isinstance(right, Literal):
        other = compile_operand(right)
        return lambda message: equal(value(message), other(message))
    wanted = right.value
    if wanted is None or isinstance(wanted, bool):
        return lambda message: value(message) is wanted
    if isinstance(wanted, str):
        return _is_text_of(left, wanted)
    if not is_beyond_integers(wanted):
        return lambda message: is_number(found := value(message)) and bool(found == wanted)
    return lambda message: equal(value(message), wanted)


def _is_text_of(operand: Operand, wanted: str) -> Test:
    """Compare with a text, which nothing but the same text is equal to."""
    if isinstance(operand, Path) and len(operand.names) == 1:
        (name,) = operand.names
        return lambda message: bool(message.get(name) == wanted)
    value = compile_operand(operand)
    return lambda message: bool(value(message) == wanted)


def _ordered(left: Operand, operator: Operator, right: Operand) -> Test:
    compare, first_of, second_of = _ORDERS[operator], compile_operand(left), compile_operand(right)
    limit: Any = right.value if isinstance(right, Literal) else None
    if is_number(limit) and not is_beyond_integers(limit):

        def holds_against(message: Message) -> bool:
            found = first_of(message)
            return is_number(found) and compare(found, limit)

        return holds_against

    def holds(message: Message) -> bool:
        first, second = first_of(message), second_of(message)
        if not (is_number(first) and is_number(second)):
            return False
        return compare(as_counted(first), as_counted(second))

    return holds


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": order.lt,
    "<=": order.le,
    ">": order.gt,
    ">=": order.ge,
}


def _is_in(value: Value, right: Operand) -> Test:
    if isinstance(right, ListOf) and all(_is_text(item) for item in right.items):
        texts = frozenset(item.value for item in right.items if isinstance(item, Literal))

        def is_one_of(message: Message) -> bool:
            found = value(message)
            return isinstance(found, str) and found in texts

        return is_one_of
    others = compile_operand(right)

    def is_in(message: Message) -> bool:
        found, items = value(message), others(message)
        return isinstance(items, list) and any(equal(found, item) for item in items)

    return is_in


def _is_text(item: Operand) -> bool:
    return isinstance(item, Literal) and isinstance(item.value, str)
