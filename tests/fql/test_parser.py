"""What is no condition is told with its place, what was found there, and what was meant."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.fql.errors import FqlError
from convertro_cli.fql.parser import MAX_BYTES, parse, parse_operand
from convertro_cli.fql.tree import Comparison, Everything, Junction, Literal, Not, Path

FAULTS = [
    ("event == 'x'", 7, "==", "="),
    ("event === 'x'", 7, "==", "="),
    ("event => 1", 7, "=>", ">="),
    ("event =< 1", 7, "=<", "<="),
    ("event <> 1", 7, "<>", "!="),
    ("event !== 1", 7, "!==", "!="),
    ("event ! = 1", 7, "!", "!="),
    ("a AND b", 3, "AND", "and"),
    ("a Or b", 3, "Or", "or"),
    ("a && b", 3, "'&&'", "and"),
    ("a || b", 3, "'||'", "or"),
    ("a & b", 3, "'&'", "and"),
    ("a IN ['x']", 3, "IN", "in"),
    ("a not in ['x']", 3, "not", "!( … )"),
    ("NOT (a = 1)", 1, "NOT", "!( … )"),
    ("not a", 1, "not", "!( … )"),
    ("a is null", 3, "is", "="),
    ("a = 1 and b = 2 or c = 3", 17, "or", "( … ) around one of them"),
    ("a or b and c", 8, "and", "( … ) around one of them"),
    ("event = 'x", 9, None, "'x'"),
    ('event = "x', 9, None, '"x"'),
    ("event = “x”", 9, "'“'", '"'),
    ("a ≥ 1", 3, "'≥'", ">="),
    ("Contains(a, 'b')", 1, "Contains", "contains"),
    ("lower(a) = 'b'", 1, "lower", "lowercase"),
    ("number(a) = 1", 1, "number", None),
    ("contains(a)", 1, "1", None),
    ("length(a, b) > 1", 1, "2", None),
    ("contains(a 'b')", 12, "'b'", None),
    ("a in ['x' 'y']", 11, "'y'", None),
    ("(a = 1", 7, None, ")"),
    ("a in ['x'", 10, None, "]"),
    ("a = 1)", 6, ")", None),
    ("a b", 3, "b", None),
    ("a = 1 = 2", 7, "=", None),
    ("a = ", 5, None, None),
    ("and b", 1, "and", None),
    ("in ['x']", 1, "in", None),
    ("properties. = 1", 13, "=", None),
    ("properties.1st = 1", 12, "1", "\\1"),
    ("événement = 1", 1, "'é'", "\\é"),
    ("a = -", 5, "'-'", None),
    ("a = $1", 5, "'$'", None),
    ("a = abc\\", 9, None, None),
    ("", 1, None, "all"),
    (" \n", 1, None, "all"),
    (f"a = {'1' * 500}", 5, None, None),
    (f"a = {'9' * 350}.5", 5, None, None),
    ("!" * 101 + "a", 101, None, None),
    ("(" * 101 + "a" + ")" * 101, 101, None, None),
    ("a in " + "[" * 101 + "]" * 101, 106, None, None),
    ("lowercase(" * 101 + "a" + ")" * 101, 1010, None, None),
    ("x" * (MAX_BYTES + 1), 1, None, None),
    ("é" * 3000, 1, None, None),
]


@pytest.mark.parametrize(("text", "at", "found", "meant"), FAULTS, ids=lambda it: ascii(it)[:20])
def test_a_fault_names_place_finding_and_meaning(
    text: str, at: int, found: str | None, meant: str | None
) -> None:
    """All that a person needs to mend it stands in one line."""
    with pytest.raises(FqlError) as caught:
        parse(text)
    error = caught.value
    assert (error.at, error.found, error.meant) == (at, found, meant)
    told = str(error)
    assert told.startswith(f"character {at}: ")
    assert (f"did you mean {meant}?" in told) == (meant is not None)
    assert "\n" not in told
    # Without its traceback, which nobody needs, and some libraries pickle, too, once imported.
    assert str(pickle.loads(pickle.dumps(error.with_traceback(None)))) == told


def test_five_kilobytes_are_taken() -> None:
    """Counted in UTF-8; a byte more is too long."""
    assert MAX_BYTES == 5120
    assert parse("a" * 5120) == Path(("a" * 5120,))
    assert parse("a = '" + "é" * 2557 + "'") == Comparison(Path(("a",)), "=", Literal("é" * 2557))
    for text in ("a" * 5121, "a = '" + "é" * 2558 + "'"):
        with pytest.raises(FqlError, match="at most 5,120 bytes"):
            parse(text)


def test_a_hundred_levels_are_taken() -> None:
    """Parentheses, marks and brackets up to the limit are a condition like any other."""
    assert parse("(" * 100 + "a" + ")" * 100) == Path(("a",))
    tree = parse("!" * 100 + "a")
    for _ in range(100):
        assert isinstance(tree, Not)
        tree = tree.inner
    assert tree == Path(("a",))
    assert isinstance(parse("a in " + "[" * 100 + "]" * 100), Comparison)


def test_all_is_everything_only_as_the_whole_text() -> None:
    """Elsewhere it is a field like any other."""
    assert parse(" all\n") == Everything()
    assert parse("all = 1") == Comparison(Path(("all",)), "=", Literal(1))
    assert parse("\\all") == parse("(all)") == parse_operand("all") == Path(("all",))


def test_what_binds_how() -> None:
    """A mark before a comparison is about all of it; parentheses are kept apart."""
    assert parse("!a = 1") == Not(Comparison(Path(("a",)), "=", Literal(1)))
    a, b, c = (Path((name,)) for name in "abc")
    assert parse("a and b and c") == Junction("and", (a, b, c))
    assert parse("a and (b and c)") == Junction("and", (a, Junction("and", (b, c))))
    assert parse("(a or b) and c") == Junction("and", (Junction("or", (a, b)), c))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-3", -3),
        ("+2.50", 2.5),
        ("0012", 12),
        ("true", True),
        ("false", False),
        ("null", None),
        ("'a\\'", "a\\"),
        ('"it\'s"', "it's"),
        ("'\n'", "\n"),
    ],
)
def test_literals(text: str, value: object) -> None:
    """Numbers with and without a fraction, constants, and strings without escapes."""
    tree = parse(text)
    assert isinstance(tree, Literal)
    assert (tree.value, type(tree.value)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("properties.product\\ 1.price", ("properties", "product 1", "price")),
        ("a\\.b.c", ("a.b", "c")),
        ("properties.or", ("properties", "or")),
        ("properties.null.in", ("properties", "null", "in")),
        ("\\null", ("null",)),
        ("_x.a-b", ("_x", "a-b")),
        ("\\é", ("é",)),
        ("contains", ("contains",)),
        ("TRUE", ("TRUE",)),
    ],
)
def test_paths(text: str, names: tuple[str, ...]) -> None:
    """A backslash takes any character into a name, and a keyword after a dot is a name."""
    assert parse(text) == Path(names)


PIECES = st.sampled_from(
    ["a", "and", "or", "!", "=", "==", "(", ")", "[", "]", ",", ".", "'x'", '"', "1", "-", "\\",
     "in", "contains", "match", "length", "null", "all", "<", ">=", " ", "&&", "é", "\ud83d"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=20).map(" ".join) | st.text(max_size=30))
def test_no_text_raises_anything_else(text: str) -> None:
    """Whatever the text is, it is a tree or a fault with a place in it."""
    place = 1
    try:
        parse(text)
    except FqlError as error:
        place = error.at
    assert 1 <= place <= len(text) + 1
