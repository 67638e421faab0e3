"""The report as one HTML page, to be mailed to whoever decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from convertro_cli.review.inspect import call_sections, sections
from convertro_cli.review.inspect.report import InspectReport, Times
from convertro_cli.review.inspect.section import INDENT, Section
from convertro_cli.review.inspect.summary import longest_gaps, sentence
from convertro_cli.review.inspect.wording import count, share, things
from convertro_cli.review.report.charts import Series, days
from convertro_cli.review.report.page import render

_MOST_TYPES = 8
_MOST_GAPS = 50


@dataclass(frozen=True, slots=True)
class Group:
    """Tables under one heading."""

    key: str
    title: str
    tables: Sequence[Section]


def to_html(report: InspectReport) -> str:
    """Write the report as one self-contained page. Raises ConvertroError without Jinja2."""
    times = report.times
    groups = [group for group in _groups(report) if group.tables or group.key == "time"]
    return render(
        "review/inspect/inspect.html.j2",
        lede=sentence(report),
        figures=list(_figures(report)),
        groups=groups,
        links=[(group.key, group.title) for group in groups],
        days=days("Messages by day", Series("messages", times.by_day)) if times else None,
    )


def _groups(report: InspectReport) -> Iterator[Group]:
    outcome = call_sections.outcome(report)
    calls = [call_sections.event_types(report), call_sections.months(report, _MOST_TYPES)]
    yield Group("outcome", outcome.title, _tables([_in_words(outcome), *calls]))
    if report.times is not None:
        times = [_hours(report.times), _gaps(report.times)]
        yield Group("time", "When it happened", _tables(times))
    content = [sections.types(report), sections.events(report), sections.sources(report)]
    yield Group("content", "What the messages are", _tables(content))
    faults = [_with_detail(sections.faults(report)), _with_detail(sections.warnings(report))]
    wrong = [_lacks(report), *faults]
    yield Group("wrong", "What is lacking or wrong", _tables(wrong))


def _tables(tables: Sequence[Section]) -> list[Section]:
    return [table for table in tables if table.rows]


# A phone has no room for a fourth column.


def _in_words(outcome: Section) -> Section:
    """Give the reasons in words: the page is for people who never see their codes."""
    rows = [
        (f"– {meaning or name.strip()}" if name.startswith(INDENT) else name, number, part)
        for name, number, part, meaning in outcome.rows
    ]
    return replace(outcome, title="Messages", columns=outcome.columns[:3], rows=rows)


def _lacks(report: InspectReport) -> Section:
    table = sections.lacks(report)
    rows = [(f"{what}, of {among}", number, part) for what, number, part, among in table.rows]
    return replace(table, columns=table.columns[:3], rows=rows)


def _with_detail(table: Section) -> Section:
    rows = [
        (reason, number, f"{place}: {detail}" if detail else place)
        for reason, number, place, detail in table.rows
    ]
    return replace(table, columns=table.columns[:3], rows=rows)


def _hours(times: Times) -> Section:
    rows = [(f"{hour:%Y-%m-%d %H:%M}", count(n)) for hour, n in times.by_hour.items()]
    return Section("Messages by hour", ("hour, UTC", "messages#"), rows)


def _gaps(times: Times) -> Section:
    rows = [
        (gap.first.isoformat(), gap.last.isoformat(), count(gap.days))
        for gap in longest_gaps(times, _MOST_GAPS)
    ]
    more = len(times.gaps) - len(rows)
    note = f"And {things(more, 'gap')} no longer than these." if more else ""
    columns = ("from", "to", "days#")
    return Section("Days without a message", columns, rows, note)


def _figures(report: InspectReport) -> Iterator[dict[str, str]]:
    outcome = report.outcome
    selection = f"{count(report.described)} inside the filters" if report.run.filtered else ""
    yield {"label": "Messages", "value": count(report.read), "note": selection}
    yield {
        "label": "Could be sent" if report.run.settings is None else "Would be sent",
        "value": count(outcome.sent),
        "note": share(outcome.sent, report.read),
    }
    if report.times is not None:
        yield _figure("Days without a message", report.times.days_without)
    repeats = report.repeats
    note = "" if repeats.is_exact else f"estimated by one id in {count(repeats.one_in)}"
    yield _figure("Repeated message ids", repeats.messages, note)
    failed = sum(outcome.invalid.values()) + sum(outcome.failed.values())
    yield _figure("Invalid or failed", failed, share(failed, report.read) if failed else "")


def _figure(label: str, number: int, note: str = "") -> dict[str, str]:
    """Give the figure of something that had better be none."""
    tone = "removed" if number else ""
    return {"label": label, "value": count(number), "note": note, "tone": tone}
