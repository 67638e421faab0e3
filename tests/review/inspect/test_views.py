"""The report as it is shown: in a terminal, as Markdown, as a page, as JSON."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console

from convertro_cli.review.inspect.document import to_document
from convertro_cli.review.inspect.parts import RepeatedMessages
from convertro_cli.review.inspect.report import InspectReport
from convertro_cli.review.report.markdown import to_markdown
from convertro_cli.review.report.page import to_html
from convertro_cli.review.report.terminal import print_document
from tests.mapping.messages import cloud_message, make_rules, web_message
from tests.review.browser import Browser, needs_chromium
from tests.review.inspect.looking import SHOP_RULES, as_read, at, order, report_of, track
from tests.soaking import examples

HARMFUL = "<script>alert(1)</script> | \x1b[31m **red** \u202e"


def shop(rules: bool = True) -> InspectReport:
    """A report with something in every part of it."""
    messages = [
        *(order(n * 1000.01, timestamp=f"2024-0{n}-1{n}T10:00:00Z") for n in range(1, 9)),
        *(track(f"A rather long event name, number {n}", messageId="m2") for n in range(30)),
        *(track(name) for name in ("Signed Up", "signed_up", HARMFUL, "円" * 60, "x" * 5000)),
        cloud_message("track", event="Order Completed", properties={"total": "free"}),
        web_message("identify", userId=None, traits={"a b": 1}),
        web_message("identify", traits={"a b": 1}),
        {"type": HARMFUL, "channel": HARMFUL},
        b"{",
        b'{"x": "' + b"y" * 2_000_000 + b'"}',
    ]
    return report_of(*messages, rules=SHOP_RULES if rules else None)


def printed(report: InspectReport, width: int) -> str:
    """What a terminal of this width shows."""
    stream = StringIO()
    print_document(
        to_document(report),
        Console(file=stream, width=width, force_terminal=False, highlight=False),
    )
    return stream.getvalue()


def many_types() -> InspectReport:
    """A report of more event types than can be shown, the longest names among them."""
    rules = make_rules(mapping={"unmapped_events": "send"})
    names = ["x" * 300, "円" * 150, HARMFUL, *(f"Event {n}" for n in range(40))]
    return report_of(
        *(track(name, properties={"total": n}) for n, name in enumerate(names)), rules=rules
    )


REPORTS = {
    "everything": shop(),
    "without settings": shop(rules=False),
    "many types": many_types(),
    "nothing": report_of(),
    "only wrecks": report_of(b"{", b"[]"),
    "hours": report_of(*at("2024-03-01T10:00:00Z", "2024-03-02T22:00:00Z")),
}


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    """Also with long names, wide characters, and the value of many event types."""
    lines = printed(REPORTS[name], width).splitlines()
    assert lines
    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("name", REPORTS)
def test_no_event_speaks_to_the_terminal(name: str) -> None:
    """Control characters and changes of direction are written out."""
    text = printed(REPORTS[name], 200)
    assert all(character.isprintable() or character == "\n" for character in text)


def test_what_a_person_sees_first() -> None:
    """How much there is, from when to when, what is repeated and what is invalid."""
    lines = printed(REPORTS["everything"], 80).splitlines()
    start = lines.index("") + 1
    assert [line.rstrip() for line in lines[start : start + 5]] == [
        "messages      49 in 1 file, 1.0 kB",
        "time          2024-01-11 10:00:00 to 2024-08-18 10:00:00 UTC, 221 days",
        "repeated ids  44 messages have an id that came before, 93.6 %",
        "invalid       3 lines",
        "",
    ]


def seen(text: str) -> str:
    """The text with all spacing made one space."""
    return " ".join(text.split())


def test_the_terminal_tells_all_parts() -> None:
    """Types, sources, days, holes, events and the rest of them, lacks, outcome, value, faults."""
    text = seen(printed(REPORTS["everything"], 120))
    for told in (
        "45 by the browser's rules (web) and 1 by the server's (cloud)",
        "analytics-ios none 1 2.1 %",
        "2024-07 ················▁·············· 1",
        "No message on 212 days between the first and the last",
        "Events: 35 names",
        "Order Completed 9 36,000.36 9 36,001.36 an order",
        "10 others 10",
        "order id 1 11.1 % 9 orders",
        "would be sent 12 24.5 %",
        "unmapped_event 33 67.3 % not in [events]",
        "invalid_json 1 2.0 % no JSON",
        "sale 8 36,000.36",
        "in all 36,000.36",
        "line_too_long 1 export.ndjson:49 2,000,009 bytes; the most is 1,048,576",
        "trait_name_unsupported 1 export.ndjson:46",
    ):
        assert told in text, text


def test_without_settings_the_terminal_says_what_could_be_sent() -> None:
    """And nothing of event types, which only settings give."""
    text = seen(printed(REPORTS["without settings"], 120))
    assert "What could be sent Without settings" in text
    assert "Value by month" not in text


def test_as_many_event_types_are_columns_as_fit() -> None:
    """The rest is summed up in one, and every month has its line."""
    rules = make_rules(events={"X": [f"type {n}" for n in range(9)]})
    report = report_of(track("X", timestamp="2024-02-01"), track("X"), rules=rules)
    narrow, wide = printed(report, 60), printed(report, 120)
    assert "5 others" in narrow
    assert "others" not in wide
    assert "type 8" in wide
    months = seen(narrow).partition("Value by month")[2]
    assert "2024-02 1.00 1.00" in months
    assert "2024-03 1.00 1.00" in months
    assert "in all 2.00 2.00" in months


def test_an_estimate_of_repeats_is_said_to_be_one() -> None:
    """With how it was made."""
    report = replace(report_of(track()), repeated_message_ids=RepeatedMessages(1234, True, 8))
    assert "about 1,234 messages have an id that came before" in printed(report, 120)
    assert "(by one id in 8)" in printed(report, 120)
    assert as_read(report)["repeated_message_ids"] == {
        "messages": 1234,
        "approximate": True,
        "one_in": 8,
    }


@pytest.mark.parametrize("name", REPORTS)
def test_json_is_json_with_the_same_numbers(name: str) -> None:
    """All of it can be written, and adds up like the report."""
    report = REPORTS[name]
    described = as_read(report)
    assert described["messages"]["read"] == report.messages.read
    assert sum(described["types"].values()) == described["messages"]["described"]
    assert described["would_be_sent"]["messages"] == report.would_be_sent.messages
    listed = described["events"]["top"]
    others = described["events"]["others"]["messages"]
    assert sum(event["messages"] for event in listed) + others == described["types"].get("track", 0)


def test_json_has_value_by_type_and_month() -> None:
    """As numbers, with the calls beside them."""
    report = report_of(order(0.1), order(0.2, timestamp="2024-04-01"), rules=SHOP_RULES)
    assert as_read(report)["by_event_type"] == {
        "sale": {
            "calls": 2,
            "value": 0.3,
            "by_month": {
                "2024-03": {"calls": 1, "value": 0.1},
                "2024-04": {"calls": 1, "value": 0.2},
            },
        }
    }


@pytest.mark.parametrize("name", REPORTS)
def test_markdown_tables_are_whole(name: str) -> None:
    """Each row has as many cells as its heading, whatever an event is called."""
    width = 0
    for line in to_markdown(to_document(REPORTS[name])).splitlines():
        cells = line.replace("\\\\", "").replace("\\|", "").count("|")
        if cells and width:
            assert cells == width, line
        width = cells


def test_markdown_does_not_take_an_event_for_markup() -> None:
    """Its name stands in code as it is, with control characters written out."""
    text = to_markdown(to_document(report_of(track(HARMFUL))))
    assert "`<script>alert(1)</script> \\| \\x1b[31m **red** \\u202e`" in text


def test_the_page_escapes_every_value() -> None:
    """An event named like a script, a type, a channel: all stay text."""
    page = to_html(to_document(REPORTS["everything"]))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\x1b" not in page
    assert "\u202e" not in page


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_a_page(name: str) -> None:
    """Also one of nothing at all."""
    page = to_html(to_document(REPORTS[name]))
    assert page.count("<h1>") == 1
    assert "What is in the export" in page


@needs_chromium
def test_the_page_is_drawn_quietly(browser: Browser, tmp_path: Path) -> None:
    """On a phone and on a desk it fits, asks for nothing, and has no complaints."""
    file = tmp_path / "report.html"
    file.write_text(to_html(to_document(REPORTS["everything"])), encoding="utf-8")
    for width in (390, 1280):
        view = browser.view(file, width=width)
        assert view.page_width == width
        assert view.requests == [file.as_uri()]
        assert view.complaints == []
        assert "<script>alert(1)</script>" in view.text


@settings(max_examples=examples(20))
@given(st.lists(st.text(), max_size=5), st.integers(40, 130))
def test_any_name_fits_any_terminal(names: list[str], width: int) -> None:
    """No event name breaks a line or speaks to the terminal."""
    text = printed(report_of(*map(track, names), rules=SHOP_RULES), width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert all(character.isprintable() or character == "\n" for character in text)
