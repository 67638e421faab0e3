"""The page: what a person sees, and that nobody else can write on it."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.sandbox.page import shown
from convertro_cli.sandbox.server import Sandbox
from tests.sandbox.client import HIT, Wire, get, target

HARMLESS = {
    *("html", "head", "meta", "link", "title", "style", "body", "main", "section", "h1", "h2", "p"),
    *("dl", "div", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("span", "code", "br"),
}


class Page(HTMLParser):
    """Reads a page's tags, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def assert_harmless(html: str) -> Page:
    page = Page(html)
    assert page.tags <= HARMLESS
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
    assert [value for name, value in page.attributes if name == "href"] == ["data:,"]
    assert "url(" not in html
    assert "@import" not in html
    return page


def test_the_page_shows_what_was_received(sandbox: Sandbox) -> None:
    """Totals by call and event type, the sum of values, repeats and the last requests are there."""
    with Wire(sandbox.url) as wire:
        wire.get(target(eid="o1"))
        wire.get(target(eid="o1"))
        wire.get(target(eid="o2", typ="lead", val="1200.5"))
        wire.get("/api/user/acme/1/?id=u1&ts=1")
        wire.get("/api/user/acme/1/")
        answer = wire.get("/")
    page = assert_harmless(answer.text)
    text = " ".join(page.texts)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert ("http-equiv", "refresh") in page.attributes
    for expected in ("1,302.48", "101.98", "1,200.50", "lead", "repeat", HIT, "Per second"):
        assert expected in text, expected
    assert page.texts[page.texts.index("Requests") + 1] == "5"
    assert page.texts[page.texts.index("Repeats") + 1] == "1"
    assert page.texts[page.texts.index("Rejected") + 1] == "1"


def test_an_unused_sandbox_has_a_page_too(sandbox: Sandbox) -> None:
    """Before the first request the page says that it waits for one."""
    assert "Waiting for the first one" in assert_harmless(get(sandbox.url, "/").text).texts[-2]


def test_only_the_last_twenty_requests_are_shown(sandbox: Sandbox) -> None:
    """The newest stands first, and the page does not grow."""
    with Wire(sandbox.url) as wire:
        for n in range(50):
            wire.get(target(eid=f"order-{n:03}"))
        orders = [t for t in Page(wire.get("/").text).texts if t.startswith("order-")]
    assert orders == [f"order-{n:03} " for n in range(49, 29, -1)]


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</style><script>alert(1)</script>",
        "'onmouseover='alert(1)",
        "</code></table><iframe>",
        "<!--",
        "\x1b]0;owned\x07\x00\u202etxt.exe\u200b",
    ],
)
def test_nothing_received_becomes_markup(sandbox: Sandbox, evil: str) -> None:
    """A hostile event type, parameter, path or garbage is shown as text, visibly."""
    with Wire(sandbox.url) as wire:
        assert wire.get(target(typ=evil, eid=evil)).status == 200
        assert wire.get(f"/{quote(evil)}/").status == 400
        raw = "".join(c for c in evil if c.isascii() and c.isprintable() and c != " ")
        assert wire.get(f"/{raw}?{raw}={raw}").status == 400
        html = wire.get("/").text
    page = assert_harmless(html)
    assert all(text.replace("\n", "").isprintable() for text in page.texts)
    assert shown(evil) in html


@given(st.text(max_size=300))
def test_any_text_is_shown_safely(text: str) -> None:
    """Whatever the text, what is shown is printable, escaped and of bounded length."""
    safe = shown(text)
    assert safe.isprintable()
    assert not set("<>\"'") & set(safe)
    assert len(safe) <= 201 * 10


def test_the_page_is_neither_stored_nor_framed(sandbox: Sandbox) -> None:
    """Browsers are told to load nothing, to store nothing, and not to show it inside a page."""
    headers = get(sandbox.url, "/").headers
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
