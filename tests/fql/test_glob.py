"""The patterns of ``match``."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.fql.glob import LONGEST_PATTERN, compile_pattern, match

CASES = [
    ("a*d", "abcd", True),
    ("*", "", True),
    ("", "", True),
    ("", "a", False),
    ("ab", "abc", False),
    ("a??d", "abcd", True),
    ("?", "", False),
    ("*d", "abcd", True),
    ("ab\\*d", "ab*d", True),
    ("ab\\*d", "abxd", False),
    ("ab[cC]d", "abCd", True),
    ("ab[a-z]d", "abcd", True),
    ("ab[A-Z]d", "abcd", False),
    ("[^a]", "b", True),
    ("[^a]", "a", False),
    ("[^a]", "", False),
    ("[a\\]]", "]", True),
    ("[x\\-]", "-", True),
    ("[z-a]", "m", False),
    ("[^z-a]", "m", True),
    ("*/b*", "a/b/c", True),
    ("?b", "/b", True),
    ("a*", "a\nb", True),
    ("*a*b*", "xaxbx", True),
    ("*ab*ab", "ab", False),
    ("a*a", "a", False),
    ("*ss", "mississ", True),
    ("[☺-☻]*", "☺!", True),
    ("?", "\ud83d", True),
    ("a]", "a]", True),
    ("*.c[a-o]m", "x.com", True),
]
MALFORMED = ["[", "a[", "[]a]", "[]", "[a", "[a-", "[a-]", "[-a]", "[^]", "\\", "a\\", "*[", "[\\"]


@pytest.mark.parametrize(("pattern", "text", "matches"), CASES)
def test_a_pattern_matches_the_whole_of_a_string(pattern: str, text: str, matches: bool) -> None:
    """Stars and question marks match slashes and line breaks, too."""
    assert match(text, pattern) is matches


@pytest.mark.parametrize("pattern", MALFORMED)
def test_a_malformed_pattern_matches_nothing(pattern: str) -> None:
    """Not even itself."""
    for text in ("", "a", pattern, "]", "-"):
        assert match(text, pattern) is False


@given(st.lists(st.sampled_from(["a", "b", "*", "?", "[ab]", "[^a]"]), max_size=8), st.text("abc"))
def test_the_same_as_a_regular_expression(items: list[str], text: str) -> None:
    """Looking for each chunk once, as far to the left as it goes, misses no match."""
    expression = "".join({"*": ".*", "?": "."}.get(item, item) for item in items)
    assert compile_pattern("".join(items))(text) is (re.fullmatch(expression, text) is not None)


def test_many_stars_do_not_take_long() -> None:
    """With a regular expression of the same meaning this would not end."""
    assert compile_pattern("*a" * 200 + "*b")("a" * 20_000) is False
    assert compile_pattern("*[ab]?" * 200 + "*[bc]")("a" * 5_000) is False


def test_a_pattern_out_of_a_message_is_bounded() -> None:
    """Longer than a condition can be, it matches nothing."""
    assert match("a" * LONGEST_PATTERN, "a" * LONGEST_PATTERN)
    assert not match("a" * (LONGEST_PATTERN + 1), "a" * (LONGEST_PATTERN + 1))
