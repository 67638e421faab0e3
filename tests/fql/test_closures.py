"""What a condition is for a message."""

from __future__ import annotations

import copy
import sys
from typing import Any

import pytest
from hypothesis import given, settings

from convertro_cli.fql.closures import compile_condition, compile_value
from convertro_cli.fql.errors import FqlError
from convertro_cli.fql.parser import parse
from convertro_cli.fql.parts import evaluate_parts
from convertro_cli.fql.printer import print_condition
from convertro_cli.fql.tree import Condition
from tests.fql.trees import CONDITIONS, EXTREMES, MESSAGES, deep
from tests.soaking import examples

MESSAGE: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "nothing": None,
    "yes": True,
    "no": False,
    "one": 1,
    "half": 0.5,
    "text": "abc",
    "digits": "1",
    "empty": "",
    "wide": "アé",
    "list": ["a", 1, None],
    "same": ["a", 1, None],
    "object": {"a": 1, "b": [2]},
    "equal": {"a": 1.0, "b": [2]},
    "swapped": {"b": [2], "a": 1},
    "ones": {"a": 1, "b": 1},
    "ones_swapped": {"b": 1, "a": 1},
    "properties": {"product 1": {"price": "19.99"}, "or": 5, "a.b": 6},
    "spaced": "test string Xy",
}

HOLD = [
    "all", "yes", "true", "!no", "!missing", "!one", "!text", "!!yes",
    "missing = null", "nothing = null", "missing = nothing", "properties.missing.deeper = null",
    "text.length = null", "list.a = null",
    "one = 1", "one = 1.0", "half = 0.5", "one != true", "one != '1'", "digits = '1'",
    "digits != 1",
    "missing != 1", "text != missing", "yes = true", "yes != 1", "no = false",
    "1 = one", "'track' = type", "null = nothing", "true = yes", "1 = 1", "'a' != 'b'",
    "list = same", "list != ['a', 1]", "list = ['a', 1, null]", "['a', 1, nothing] = list",
    "object = equal", "object != swapped", "object != list", "list != object",
    "ones = ones", "ones != ones_swapped",
    "one < 2", "one <= 1", "half >= 0.5", "one > half", "2 > one", "-1 < half",
    "!(text < 2)", "!(digits < 2)", "!(yes < 2)", "!(missing < 2)", "!(nothing <= 0)",
    "!('a' < 'b')",
    "type in ['identify', 'track']", "'a' in list", "1 in list", "null in list", "missing in list",
    "1.0 in list", "one in [one]", "list in [same]", "!(type in [])", "!(type in text)",
    "!('b' in list)", "!('a' in missing)", "!(true in list)", "!(one in ['1'])",
    "missing in [null]",
    "contains(text, 'b')", "contains(text, '')", "!contains(text, 'B')", "!contains(missing, '')",
    "!contains(list, 'a')", "!contains(text, one)", "contains(event, text) = false",
    "contains(lowercase(event), 'order')", "contains('xabcx', text)",
    "match(event, 'Order *')", "!match(event, 'order *')", "!match(one, '*')", "!match(text, one)",
    "match('abc', text)", "match(text, '[abc]??')", "!match(text, '[')",
    "length(missing) = 0", "length(nothing) = 0", "length(empty) = 0", "length(text) = 3",
    "length(wide) = 5", "length(list) = 3", "length(list) > 2", "!(length(object) = 2)",
    "!(length(one) < 9)", "!(length(one) >= 0)", "length(yes) != 1", "length(one) != length(one)",
    "lowercase(event) = 'order completed'", "uppercase(text) = 'ABC'", "lowercase(one) = null",
    "lowercase(missing) = null", "snakecase(spaced) = 'test_string_Xy'",
    "kebabcase(spaced) = 'test-string-Xy'", "titlecase(spaced) = 'Test String Xy'",
    "titlecase(empty) = ''", "snakecase(list) = null",
    "typeof(text) = 'string'", "typeof(one) = 'number'", "typeof(half) = 'number'",
    "typeof(list) = 'list'", "typeof(no) = 'bool'", "typeof(missing) = 'null'",
    "typeof(lowercase(one)) = 'null'", "typeof(length(text)) = 'number'",
    "properties.product\\ 1.price = '19.99'", "properties.or = 5", "properties.a\\.b = 6",
    "yes and one = 1", "no or yes", "(no or yes) and !(no and yes)", "no or no or yes",
]  # fmt: skip


