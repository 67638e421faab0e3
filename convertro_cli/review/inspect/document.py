"""What ``inspect`` found, as a document."""

from __future__ import annotations

from collections.abc import Iterator

from convertro_cli.review.inspect import call_tables, gate_tables, tables
from convertro_cli.review.inspect.report import InspectReport, Times
from convertro_cli.review.inspect.summary import gap_lines, glance, sentence
from convertro_cli.review.report.document import Days, Document, Figure, Part, Series
from convertro_cli.text import count, share

_MOST_GAPS = 20


def to_document(report: InspectReport) -> Document:
    """Put the report into words and tables: what comes out first, then what went in."""
    return Document(
        command="convertro inspect",
        title="What is in the export",
        lede=sentence(report),
        facts=list(glance(report)),
        figures=list(_figures(report)),
        parts=list(_parts(report)),
    )


def _parts(report: InspectReport) -> Iterator[Part]:
    outcome = call_tables.outcome(report)
    types, months = call_tables.event_types(report), call_tables.months(report)
    yield Part("outcome", "What becomes of it", [outcome, types, months])
    kept_back, before = gate_tables.kept_back(report), gate_tables.came_before(report)
    marks, consent = gate_tables.marks(report), gate_tables.consent(report)
    yield Part("gates", "What is kept back, and why", [kept_back, before, marks, consent])
    if report.times is not None:
        yield Part("time", "When it happened", [_days(report.times)])
    content = [tables.types(report), tables.events(report), tables.sources(report)]
    yield Part("content", "What the messages are", content)
    faults, warnings = tables.faults(report), tables.warnings(report)
    yield Part("wrong", "What is lacking or wrong", [tables.lacks(report), faults, warnings])


def _days(times: Times) -> Days:
    messages = Series("messages", times.by_day)
    return Days("Messages by day", [messages], times.by_hour, list(gap_lines(times, _MOST_GAPS)))


def _figures(report: InspectReport) -> Iterator[Figure]:
    outcome = report.outcome
    inside = f"{count(report.described)} inside the filters" if report.run.filtered else ""
    yield Figure("Messages", count(report.read), inside)
    can = "Could be sent" if report.run.settings is None else "Would be sent"
    yield Figure(can, count(outcome.sent), share(outcome.sent, report.read))
    if report.times is not None:
        yield _figure("Days without a message", report.times.days_without)
    repeats = report.repeats
    note = "" if repeats.is_exact else f"estimated by one id in {count(repeats.one_in)}"
    yield _figure("Repeated message ids", repeats.messages, note)
    failed = sum(outcome.invalid.values()) + sum(outcome.failed.values())
    yield _figure("Invalid or failed", failed, share(failed, report.read) if failed else "")


def _figure(label: str, number: int, note: str = "") -> Figure:
    """Give the figure of something that had better be none."""
    return Figure(label, count(number), note, "removed" if number else "")
