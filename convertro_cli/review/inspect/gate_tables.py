"""What the gates see and keep back, and what came before, as tables."""

from __future__ import annotations

from convertro_cli.review.inspect.report import InspectReport
from convertro_cli.review.report.document import Cell, Row, Table
from convertro_cli.text import amount, count, share

_MARKS = ("delivered", "not loaded", "failed", "unmarked")


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
    found = report.gates.consents
    rows: list[Row] = [
        (
            Cell(category, "code"),
            count(given),
            share(given, found.of),
            count(refused),
            share(refused, found.of),
        )
        for category, (given, refused) in found.categories.items()
    ]
    if found.carrying and not rows:
        rows = [("no category", "0", "", "0", "")]
    note = f"{count(found.carrying)} of {count(found.of)} identifies and tracks carry consent."
    columns = ("category", "given#", "share#", "refused#", "share#")
    return Table("Consent", columns, rows, " ".join(filter(None, (note, found.hint))))


def kept_back(report: InspectReport) -> Table:
    """What a message's own choice, its user's, or a setting keeps back, and what it is worth."""
    rows: list[Row] = [
        (kept.reason, Cell(kept.title, "code"), count(kept.messages), amount(kept.value))
        for kept in report.gates.kept_back
    ]
    columns = ("reason", "filter", "messages#", "value#")
    return Table("Kept back", columns, rows, "")


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
    return Table("Came before", ("what", "number#", "value#", ""), rows, "")