@pytest.mark.parametrize("text", HOLD)
def test_a_condition_that_holds(text: str) -> None:
    """And its opposite does not."""
    assert compile_condition(parse(text))(MESSAGE) is True
    if text != "all":
        assert compile_condition(parse(f"!({text})"))(MESSAGE) is False


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("one", 1),
        ("lowercase(event)", "order completed"),
        ("[text, 1]", ["abc", 1]),
        ("missing", None),
        ("one = 1", True),
        ("yes and no", False),
        ("contains(text, 'z')", False),
    ],
)
def test_the_value_of_an_expression(text: str, value: Any) -> None:
    """An operand's own value, and true or false for a condition."""
    assert compile_value(parse(text))(MESSAGE) == value


@settings(max_examples=examples(50))
@given(CONDITIONS, MESSAGES)
def test_no_condition_raises_on_any_message(tree: Condition, message: dict[str, Any]) -> None:
    """It is true or false, the message stays as it is, and the parts agree with the whole."""
    try:
        parse(print_condition(tree))
    except FqlError:
        return  # longer than a condition can be
    before = _frozen(message)
    held = compile_condition(tree)(message)
    assert isinstance(held, bool)
    parts = evaluate_parts(tree, message)
    assert parts
    assert _frozen(message) == before
    if len(parts) == 1 and parts[0].text == print_condition(tree):
        assert parts[0].held is held


@pytest.mark.parametrize("place", range(len(EXTREMES)))
def test_extremes_in_every_place_of_a_condition(place: int) -> None:
    """Depths, sizes and numbers that no sane message has are compared like any other."""
    message = {"a": EXTREMES[place], "b": copy.copy(EXTREMES[place]), "n": 1, "t": "x"}
    for text in (
        "a = b", "a != b", "a in [b, t]", "t in a", "a < n", "n >= a", "contains(a, t)",
        "match(a, t)", "match(t, a)", "match(a, '*x*')", "length(a) > n", "lowercase(a) = t",
        "titlecase(a) = b", "typeof(a) = t", "a", "a.a.a = b", "a = 'x'", "a = 1", "a = null",
    ):  # fmt: skip
        assert isinstance(compile_condition(parse(text))(message), bool), text


def test_conditions_of_a_hundred_levels() -> None:
    """They are asked, printed and explained like any other."""
    for text in (
        "!" * 100 + "yes",
        "!(" * 50 + "yes" + ")" * 50,
        "(yes and " * 100 + "yes" + ")" * 100,
        "lowercase(" * 100 + "text" + ")" * 100 + " = text",
        "[" * 100 + "]" * 100 + " != list",
    ):
        tree = parse(text)
        assert compile_condition(tree)(MESSAGE) is True
        assert parse(print_condition(tree)) == tree
        assert evaluate_parts(tree, MESSAGE)


def test_deep_values_are_equal_at_any_depth() -> None:
    """Deeper than Python's own comparison goes."""
    levels = sys.getrecursionlimit() * 3
    message = {"a": deep(1, levels), "b": deep(1, levels), "c": deep(2, levels)}
    assert compile_condition(parse("a = b"))(message)
    assert compile_condition(parse("a != c"))(message)


def _frozen(message: dict[str, Any]) -> list[Any]:
    """Identities of all that a message holds, in order."""
    waiting: list[Any] = [message]
    seen: list[Any] = []
    while waiting:
        value = waiting.pop()
        seen.append(id(value))
        if isinstance(value, dict):
            seen.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return seen
