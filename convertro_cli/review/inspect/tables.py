"""What the messages are, what they lack, and what is wrong with lines, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convertro_cli.review.inspect.report import EventTotal, Fault, InspectReport, Rest
from convertro_cli.review.report.document import Cell, Places, Row, Table
from convertro_cli.text import amount, count, share, things

AT_LEAST = (
    "There are more names than can be kept: rare ones were let go, and each number is at least."
)

_MOST_SOURCES = 12
_MODES = {"web": "the browser's rules (web)", "cloud": "the server's (cloud)"}


def types(report: InspectReport) -> Table:
    """Messages by type, with a word on whose rules they follow."""
    rows: list[Row] = [
        (Cell(name, "code"), count(n), share(n, report.described))
        for name, n in report.types.items()
    ]
    notes = []
    if report.modes:
        modes = " and ".join(f"{count(n)} by {_MODES[mode]}" for mode, n in report.modes.items())
        notes.append(f"Identify and track follow their mode: {modes}.")
    if report.other_types:
        rows.append(("others", count(report.other_types), ""))
        notes.append(AT_LEAST)
    return Table("Types", ("type", "messages#", "share#"), rows, " ".join(notes))


def sources(report: InspectReport) -> Table:
    """Messages by source library and channel."""
    shown, hidden = report.sources[:_MOST_SOURCES], report.sources[_MOST_SOURCES:]
    rows: list[Row] = [
        (_named(library), _named(channel), count(n), share(n, report.described))
        for library, channel, n in shown
    ]
    others = sum(n for *_, n in hidden) + report.other_sources
    if others:
        rows.append(("others", "", count(others), share(others, report.described)))
    columns = ("source library", "channel", "messages#", "share#")
    return Table("Sources", columns, rows, AT_LEAST if report.other_sources else "")


def _named(text: str) -> str | Cell:
    return Cell(text, "code") if text else "none"


def events(report: InspectReport) -> Table:
    """Tracks by event name, the most frequent ones."""
    with_settings = report.run.settings is not None
    columns = ["event", "messages#", "value found#", ""]
    if with_settings:
        columns[3:] = ["sent#", "value sent#", "becomes"]
    rows = [_event(event, with_settings) for event in report.top_events]
    others = report.other_events
    if others.messages:
        blank = [""] * (len(columns) - 2)
        rows.append([_others(others), count(others.messages), *blank])
    more = "" if report.dropped_events.is_exact else "more than "
    title = f"Events: {more}{things(len(report.events), 'name')}"
    return Table(title, columns, rows, " ".join(_event_notes(report)))


def _event(event: EventTotal, with_settings: bool) -> Row:
    worth = amount(event.sent_value) if event.sent and event.kind != "install" else ""
    sent = [count(event.sent) if event.sent else "–", worth]
    return [
        _name(event),
        count(event.messages),
        amount(event.value) if event.valued else "",
        *(sent if with_settings else []),
        _becomes(event, with_settings),
    ]


def _name(event: EventTotal) -> str | Cell:
    if not event.name:
        return "(no name)"
    spellings = len(event.spellings) - 1
    return Cell(f"{event.name} +{spellings}" if spellings else event.name, "code")


def _becomes(event: EventTotal, with_settings: bool) -> str:
    kind = {"order": "an order", "install": "an install"}.get(event.kind, "")
    if event.kind == "unmapped" and with_settings:
        return "its own name" if event.sent else "not in [events]"
    return ": ".join(filter(None, (kind, ", ".join(event.targets))))


def _others(others: Rest) -> str:
    if not others.names:
        return "rarer names"
    return f"{'' if others.is_exact else 'more than '}{things(others.names, 'other')}"


def _event_notes(report: InspectReport) -> Iterator[str]:
    if report.run.settings is not None:
        yield (
            "Value found is that of all messages. Value sent is that of the calls made of them: "
            "of both where there are two, and 1 where there is no amount."
        )
    unmapped = sum(event.kind == "unmapped" for event in report.events)
    if unmapped:
        verb = "is" if unmapped == 1 else "are"
        yield f"{count(unmapped)} {verb} not in [events]: --suggest proposes entries."
    if any(len(event.spellings) > 1 for event in report.top_events):
        yield "+2: two more spellings, which count as the same name."
    if not report.dropped_events.is_exact:
        yield AT_LEAST


def lacks(report: InspectReport) -> Table:
    """What messages lack."""
    rows = [
        (
            lack.what,
            count(lack.lacking),
            share(lack.lacking, lack.of),
            f"{count(lack.of)} {lack.among}",
        )
        for lack in report.lacks
    ]
    return Table("Lacking", ("what", "messages#", "share#", "among"), rows)


def faults(report: InspectReport) -> Places:
    """Invalid lines, and the first places of each reason."""
    return _places("Invalid or failed lines", report.faults)


def warnings(report: InspectReport) -> Places:
    """What is left out of calls that are sent all the same."""
    return _places("Warnings", report.warnings)


def _places(title: str, found: Sequence[Fault]) -> Places:
    return Places(title, [(fault.reason, fault.count, fault.places) for fault in found])
