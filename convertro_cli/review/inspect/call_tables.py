"""What would be sent, what not and why, and what it is worth, as tables."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from convertro_cli.review.inspect.report import InspectReport, TypeTotal
from convertro_cli.review.report.document import INDENT, Cell, Fitting, Row, Table
from convertro_cli.text import amount, count, share, things

_MOST_TYPES = 8
_MEANING = {
    "unsupported_type": "no identify and no track",
    "suppressed_user": "a user on a suppression list",
    "no_consent": "without the consent that is asked for",
    "consent_missing": "nothing said of consent",
    "disabled_by_integrations": "turned off in the message",
    "disabled_by_schema": "switched off in [schema]",
    "delivered_in_browser": "at Convertro already",
    "filtered_out": "outside the filters",
    "dropped_by_filter": "dropped by a destination filter",
    "sampled_out": "not in a filter's sample",
    "dropped_by_transformation": "dropped by a transformation",
    "engage_track": "a track by Engage that is not in [events]",
    "missing_user_id": "an identify without userId",
    "missing_event_name": "a track without a name",
    "missing_device_id": "no context.device.id",
    "missing_order_id": "an order without an order id",
    "unmapped_event": "not in [events]",
    "cloud_settings_missing": "client_name, site_id or domain",
    "repeated_order": "an order of an earlier message",
    "invalid_json": "no JSON",
    "not_an_object": "JSON, but no object",
    "missing_type": "no string 'type'",
    "unknown_type": "a type that Segment does not have",
    "missing_timestamp": "no time of its own",
    "invalid_timestamp": "no time that can be used",
    "unreadable_amount": "an amount that cannot be read",
    "line_too_long": "a line of more than 1 MiB",
    "request_too_long": "a URL too long for servers",
}


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
    for title, reasons in (
        ("skipped", found.skipped),
        ("invalid", found.invalid),
        ("failed", found.failed),
    ):
        total = sum(reasons.values())
        if total:
            rows.append((title, count(total), share(total, read), ""))
        for reason, n in reasons.items():
            rows.append((f"{INDENT}{reason}", count(n), share(n, read), _MEANING.get(reason, "")))
    columns = ("messages", "number#", "share#", "")
    return Table(f"What {can} be sent", columns, rows, _note(report))


def _note(report: InspectReport) -> str:
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
    rows: list[Row] = [
        (Cell(total.event_type, "code"), count(total.calls), amount(total.value)) for total in shown
    ]
    if hidden or report.dropped_types.messages:
        others = sum(total.calls for total in hidden) + report.dropped_types.messages
        value = _sum([*(total.value for total in hidden), report.dropped_value])
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
            amount(_worth(total, month)) if month in total.by_month else "–" for total in shown
        ]
        others = [amount(_sum(_worth(total, month) for total in hidden))] if hidden else []
        rows.append([month, *cells, *others])
    totals = [amount(total.value) for total in shown]
    others = [amount(_sum(total.value for total in hidden))] if hidden else []
    return Table("Value by month", columns, rows, "", ["in all", *totals, *others])


def _worth(total: TypeTotal, month: str) -> Decimal:
    return total.by_month[month][1] if month in total.by_month else Decimal(0)


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, Decimal(0))
