"""What ``inspect`` found, as a document."""

from __future__ import annotations

from collections.abc import Iterator

from convertro_cli.review.inspect import tables
from convertro_cli.review.inspect.report import Gap, InspectReport, Repeats, Times
from convertro_cli.review.report.document import Days, Document, Figure, Part, Series
from convertro_cli.run.unread import in_words
from convertro_cli.text import count, share, size, things

_MOST_GAPS = 20


def to_document(report: InspectReport) -> Document:
    """Put the report into words and tables: what comes out first, then what went in."""
    return Document(
        command="convertro inspect",
        title="What is in the export",
        lede=_sentence(report),
        facts=list(glance(report)),
        figures=list(_figures(report)),
        parts=list(_parts(report)),
    )


def _parts(report: InspectReport) -> Iterator[Part]:
    outcome, types = tables.outcome(report), tables.event_types(report)
    yield Part("outcome", "What becomes of it", [outcome, types, tables.months(report)])
    kept_back, before = tables.kept_back(report), tables.came_before(report)
    gates = [kept_back, before, tables.marks(report), tables.consent(report)]
    yield Part("gates", "What is kept back, and why", gates)
    if report.times is not None:
        yield Part("time", "When it happened", [_days(report.times)])
    content = [tables.types(report), tables.events(report), tables.sources(report)]
    yield Part("content", "What the messages are", content)
    invalid = tables.troubles("Invalid or failed lines", report.faults)
    warnings = tables.troubles("Warnings", report.warnings)
    yield Part("wrong", "What is lacking or wrong", [tables.lacks(report), invalid, warnings])


def _sentence(report: InspectReport) -> str:
    """Say what the export is, in a sentence or two."""
    said = things(report.read, "message")
    if report.run.filtered:
        said = f"{count(report.described)} of {said} inside the filters"
    if report.times is not None:
        said += f" from {report.times.first.date()} to {report.times.last.date()}"
    sent, settings = report.outcome.sent, report.run.settings
    if settings is None:
        said += f", of which {count(sent)} could be sent."
    else:
        said += f". With {settings}, {count(sent)} of them would be sent."
    if report.times is not None and report.times.gaps:
        said += f" Without a message: {things(report.times.days_without, 'day')} in between."
    if report.run.interrupted:
        said += " The reading was interrupted: this is what was read until then."
    return said


def glance(report: InspectReport) -> Iterator[tuple[str, str]]:
    """Give what to know first, each with a label of a word or two."""
    run = report.run
    files = things(run.files["read"] + run.files["damaged"], "file")
    parts = [f"{count(report.read)} in {files}, {size(run.bytes_read)}"]
    if run.files["damaged"]:
        parts.append(f"{count(run.files['damaged'])} damaged")
    if run.files["skipped"]:
        parts.append(f"{count(run.files['skipped'])} more left unread: {in_words(run.unread)}")
    if run.interrupted:
        parts.append("interrupted: this is what was read until then")
    yield "messages", "; ".join(parts)
    if report.left_out:
        yield "left out", f"{count(report.left_out)} by the filters"
    if report.times is not None:
        yield "time", _span(report.times)
    yield "repeated ids", _repeated_ids(report.repeats, report.described)
    invalid = sum(report.outcome.invalid.values())
    yield "invalid", things(invalid, "line") if invalid else "none"


def _span(times: Times) -> str:
    first, last = f"{times.first:%Y-%m-%d %H:%M:%S}", f"{times.last:%Y-%m-%d %H:%M:%S}"
    hours = (times.last - times.first).total_seconds() / 3600
    length = f"{hours:.1f} hours" if times.by_hour else things(times.days, "day")
    return f"{first} to {last} UTC, {length}"


def _repeated_ids(repeats: Repeats, described: int) -> str:
    if not repeats.messages:
        return "none" if repeats.is_exact else "none found"
    about = "" if repeats.is_exact else "about "
    by = "" if repeats.is_exact else f" (by one id in {count(repeats.one_in)})"
    have = "message has" if repeats.messages == 1 else "messages have"
    part = share(repeats.messages, described)
    return f"{about}{count(repeats.messages)} {have} an id that came before, {part}{by}"


def _figures(report: InspectReport) -> Iterator[Figure]:
    outcome, repeats = report.outcome, report.repeats
    inside = f"{count(report.described)} inside the filters" if report.run.filtered else ""
    yield Figure("Messages", count(report.read), inside)
    can = "Could be sent" if report.run.settings is None else "Would be sent"
    yield Figure(can, count(outcome.sent), share(outcome.sent, report.read))
    if report.times is not None:
        yield _figure("Days without a message", report.times.days_without)
    note = "" if repeats.is_exact else f"estimated by one id in {count(repeats.one_in)}"
    yield _figure("Repeated message ids", repeats.messages, note)
    failed = sum(outcome.invalid.values()) + sum(outcome.failed.values())
    yield _figure("Invalid or failed", failed, share(failed, report.read) if failed else "")


def _figure(label: str, number: int, note: str = "") -> Figure:
    """Give the figure of something that had better be none."""
    return Figure(label, count(number), note, "removed" if number else "")


def _days(times: Times) -> Days:
    messages = Series("messages", times.by_day)
    return Days("Messages by day", [messages], times.by_hour, list(gap_lines(times, _MOST_GAPS)))


def gap_lines(times: Times, most: int) -> Iterator[str]:
    """Name the gaps of whole days, the ``most`` longest of them, in order of time."""
    if not times.is_exact:
        yield "There are more days than can be kept, so gaps are not named."
    if not times.gaps:
        return
    yield f"No message on {things(times.days_without, 'day')} between the first and the last:"
    longest = sorted(times.gaps, key=lambda gap: -gap.days)[:most]
    for gap in sorted(longest):
        yield f"  {_name(gap)}"
    if len(times.gaps) > most:
        yield f"  and {things(len(times.gaps) - most, 'gap')} no longer than these"


def _name(gap: Gap) -> str:
    if gap.first == gap.last:
        return f"{gap.first:%Y-%m-%d %a}"
    return f"{gap.first:%Y-%m-%d %a} to {gap.last:%Y-%m-%d %a}, {things(gap.days, 'day')}"
