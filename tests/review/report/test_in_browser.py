"""A report as its reader sees it, in chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.review.browser import Browser, needs_chromium
from tests.review.report.everything import render_everything

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every part in it."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render_everything(), encoding="utf-8")
    return file


@pytest.mark.parametrize("width", [390, 1280, 1920])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_report_is_drawn_quietly(
    browser: Browser, report: Path, width: int, dark: bool
) -> None:
    """It fits its window, asks for nothing but itself, runs no script and has no complaints."""
    seen = browser.view(report, width=width, dark=dark)
    assert seen.page_width == width
    assert seen.requests == [report.as_uri()]
    assert seen.complaints == []
    assert seen.overlaps == []
    assert seen.scripts == 0
    assert seen.picture.startswith(b"\x89PNG")


def test_an_event_named_like_a_script_stays_text(browser: Browser, report: Path) -> None:
    """The reader sees the name as it was sent, with its control characters written out."""
    seen = browser.view(report, width=1280)
    assert "One change of <script>alert(1)</script>\\x1b[31m, worth 1,234.50." in seen.text


def test_a_screen_reader_finds_its_way(browser: Browser, report: Path) -> None:
    """There are landmarks, headings, named tables and named pictures."""
    told = browser.view(report, width=1280).accessible
    roles = {role for role, _ in told}
    assert {"banner", "navigation", "main", "contentinfo", "heading", "table", "image"} <= roles
    named = [name for role, name in told if role in {"table", "image", "region", "heading"}]
    assert named
    assert all(named)


def test_the_report_can_be_printed(browser: Browser, report: Path) -> None:
    """On paper it fits the width of a page of A4."""
    assert browser.view(report, width=794, printed=True).page_width == 794


def test_a_report_that_misbehaves_is_noticed(browser: Browser, tmp_path: Path) -> None:
    """Requests, complaints and scripts of a page are seen: the tests above can fail."""
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<!doctype html><title>bad</title><img src='missing.png'><p style='width:2000px'>wide</p>"
        "<script>console.error('no')</script>"
        "<svg role=img><text y=10>one</text><text y=12>two</text></svg>"
    )
    seen = browser.view(bad, width=390)
    assert [url.rpartition("/")[2] for url in seen.requests] == ["bad.html", "missing.png"]
    assert seen.complaints
    assert seen.overlaps == ["one over two", "two over one"]
    assert seen.scripts == 1
    assert seen.page_width > 390
