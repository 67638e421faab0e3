"""What ``inspect`` found, as tables: what would be sent, what was kept back, and what went in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from convertro_cli.amounts import EXACTLY
from convertro_cli.mapping.calls import MEANINGS
from convertro_cli.review.inspect.events import NamedEvents, OtherNames
from convertro_cli.review.inspect.parts import Trouble
from convertro_cli.review.inspect.report import OTHER, InspectReport
from convertro_cli.review.report.document import INDENT, Fitting, Places, Row, Table, code
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
    found, read = report.would_be_sent, report.messages.read
    can = "could" if report.settings is None else "would"
    before = {"already delivered": found.already_delivered, "already failed": found.already_failed}
    rows = [(f"{can} be sent", found.messages, "")]
    rows += [(title, number, "came before") for title, number in before.items() if number]
    for title in ("skipped", "invalid", "failed"):
        reasons: Mapping[str, int] = getattr(found, title)
        if reasons:
            rows.append((title, sum(reasons.values()), ""))
        rows += [(f"{INDENT}{why}", n, MEANINGS.get(why, "")) for why, n in reasons.items()]
    return Table(
        f"What {can} be sent",
        ("messages", "number#", "share#", ""),
        [(title, count(n), share(n, read), note) for title, n, note in rows],
        " ".join(_outcome_notes(report)),
    )


def _outcome_notes(report: InspectReport) -> Iterator[str]:
    if report.settings is None:
        yield "Without settings: what the most generous settings would send."
    else:
        calls = dict(report.would_be_sent.calls)
        failed = calls.pop("failed", 0)
        kinds = ", ".join(f"{count(n)} {kind}" for kind, n in calls.items())
        made = f"{things(sum(calls.values()), 'call')}: {kinds}" if kinds else "No calls"
        fail = f"; {count(failed)} that cannot be sent" if failed else ""
        yield f"With {report.settings}. {made}{fail}."
    if report.filtered:
        yield "Of all messages read, as a replay counts them."


def event_types(report: InspectReport) -> Table:
    """Calls and value by Convertro event type, those of the greatest value."""
    totals = list(report.by_event_type.items())
    rows: list[Row] = [
        (code(name), count(total.calls), amount(total.value))
        for name, total in totals[: report.top]
    ]
    hidden, rest = [total for _, total in totals[report.top :]], report.other_event_types
    if others := sum(total.calls for total in hidden) + rest.calls:
        value = _sum([rest.value, *(total.value for total in hidden)])
        rows.append(("others", count(others), amount(value)))
    note = "A call without an amount counts as 1, as Convertro takes it."
    return Table("Calls by event type", ("event type", "calls#", "value#"), rows, note)


def months(report: InspectReport) -> Fitting:
    """Value by month, with as many event types as there is room for."""
    most = min(_MOST_TYPES, max(1, len(report.by_event_type)))
    return Fitting([[_months(report, number)] for number in range(most, 0, -1)])


def _months(report: InspectReport, most_types: int) -> Table:
    """Value by month, and by Convertro event type: a column each, and one for the others."""
    shown = [[total] for total in report.by_event_type.values()]
    columns = ["month", *(f"{name}#" for name in report.by_event_type)]
    if others := [total for some in shown[most_types:] for total in some]:
        shown[most_types:] = [others]
        columns[1 + most_types :] = [f"{things(len(others), 'other')}#"]
    rows = []
    for month in sorted(
        {month for total in report.by_event_type.values() for month in total.by_month}
    ):
        worth = [
            [total.by_month[month].value for total in some if month in total.by_month]
            for some in shown
        ]
        rows.append([month, *(amount(_sum(found)) if found else "–" for found in worth)])
    totals = [amount(_sum(total.value for total in some)) for some in shown]
    return Table("Value by month", columns, rows, total=["in all", *totals])


def _sum(values: Iterable[Decimal]) -> Decimal:
    """Add up amounts without rounding."""
    total = Decimal(0)
    for value in values:
        total = EXACTLY.add(total, value)
    return total


def kept_back(report: InspectReport) -> Table:
    """What a message's own choice, its user's, or a setting keeps back, and what it is worth."""
    rows: list[Row] = [
        (kept.reason, code(kept.title), count(kept.messages), amount(kept.value))
        for kept in report.kept_back
    ]
    return Table("Kept back", ("reason", "filter", "messages#", "value#"), rows)


def came_before(report: InspectReport) -> Table:
    """Copies, shared ids and repeated orders, each with the value at stake."""
    rows = [
        (what, count(number), amount(value), meaning)
        for what, (number, value), meaning in (
            ("copies", report.copies, "calls that came before: not sent again"),
            ("shared ids", report.shared_message_ids, "messages whose id another one had before"),
            ("repeated orders", report.repeated_orders, "calls for an order that came before"),
        )
        if number
    ]
    return Table("Came before", ("what", "number#", "value#", ""), rows)


def marks(report: InspectReport) -> Table:
    """Web messages by month, and by what analytics.js wrote of their delivery in the browser."""
    rows: list[Row] = []
    for found in report.web_messages:
        numbers = (count(found[mark]) if mark in found else "–" for mark in _MARKS)
        rows.append((found["month"] or "no time", *numbers))
    columns = ("month", "delivered#", "not loaded#", "failed to load#", "unmarked#")
    note = "What the browser delivered is at Convertro already: see [mapping] delivered_in_browser."
    return Table("Web messages by delivery in the browser", columns, rows, note)


def consent(report: InspectReport) -> Table:
    """The categories of consent that messages carry, and how many give and refuse each."""
    found = report.consent
    rows: list[Row] = [
        (code(name), *(text for n in choices for text in (count(n), share(n, found.of))))
        for name, choices in found.categories.items()
    ]
    if found.carrying and not rows:
        rows = [("no category", "0", "", "0", "")]
    note = f"{count(found.carrying)} of {count(found.of)} identifies and tracks carry consent."
    columns = ("category", "given#", "share#", "refused#", "share#")
    return Table("Consent", columns, rows, f"{note} {found.hint}".strip())


def types(report: InspectReport) -> Table:
    """Messages by type, with a word on whose rules they follow."""
    rows: list[Row] = [
        ("others", count(n), "")
        if name == OTHER
        else (code(name), count(n), share(n, report.messages.described))
        for name, n in report.types.items()
    ]
    notes = []
    if report.modes:
        modes = " and ".join(f"{count(n)} by {_MODES[mode]}" for mode, n in report.modes.items())
        notes.append(f"Identify and track follow their mode: {modes}.")
    if OTHER in report.types:
        notes.append(AT_LEAST)
    return Table("Types", ("type", "messages#", "share#"), rows, " ".join(notes))


def sources(report: InspectReport) -> Table:
    """Messages by source library and channel."""
    described = report.messages.described
    rows: list[Row] = [
        (*(code(name) if name else "none" for name in names), count(n), share(n, described))
        for *names, n in report.sources[:_MOST_SOURCES]
    ]
    others = sum(one.messages for one in report.sources[_MOST_SOURCES:]) + report.other_sources
    if others:
        rows.append(("others", "", count(others), share(others, described)))
    columns = ("source library", "channel", "messages#", "share#")
    return Table("Sources", columns, rows, AT_LEAST if report.other_sources else "")


def events(report: InspectReport) -> Table:
    """Tracks by event name, the most frequent ones."""
    found, with_settings = report.events, report.settings is not None
    columns = ["event", "messages#", "value found#", ""]
    if with_settings:
        columns[3:] = ["sent#", "value sent#", "becomes"]
    rows = [_event(event, with_settings) for event in found.top]
    if found.others.messages:
        blank = [""] * (len(columns) - 2)
        rows.append([_others(found.others), count(found.others.messages), *blank])
    more = "" if found.names_are_all else "more than "
    title = f"Events: {more}{things(found.names, 'name')}"
    return Table(title, columns, rows, " ".join(_event_notes(report)))


def _event(event: NamedEvents, with_settings: bool) -> Row:
    sent = event.would_be_sent
    worth = amount(event.value_sent) if sent and event.kind != "install" else ""
    spellings = len(event.spellings) - 1
    return [
        code(event.name + (f" +{spellings}" if spellings else "")) if event.name else "(no name)",
        count(event.messages),
        amount(event.value_found) if event.with_amount else "",
        *([count(sent) if sent else "–", worth] if with_settings else []),
        _becomes(event, with_settings),
    ]


def _becomes(event: NamedEvents, with_settings: bool) -> str:
    kind = {"order": "an order", "install": "an install"}.get(event.kind, "")
    if event.kind == "unmapped" and with_settings:
        return "its own name" if event.would_be_sent else "not in [events]"
    return ": ".join(filter(None, (kind, ", ".join(event.targets))))


def _others(others: OtherNames) -> str:
    if not others.names:
        return "rarer names"
    return f"{'' if others.names_are_all else 'more than '}{things(others.names, 'other')}"


def _event_notes(report: InspectReport) -> Iterator[str]:
    if report.settings is not None:
        yield (
            "Value found is that of all messages. Value sent is that of the calls made of them: "
            "of both where there are two, and 1 where there is no amount."
        )
    if unmapped := sum(event.kind == "unmapped" for event in report.events.every):
        verb = "is" if unmapped == 1 else "are"
        yield f"{count(unmapped)} {verb} not in [events]: --suggest proposes entries."
    if any(len(event.spellings) > 1 for event in report.events.top):
        yield "+2: two more spellings, which count as the same name."
    if not report.events.names_are_all:
        yield AT_LEAST


def lacks(report: InspectReport) -> Table:
    """What messages lack."""
    rows = [
        (what, count(lacking), share(lacking, of), f"{count(of)} {among}")
        for what, among, lacking, of in report.lacking
    ]
    return Table("Lacking", ("what", "messages#", "share#", "among"), rows)


def troubles(title: str, found: Mapping[str, Trouble]) -> Places:
    """Invalid lines or warnings, and the first places of each reason."""
    return Places(title, [(reason, each.count, each.places) for reason, each in found.items()])
