"""What is printed from a tree reads back to it."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings

from convertro_cli.fql.errors import FqlError
from convertro_cli.fql.parser import parse
from convertro_cli.fql.printer import print_condition, print_operand
from convertro_cli.fql.tree import Condition, Literal, Path
from tests.fql.trees import TREES
from tests.soaking import examples


@settings(max_examples=examples(50))
@given(TREES)
def test_a_printed_tree_reads_back_to_itself(tree: Condition) -> None:
    """The same tree, down to the types of its numbers."""
    text = print_condition(tree)
    assume(len(text.encode("utf-8", "surrogatepass")) <= 5000)
    assert repr(parse(text)) == repr(tree)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a>=1", "a >= 1"),
        ("!(a=1)and(b)", "!(a = 1) and b"),
        ("!a = 1", "!(a = 1)"),
        ("((a or b)) and c", "(a or b) and c"),
        ("contains( a,'b' )", 'contains(a, "b")'),
        ("a = 'say \"hi\"'", "a = 'say \"hi\"'"),
        ("a in [ 'x',null ]", 'a in ["x", null]'),
        ("a = 1.50", "a = 1.5"),
        ("properties.product\\ 1", "properties.product\\ 1"),
        ("\\all", "\\all"),
        (" all ", "all"),
    ],
)
def test_the_usual_form(text: str, printed: str) -> None:
    """One space around operators and words, none inside brackets, the fewest parentheses."""
    assert print_condition(parse(text)) == printed


@pytest.mark.parametrize(
    "operand", [Literal("'\""), Literal(math.inf), Literal(math.nan), Path(("a", ""))]
)
def test_what_cannot_be_written(operand: Literal | Path) -> None:
    """The language has no escapes in strings, no infinity, and no field without a name."""
    with pytest.raises(ValueError, match=r"cannot be written|no number") as caught:
        print_operand(operand)
    assert not isinstance(caught.value, FqlError)
