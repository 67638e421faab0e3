"""A report as Markdown: what is a heading, and what is a number."""

from __future__ import annotations

import pytest

from convertro_cli.review.report.document import Document, Fitting, Part, Table
from convertro_cli.review.report.markdown import plain, to_markdown


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("593.40", "593.40"),
        ("1. then", "1\\. then"),
        ("2) then", "2\\) then"),
        ("12.", "12\\."),
        ("+26", "\\+26"),
        ("- all", "\\- all"),
        ("---", "\\---"),
    ],
)
def test_only_what_begins_a_list_is_escaped_at_the_beginning(text: str, written: str) -> None:
    """A number with a dot is a number; what would begin a list or underline a heading is text."""
    assert plain(text) == written


def test_a_heading_is_not_said_twice() -> None:
    """A table under a heading of the same words has none of its own; another one keeps it."""
    same, other = (Table(title, ("a",), [("1",)]) for title in ("Events", "Others"))
    part = Part("events", "Events", [Fitting([[same], []]), other])
    lines = to_markdown(Document("inspect", "Title", "Lede", [part])).splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "## Title",
        "### Events",
        "#### Others",
    ]
