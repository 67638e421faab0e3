"""The report as it is shown: in a terminal, as Markdown, as a page."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from convertro_cli.mapping.rules import Rules
from convertro_cli.review.diff.compare import Wanted
from convertro_cli.review.diff.document import summarise, to_document, totals
from convertro_cli.review.diff.examples import fields_of
from convertro_cli.review.diff.report import DiffReport, write_json
from convertro_cli.review.diff.samples import ChangeKind, ChangeSample
from convertro_cli.review.masking import Masking, Show
from convertro_cli.review.report.document import Field, Table, as_cell
from convertro_cli.review.report.markdown import code, to_markdown
from convertro_cli.review.report.page import to_html
from convertro_cli.review.report.terminal import print_document
from convertro_cli.settings.compare import SettingDifference
from convertro_cli.text import visible
from tests.mapping.messages import cloud_message, make_rules, web_message
from tests.review.browser import Browser, needs_chromium
from tests.review.diff.comparing import compare

HARMFUL = "<script>alert(1)</script> | `x` ``\\| @someone \x1b[31m\n# **red** \u202e"
EMAIL = "jane.doe@example.com"

BEFORE = make_rules(events={"Signed Up": "signup", "Gone": "gone", "Lead": "lead"})
AFTER = make_rules(
    events={"Signed Up": ["signup", "trial"], "Gone": "gone", "Lead": "prospect"},
    mapping={"require_order_id": False, "traits": ["plan"], "unmapped_events": "send"},
    wire={"params": {"sid": "visitor"}},
)
MESSAGES = [
    web_message("track", event="Signed Up", userId=EMAIL, properties={"total": 12345678.9}),
    web_message("track", event=HARMFUL, messageId=HARMFUL, anonymousId=HARMFUL),
    web_message("identify", userId=EMAIL, traits={"plan": "pro", "email": EMAIL, "n": [1, 2]}),
    web_message("track", event="Gone", timestamp="2023-12-31T23:59:59Z"),
    web_message("track", event="Lead", anonymousId="z" * 200),
    web_message("track", event="Order Completed", properties={"total": 0.1}),
    web_message("track", event="x" * 500),
    web_message("track", event="円" * 60),
    cloud_message("identify", userId=None),
    *(web_message("track", event=f"A rather long name, number {n}") for n in range(40)),
]
CHANGED = [
    SettingDifference('events."Lead"', "lead", "prospect"),
    SettingDifference("convertro.domain", None, HARMFUL),
    SettingDifference("mapping.traits", "all", ["plan"] * 40),
]


def report_of(*messages: object, before: Rules = BEFORE, after: Rules = AFTER) -> DiffReport:
    """Compare messages, and give the report."""
    lines = [orjson.dumps(message) for message in messages]
    tally, _ = compare(lines, before, after, Wanted(2))
    report = DiffReport("old.toml", f"folder/{HARMFUL}.toml", tally, list(CHANGED))
    report.files["read"] = 1
    return report


REPORTS = {
    "everything": report_of(*MESSAGES),
    "nothing": report_of(),
    "no change": report_of(*MESSAGES, after=BEFORE),
    "only removed": report_of(*MESSAGES, after=make_rules(mapping={"unmapped_events": "drop"})),
}
DROPPING = make_rules(
    filters=[{"title": visible(HARMFUL), "if": "all", "actions": [{"type": "DROP"}]}]
)
REPORTS["dropped by a filter"] = report_of(*MESSAGES, after=DROPPING)
REPORTS["with remarks"] = report_of(*MESSAGES)
REPORTS["with remarks"].interrupted = True
REPORTS["with remarks"].notes.append(HARMFUL)
REPORTS["with remarks"].files.update(damaged=2, skipped=1)
REPORTS["with remarks"].settings = None


def printed(report: DiffReport, width: int, show: Show = "full") -> str:
    """What a terminal of this width shows."""
    stream = StringIO()
    console = Console(file=stream, width=width, force_terminal=False, highlight=False)
    print_document(to_document(report, Masking(show)), console)
    return stream.getvalue()


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    """Tables and samples fit into the width that there is."""
    for line in printed(REPORTS[name], width).splitlines():
        assert cell_len(line) <= width, line


@pytest.mark.parametrize("width", [80, 120])
def test_no_number_is_cut(width: int) -> None:
    """A table that is too wide is set as two, rather than losing digits."""
    text = printed(REPORTS["everything"], width)
    total = REPORTS["everything"].tally.by_event_type.total()
    for value in (total.before.value, total.after.value, total.value_difference):
        assert f"{value:,.2f}" in text
    lines = [line for line in text.splitlines() if "value before" in line]
    assert all(("calls before" in line) == (width == 120) for line in lines)


@pytest.mark.parametrize("name", REPORTS)
def test_no_event_speaks_to_the_terminal(name: str) -> None:
    """Control characters out of events and settings are escaped wherever they are shown."""
    for text in (
        printed(REPORTS[name], 80),
        to_markdown(to_document(REPORTS[name], Masking("full"))),
        to_html(to_document(REPORTS[name], Masking("full"))),
    ):
        assert "\x1b" not in text
        assert "\u202e" not in text


@pytest.mark.parametrize(
    ("messages", "after", "sentence"),
    [
        ([], BEFORE, "No call changes."),
        (MESSAGES[:1], BEFORE, "No call changes: the only one stays the same. "),
        (MESSAGES[:1] * 2, BEFORE, "No call changes: all 2 stay the same. "),
        (
            MESSAGES[:1],
            make_rules(events={"Signed Up": ["signup", "lead"]}),
            "1 call is added; one stays the same. The value of all events rises from "
            "12,345,678.90 to 24,691,357.80 (+12,345,678.90).",
        ),
        (
            MESSAGES[:1] * 2,
            make_rules(),
            "2 calls are removed; none stays the same. The value of all events falls from "
            "24,691,357.80 to 0.00 (−24,691,357.80).",
        ),
        (
            [*MESSAGES[:1], *MESSAGES[3:5]],
            make_rules(events={"Signed Up": ["signup", "x"], "Lead": "prospect"}),
            "1 call is added, 1 removed and 1 changed; one stays the same. ",
        ),
        (
            MESSAGES[4:5],
            make_rules(events={"Lead": "prospect"}),
            "1 call is changed; none stays the same. The events are worth 1.00, as before.",
        ),
        (MESSAGES[2:3], make_rules(mapping={"mode": "cloud"}), "1 call is removed; none stays the"),
    ],
)
def test_a_sentence_sums_it_up(messages: list[Any], after: Rules, sentence: str) -> None:
    """How many calls change how, and what the events are worth before and after."""
    assert summarise(report_of(*messages, after=after)).startswith(sentence)


def names(table: Table) -> list[str]:
    """The first cell of each row, that of the sum among them."""
    return [as_cell(row[0]).text for row in (*table.rows, table.total)]


def test_what_differs_stands_first_and_the_sum_last() -> None:
    """The eye finds what differs; the sum is that of all."""
    messages = [*MESSAGES[:1], *MESSAGES[3:5]]
    report = report_of(*messages, after=make_rules(events={"Signed Up": "signup", "Gone": "gone"}))
    ((both,), apart) = totals("", "event type", report.tally.by_event_type).variants
    assert names(both) == ["lead", "gone", "signup", "all"]
    assert [names(table) for table in apart] == [names(both), names(both)]
    tones = [as_cell(row[1]).tone for row in both.rows]
    assert tones == ["", "soft", "soft"]


def test_names_beyond_a_table_are_summed_up_in_its_last_row() -> None:
    """A table shows the 25 that differ most, one row for the others, and the sum."""
    ((table,), _) = totals("", "event", REPORTS["everything"].tally.by_event).variants
    assert len(table.rows) == 26
    assert names(table)[-2].endswith("others)")
    after = [int(as_cell(row[2]).text.replace(",", "")) for row in (*table.rows, table.total)]
    assert sum(after[:-1]) == after[-1]


def sample_of(report: DiffReport, change: str, **wanted: Any) -> ChangeSample:
    """The first sample of a kind of change."""
    return next(
        group.samples[0]
        for kind, group in report.tally.groups.kinds.items()
        if kind.change == change and all(getattr(kind, k) == v for k, v in wanted.items())
    )


def test_a_changed_url_is_taken_apart() -> None:
    """Where only the URL differs, its parts that do are shown, and nothing else differs."""
    sample = sample_of(REPORTS["everything"], "changed", fields=("url",))
    rows = [row for row in fields_of(sample, Masking("full")) if row.changed]
    assert rows == [
        Field("url: sid", "anon-1", None, True),
        Field("url: visitor", None, "anon-1", True),
    ]


def test_masked_values_that_differ_are_known_to_differ() -> None:
    """Two ids can look alike when they are masked: the row says that they are not."""
    fields = {"call": "event", "event_id": "user-1-7f"}
    sample = ChangeSample("e:1", None, None, fields, fields | {"event_id": "user-2-7f"})
    assert Field("event_id", "u…7f", "u…7f (another)", True) in fields_of(sample, Masking("masked"))
    report = report_of()
    report.tally.groups.note(ChangeKind("changed", fields=("event_id",)), lambda: sample)
    assert "u…7f (another)" in to_html(to_document(report, Masking("masked")))


def test_traits_are_compared_one_by_one() -> None:
    """Each trait is a row, with its value on the sides that have it."""
    sample = sample_of(REPORTS["everything"], "changed", fields=("traits",))
    rows = {row.name: row for row in fields_of(sample, Masking("full"))}
    assert rows["traits.plan"] == Field("traits.plan", "pro", "pro", False)
    assert rows["traits.email"] == Field("traits.email", EMAIL, None, True)
    assert rows["traits.n"].before == "[1,2]"


@pytest.mark.parametrize("show", ["masked", "none"])
def test_masked_reports_hold_no_id_and_no_trait(show: Show) -> None:
    """Whatever the form: no user's id, no visitor's, no trait, no address of a page."""
    report, masking = REPORTS["everything"], Masking(show)
    for text in (
        printed(report, 200, show),
        to_markdown(to_document(report, masking)),
        to_html(to_document(report, masking)),
        write_json(report, masking).decode(),
    ):
        for personal in (EMAIL, "jane", "anon-1", "203.0.113.9", "z" * 20, "x?y", "Mozilla"):
            assert personal not in text
        assert "Signed Up" in text


def _cells(line: str) -> list[str]:
    """Split a row of a table as GitHub does: at bars that no backslash stands before."""
    return re.split(r"(?<!\\)\|", line)[1:-1]


@pytest.mark.parametrize("name", REPORTS)
def test_markdown_tables_keep_their_columns(name: str) -> None:
    """No name breaks a table: every row has as many cells as its heading, each code or plain."""
    columns = 0
    for line in to_markdown(to_document(REPORTS[name], Masking("full"))).splitlines():
        if line.startswith("|"):
            columns = columns or len(_cells(line))
            assert len(_cells(line)) == columns, line
        else:
            columns = 0


@given(st.text())
@settings(max_examples=300)
def test_text_in_code_stays_there(text: str) -> None:
    """The fence is longer than any run of backticks in the text, and nothing is lost."""
    shown = code(text)
    if not text:
        assert shown == ""
        return
    fence = re.match("`+", shown)
    assert fence is not None
    inner = shown[len(fence[0]) : -len(fence[0])]
    assert shown.endswith(fence[0])
    assert fence[0] not in inner
    assert "\n" not in shown


def test_markdown_means_nothing_that_an_event_says() -> None:
    """No markup, no mention and no heading out of an event is left outside of code."""
    text = to_markdown(to_document(REPORTS["with remarks"], Masking("full")))
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)|<code>.*?</code>", "", text)
    assert "<script>" not in outside
    assert "alert" not in outside.replace("alert(1)", "")
    assert "@someone" not in outside.replace("\\@someone", "")


@pytest.mark.parametrize("name", REPORTS)
def test_the_page_escapes_what_an_event_says(name: str) -> None:
    """An event named like a script stays text."""
    html = to_html(to_document(REPORTS[name], Masking("full")))
    assert "<script" not in html
    assert html.count("<h1>") == 1


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_draws_the_page_quietly(browser: Browser, tmp_path: Path, width: int) -> None:
    """It asks for nothing, complains of nothing, runs nothing, and fits the window."""
    file = tmp_path / "report.html"
    file.write_text(to_html(to_document(REPORTS["everything"], Masking("masked"))))
    view = browser.view(file, width=width, dark=width == 390)
    assert view.requests == [file.as_uri()]
    assert view.complaints == []
    assert view.scripts == 0
    assert view.page_width <= width
    assert "<script>alert(1)</script>" in view.text
    headings = [name for role, name in view.accessible if role == "heading"]
    assert {"Calls by day", "By Convertro event type", "By Segment event"} <= set(headings)
    pictures = [name for role, name in view.accessible if role in {"image", "img"}]
    assert "Calls by day" in " ".join(pictures)
