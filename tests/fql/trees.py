"""Random trees of conditions, and JSON that messages might hold at their worst."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from convertro_cli.fql.signatures import FUNCTIONS
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

OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "in"]
WORDS = ["type", "event", "properties", "and", "or", "in", "true", "null", "all", "contains", "1st"]

TEXTS = st.text(max_size=8).filter(lambda text: not ('"' in text and "'" in text))
NUMBERS = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
LITERALS = st.builds(Literal, st.none() | st.booleans() | TEXTS | NUMBERS)
NAMES = st.sampled_from(WORDS) | st.text(min_size=1, max_size=6)
PATHS = st.builds(Path, st.lists(NAMES, min_size=1, max_size=4).map(tuple))


def _function(inner: st.SearchStrategy[Operand]) -> st.SearchStrategy[Operand]:
    def of(name: str) -> st.SearchStrategy[Function]:
        count = FUNCTIONS[name]
        arguments = st.lists(inner, min_size=count, max_size=count).map(tuple)
        return st.builds(Function, st.just(name), arguments)

    return st.sampled_from(sorted(FUNCTIONS)).flatmap(of)


OPERANDS: st.SearchStrategy[Operand] = st.recursive(
    LITERALS | PATHS,
    lambda inner: _function(inner) | st.builds(ListOf, st.lists(inner, max_size=3).map(tuple)),
    max_leaves=4,
)
COMPARISONS = st.builds(Comparison, OPERANDS, st.sampled_from(OPERATORS), OPERANDS)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    OPERANDS | COMPARISONS,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(
            Junction,
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3).map(tuple),
        )
    ),
    max_leaves=6,
)
TREES = CONDITIONS | st.just(Everything())


def deep(value: Any, levels: int) -> Any:
    """A value in lists and objects in one another."""
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


EXTREMES: list[Any] = [
    10**5000,
    -(10**400),
    1e308,
    float("inf"),
    "\ud83d",
    "x" * 100_000,
    "ア" * 1000,
    deep(1, 5000),
    [deep("x", 3000), deep("x", 3000)],
    {"": None},
    {"length": 5},
    [],
    {},
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=6)
    | st.sampled_from([10**400, "\ud83d", "ア" * 50, deep(1, 60), {"length": 5}]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
MESSAGES = st.dictionaries(NAMES, VALUES, max_size=5)
