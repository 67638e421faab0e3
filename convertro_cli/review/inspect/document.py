"""What ``inspect`` found, as a document."""

from __future__ import annotations

from collections.abc import Iterator

from convertro_cli.review.inspect import tables
from convertro_cli.review.inspect.parts import Gap, RepeatedMessages, Times
from convertro_cli.review.inspect.report import InspectReport
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
    if report.time is not None:
        yield Part("time", "When it happened", [_days(report.time)])
    content = [tables.types(report), tables.events(report), tables.sources(report)]
    yield Part("content", "What the messages are", content)
    invalid = tables.troubles("Invalid or failed lines", report.invalid)
    warnings = tables.troubles("Warnings", report.warnings)
    yield Part("wrong", "What is lacking or wrong", [tables.lacks(report), invalid, warnings])


def _sentence(report: InspectReport) -> str:
    """Say what the export is, in a sentence or two."""
    said = things(report.messages.read, "message")
    if report.filtered:
        said = f"{count(report.messages.described)} of {said} inside the filters"
    if report.time is not None:
        said += f" from {report.time.first.date()} to {report.time.last.date()}"
    sent, settings = report.would_be_sent.messages, report.settings
    if settings is None:
        said += f", of which {count(sent)} could be sent."
    else:
        said += f". With {settings}, {count(sent)} of them would be sent."
    if report.time is not None and report.time.gaps:
        said += f" Without a message: {things(report.time.days_without, 'day')} in between."
    if report.interrupted:
        said += " The reading was interrupted: this is what was read until then."
    return said


def glance(report: InspectReport) -> Iterator[tuple[str, str]]:
    """Give what to know first, each with a label of a word or two."""
    files = things(report.files["read"] + report.files["damaged"], "file")
    parts = [f"{count(report.messages.read)} in {files}, {size(report.bytes_read)}"]
    if report.files["damaged"]:
        parts.append(f"{count(report.files['damaged'])} damaged")
    if report.files["skipped"]:
        why = in_words(report.unread)
        parts.append(f"{count(report.files['skipped'])} more left unread: {why}")
    if report.interrupted:
        parts.append("interrupted: this is what was read until then")
    yield "messages", "; ".join(parts)
    if report.messages.left_out:
        yield "left out", f"{count(report.messages.left_out)} by the filters"
    if report.time is not None:
        yield "time", _span(report.time)
    yield "repeated ids", _repeated_ids(report.repeated_message_ids, report.messages.described)
    invalid = sum(report.would_be_sent.invalid.values())
    yield "invalid", things(invalid, "line") if invalid else "none"


def _span(times: Times) -> str:
    first, last = f"{times.first:%Y-%m-%d %H:%M:%S}", f"{times.last:%Y-%m-%d %H:%M:%S}"
    hours = (times.last - times.first).total_seconds() / 3600
    length = f"{hours:.1f} hours" if times.by_hour else things(times.days, "day")
    return f"{first} to {last} UTC, {length}"


def _repeated_ids(repeats: RepeatedMessages, described: int) -> str:
    if not repeats.messages:
        return "none found" if repeats.approximate else "none"
    about = "about " if repeats.approximate else ""
    by = f" (by one id in {count(repeats.one_in)})" if repeats.approximate else ""
    have = "message has" if repeats.messages == 1 else "messages have"
    part = share(repeats.messages, described)
    return f"{about}{count(repeats.messages)} {have} an id that came before, {part}{by}"


def _figures(report: InspectReport) -> Iterator[Figure]:
    outcome, repeats = report.would_be_sent, report.repeated_message_ids
    inside = f"{count(report.messages.described)} inside the filters" if report.filtered else ""
    yield Figure("Messages", count(report.messages.read), inside)
    can = "Could be sent" if report.settings is None else "Would be sent"
    yield Figure(can, count(outcome.messages), share(outcome.messages, report.messages.read))
    if report.time is not None:
        yield _figure("Days without a message", report.time.days_without)
    note = f"estimated by one id in {count(repeats.one_in)}" if repeats.approximate else ""
    yield _figure("Repeated message ids", repeats.messages, note)
    failed = sum(outcome.invalid.values()) + sum(outcome.failed.values())
    yield _figure(
        "Invalid or failed", failed, share(failed, report.messages.read) if failed else ""
    )


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
