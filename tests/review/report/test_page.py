"""A report's page: what it holds, what it refuses, and how its numbers are written."""

from __future__ import annotations

import sys
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError

from convertro_cli.errors import ConvertroError
from convertro_cli.review.report import page
from tests.review.report.everything import HARM, render_everything

_WITHOUT_END = {"meta", "link", "br", "img"}


class _Outline(HTMLParser):
    """Collects a page's elements, and checks that each one that is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in _WITHOUT_END:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def outline() -> _Outline:
    """The elements of a page that has every part."""
    parsed = _Outline()
    parsed.feed(render_everything())
    assert parsed.open == []
    return parsed


def test_text_from_an_event_stays_text() -> None:
    """No value can put an element into the page, nor a control character."""
    html = render_everything()
    assert "<script" not in html
    assert "\x1b" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[31m") > 10


def test_the_page_names_nothing_outside_itself(outline: _Outline) -> None:
    """No element has an address other than a place in the page or data of its own."""
    for _, attributes in outline.elements:
        for name in ("src", "href", "action", "data", "srcset", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:,"))
        assert not any(name.startswith("on") for name in attributes)


def test_the_page_forbids_all_that_it_does_not_need(outline: _Outline) -> None:
    """The page's own policy allows no scripts and no connection."""
    policies = [
        attributes["content"]
        for tag, attributes in outline.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == [
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    ]


def test_every_id_is_there_once_and_every_reference_leads_to_one(outline: _Outline) -> None:
    """Screen readers find the name of each section and picture, and links their place."""
    assert len(outline.ids) == len(set(outline.ids))
    for _, attributes in outline.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            for reference in (attributes.get(name) or "").split():
                assert reference in outline.ids
        link = attributes.get("href") or ""
        if link.startswith("#"):
            assert link[1:] in outline.ids


def test_every_table_has_a_caption_and_headings_with_their_scope(outline: _Outline) -> None:
    """Each table is named, and each heading says whether it is of a row or a column."""
    tags = [tag for tag, _ in outline.elements]
    assert tags.count("caption") == tags.count("table") > 0
    assert all(attributes.get("scope") for tag, attributes in outline.elements if tag == "th")


def test_a_name_that_was_not_given_is_an_error() -> None:
    """A report never shows an empty place where a value was forgotten."""
    with pytest.raises(UndefinedError, match="forgotten"):
        page._environment().from_string("{{ forgotten }}").render()


def test_without_jinja2_the_report_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing library is told in a sentence."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    page._environment.cache_clear()
    with pytest.raises(ConvertroError, match="Jinja2") as caught:
        page.check_page()
    assert "extra 'report'" in (caught.value.hint or "")


def test_harm_is_harm() -> None:
    """The text that the other tests look for would be a script and a terminal's colour."""
    assert "<script>" in HARM
    assert "\x1b" in HARM
