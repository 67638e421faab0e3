"""Segment's own pairs and tokens: its lexer, and its intermediate form of conditions."""

from __future__ import annotations

import pytest

from convertro_cli.destination_filters.ir import condition_of
from convertro_cli.fql.errors import FqlError
from convertro_cli.fql.lexer import tokenize
from convertro_cli.fql.parser import parse
from tests.mapping.test_conformance import read_cases

PLACES = {'" " "': 5, "!": 2, "abc\\": 5}
"""Where the fault is that Segment's lexer places beyond the end of the text."""

JOINED = {"a>=1", "a >=1", "properties.total>10"}
"""Comparisons without spaces, which Segment's lexer refuses or takes apart."""

DOUBLE_QUOTES = {'event = "it\\"s"', "event = 'it''s'"}
"""A string right after a string: Segment's tokens are odd, and no condition comes of them."""


def test_every_pair_means_the_same() -> None:
    """A condition's tree is the one that its intermediate form gives."""
    cases = read_cases("fql_pairs.ndjson")
    assert len(cases) == 278
    for case in cases:
        assert parse(case["fql"]) == condition_of(case["ir"]), case["fql"]


def test_every_text_has_segments_tokens() -> None:
    """Kind and text of each, with escapes taken off names."""
    cases = [case for case in read_cases("fql_tokens.ndjson") if "tokens" in case]
    assert len(cases) > 100
    for case in cases:
        if case["fql"] not in JOINED | DOUBLE_QUOTES:
            found = [[token.kind, token.value] for token in tokenize(case["fql"])]
            assert found == case["tokens"], case["fql"]


def test_what_segment_refuses_is_refused_in_the_same_place() -> None:
    """Its columns count from 0 for what follows a name, from 1 for a character of its own."""
    cases = [case for case in read_cases("fql_tokens.ndjson") if "error" in case]
    assert len(cases) > 10
    for case in cases:
        text = case["fql"]
        if text in JOINED:
            continue
        place = case["column"] + case["error"].startswith("expected termination")
        with pytest.raises(FqlError) as caught:
            parse(text)
        assert caught.value.at == PLACES.get(text, place), text


def test_a_string_after_a_string_is_refused() -> None:
    """There are no escapes, and no doubled quotes."""
    for text in DOUBLE_QUOTES:
        with pytest.raises(FqlError, match="quote"):
            parse(text)


def test_comparisons_need_no_spaces() -> None:
    """What Segment's lexer refuses there is meant clearly enough."""
    assert parse("a>=1") == parse("a >=1") == parse("a >= 1")
    assert parse("properties.total>10") == parse("properties.total > 10")
