"""What ``inspect`` found, as tables: what would be sent, what was kept back, and what went in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from convertro_cli.amounts import EXACTLY
from convertro_cli.mapping.calls import MEANINGS
from convertro_cli.review.inspect.report import InspectReport, NamedEvents, Rest, Trouble, TypeTotal
from convertro_cli.review.report.document import INDENT, Cell, Fitting, Places, Row, Table
from convertro_cli.text import amount, count, share, things

AT_LEAST = (
    "There are more names than can be kept: rare ones were let go, and each number is at least."
)

_MOST_TYPES = 8
_MOST_SOURCES = 12
_MODES = {"web": "the browser's rules (web)", "cloud": "the server's (cloud)"}
_MARKS = ("delivered", "not loaded", "failed", "unmarked")


def outcome(report: InspectReport) -> Table:
    """What would be sent, what not, and why."""
    found, read = report.outcome, report.read
    can = "could" if report.run.settings is None else "would"
    rows: list[Row] = [(f"{can} be sent", count(found.sent), share(found.sent, read), "")]
    for title, before in (
        ("already delivered", found.already_delivered),
        ("already failed", found.already_failed),
    ):
        if before:
            rows.append((title, count(before), share(before, read), "came before"))
    for title in ("skipped", "invalid", "failed"):
        reasons = getattr(found, title)
        if total := sum(reasons.values()):
            rows.append((title, count(total), share(total, read), ""))
        for reason, n in reasons.items():
            rows.append((f"{INDENT}{reason}", count(n), share(n, read), MEANINGS.get(reason, "")))
    columns = ("messages", "number#", "share#", "")
    return Table(f"What {can} be sent", columns, rows, _outcome_note(report))


def _outcome_note(report: InspectReport) -> str:
    if report.run.settings is None:
        note = "Without settings: what the most generous settings would send."
    else:
        calls = report.outcome.calls
        kinds = ", ".join(f"{count(n)} {kind}" for kind, n in calls.items())
        made = f"{things(sum(calls.values()), 'call')}: {kinds}" if kinds else "No calls"
        note = f"With {report.run.settings}. {made}."
    if report.run.filtered:
        note += " Of all messages read, as a replay counts them."
    return note


def event_types(report: InspectReport) -> Table:
    """Calls and value by Convertro event type, those of the greatest value."""
    shown, hidden = report.by_type[: report.top], report.by_type[report.top :]
    dropped = report.dropped_types
    rows: list[Row] = [
        (Cell(total.event_type, "code"), count(total.calls), amount(total.value)) for total in shown
    ]
    if hidden or dropped.count:
        others = sum(total.calls for total in hidden) + dropped.count
        value = EXACTLY.add(_worth(hidden), dropped.value)
        rows.append(("others", count(others), amount(value)))
    note = "A call without an amount counts as 1, as Convertro takes it."
    columns = ("event type", "calls#", "value#")
    return Table("Calls by event type", columns, rows, note)


def months(report: InspectReport) -> Fitting:
    """Value by month, with as many event types as there is room for."""
    most = min(_MOST_TYPES, max(1, len(report.by_type)))
    return Fitting([[_months(report, number)] for number in range(most, 0, -1)])


def _months(report: InspectReport, most_types: int) -> Table:
    """Value by month, and by Convertro event type: a column each, and one for the others."""
    shown, hidden = report.by_type[:most_types], report.by_type[most_types:]
    columns = ["month", *(f"{total.event_type}#" for total in shown)]
    if hidden:
        columns.append(f"{things(len(hidden), 'other')}#")
    rows = []
    for month in sorted({month for total in report.by_type for month in total.by_month}):
        cells = [
            amount(_worth([total], month)) if month in total.by_month else "–" for total in shown
        ]
        others = [amount(_worth(hidden, month))] if hidden else []
        rows.append([month, *cells, *others])
    totals = [amount(total.value) for total in shown]
    others = [amount(_worth(hidden))] if hidden else []
    return Table("Value by month", columns, rows, "", ["in all", *totals, *others])


def _worth(totals: Sequence[TypeTotal], month: str | None = None) -> Decimal:
    """Add up what event types are worth, in all or in a month."""
    value = Decimal(0)
    for total in totals:
        if month is None:
            value = EXACTLY.add(value, total.value)
        elif month in total.by_month:
            value = EXACTLY.add(value, total.by_month[month].value)
    return value


def kept_back(report: InspectReport) -> Table:
    """What a message's own choice, its user's, or a setting keeps back, and what it is worth."""
    rows: list[Row] = [
        (kept.reason, Cell(kept.title, "code"), count(kept.messages), amount(kept.value))
        for kept in report.gates.kept_back
    ]
    return Table("Kept back", ("reason", "filter", "messages#", "value#"), rows)


def came_before(report: InspectReport) -> Table:
    """Copies, shared ids and repeated orders, each with the value at stake."""
    before = report.came_before
    rows = [
        (what, count(found.count), amount(found.value), meaning)
        for what, found, meaning in (
            ("copies", before.copies, "calls that came before: not sent again"),
            ("shared ids", before.shared_ids, "messages whose id another one had before"),
            ("repeated orders", before.repeated_orders, "calls for an order that came before"),
        )
        if found.count
    ]
    return Table("Came before", ("what", "number#", "value#", ""), rows)


def marks(report: InspectReport) -> Table:
    """Web messages by month, and by what analytics.js wrote of their delivery in the browser."""
    rows: list[Row] = [
        (month or "no time", *(count(found[mark]) if mark in found else "–" for mark in _MARKS))
        for month, found in report.gates.by_month.items()
    ]
    columns = ("month", "delivered#", "not loaded#", "failed to load#", "unmarked#")
    note = "What the browser delivered is at Convertro already: see [mapping] delivered_in_browser."
    return Table("Web messages by delivery in the browser", columns, rows, note)


def consent(report: InspectReport) -> Table:
    """The categories of consent that messages carry, and how many give and refuse each."""
    found = report.gates
    rows: list[Row] = [
        (Cell(name, "code"), *(text for n in both for text in (count(n), share(n, found.of))))
        for name, both in found.categories.items()
    ]
    if found.carrying and not rows:
        rows = [("no category", "0", "", "0", "")]
    note = f"{count(found.carrying)} of {count(found.of)} identifies and tracks carry consent."
    columns = ("category", "given#", "share#", "refused#", "share#")
    return Table("Consent", columns, rows, " ".join(filter(None, (note, found.hint))))


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
        (*(Cell(name, "code") if name else "none" for name in names), count(n), _part(n, report))
        for *names, n in shown
    ]
    others = sum(n for *_, n in hidden) + report.other_sources
    if others:
        rows.append(("others", "", count(others), _part(others, report)))
    columns = ("source library", "channel", "messages#", "share#")
    return Table("Sources", columns, rows, AT_LEAST if report.other_sources else "")


def _part(number: int, report: InspectReport) -> str:
    return share(number, report.described)


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


def _event(event: NamedEvents, with_settings: bool) -> Row:
    worth = amount(event.sent_value) if event.sent and event.kind != "install" else ""
    sent = [count(event.sent) if event.sent else "–", worth]
    spellings = len(event.spellings) - 1
    name = Cell(f"{event.name} +{spellings}" if spellings else event.name, "code")
    return [
        name if event.name else "(no name)",
        count(event.messages),
        amount(event.value) if event.valued else "",
        *(sent if with_settings else []),
        _becomes(event, with_settings),
    ]


def _becomes(event: NamedEvents, with_settings: bool) -> str:
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
        (what, count(lacking), share(lacking, of), f"{count(of)} {among}")
        for what, among, lacking, of in report.lacks
    ]
    return Table("Lacking", ("what", "messages#", "share#", "among"), rows)


def troubles(title: str, found: Sequence[Trouble]) -> Places:
    """Invalid lines or warnings, and the first places of each reason."""
    return Places(title, [(each.reason, each.count, each.places) for each in found])
