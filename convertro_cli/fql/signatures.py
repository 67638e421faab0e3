"""Which functions there are, and how many operands each takes."""

from __future__ import annotations

FUNCTIONS = {
    "contains": 2,
    "match": 2,
    "length": 1,
    "lowercase": 1,
    "uppercase": 1,
    "snakecase": 1,
    "kebabcase": 1,
    "titlecase": 1,
    "typeof": 1,
}

UNCLEAR = frozenset({"bool", "string", "number"})
"""Functions that Segment's page names without saying what they give."""
