"""The page as somebody sees it who watches a rehearsal, in chromium."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from convertro_cli.sandbox.log import Record
from convertro_cli.sandbox.page import View, render
from convertro_cli.sandbox.tally import Stats
from tests.review.browser import Browser, needs_chromium

pytestmark = needs_chromium

STATS: Stats = {
    "requests": 12_345_678,
    "accepted": 11_234_567,
    "rejected": 123_456,
    "faults": 987_654,
    "unique": 11_000_000,
    "repeats": 234_567,
    "calls": {"event": 9_000_000, "user": 2_000_000, "install": 234_567},
    "by_event_type": {
        f"Product {'Very' * number} Long {number}": {"calls": 1_234_567, "value": 12_345_678.5}
        for number in range(20)
    },
}
RECORD: Record = {
    "at": "2024-03-01T10:20:30.500Z",
    "call": "event",
    "path": "/api/hit/acme/1/",
    "params": {"sid": "anon-1", "pag": "https://shop.example.com/" + "x" * 200},
    "status": 200,
    "repeat": False,
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page after millions of requests, that does not reload itself."""
    view = View(STATS, Decimal("1234567890123.55"), 12_345.6, (RECORD,) * 5)
    file = tmp_path_factory.mktemp("page") / "sandbox.html"
    still = render(view).replace(b'<meta http-equiv="refresh" content="2">', b"")
    file.write_bytes(still)
    return file


@pytest.mark.parametrize("width", [390, 1280, 1920])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits(browser: Browser, page: Path, width: int, dark: bool) -> None:
    """Nothing lies over anything else, no number is broken in two, and nothing is cut off."""
    seen = browser.view(page, width=width, dark=dark)
    assert seen.page_width == width
    assert seen.overlaps == []
    assert seen.complaints == []
    assert "1,234,567,890,123.55" in seen.text
