"""The report as one HTML page, to be mailed to the person who owns the budget."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from convertro_cli.review.diff.model import DiffReport
from convertro_cli.review.diff.samples import Sample
from convertro_cli.review.diff.totals import Table
from convertro_cli.review.diff.view import (
    FieldRow,
    TotalRow,
    all_groups,
    counted,
    field_rows,
    kinds_differ,
    place,
    total_rows,
)
from convertro_cli.review.diff.wording import reason, scope, summarise, title, warnings
from convertro_cli.review.masking import Masking
from convertro_cli.review.report import page
from convertro_cli.review.report.charts import BarPair, Drawn, Series, bars_before_after, days

_TEMPLATE = "review/diff/diff.html.j2"
_UNITS = ("calls before#", "after#", "difference#", "value before#", "after#", "difference#")
_MOST_BARS = 10
_LONGEST_FIGURE = 9
_SECTIONS = (
    ("days", "Calls by day"),
    ("types", "By Convertro event type"),
    ("events", "By Segment event"),
    ("kinds", "By kind of call"),
    ("settings", "Settings"),
    ("counts", "Messages and fields"),
)


def to_html(report: DiffReport, masking: Masking) -> str:
    """Write the report as one self-contained page."""
    tally = report.tally
    examples = list(_examples(report, masking))
    content: dict[str, Any] = {
        "days": _days(tally.by_day),
        "types": _totals("event type", tally.by_event_type),
        "events": _totals("event", tally.by_event),
        "kinds": _totals("call", tally.by_call) if kinds_differ(tally) else None,
        "settings": [[change.key, *change.texts] for change in report.settings or ()],
        "counts": [
            (heading, [[name, page.count(number)] for name, number in counts])
            for heading, counts in counted(tally)
        ],
    }
    sections = [(name, heading) for name, heading in _SECTIONS if content[name]]
    return page.render(
        _TEMPLATE,
        **content,
        report=report,
        name=PurePath(report.after).name,
        summary=summarise(report),
        scope=scope(report),
        warnings=warnings(report),
        figures=list(_figures(report)),
        value_bars=_bars(tally.by_event_type, "value"),
        call_bars=_bars(tally.by_event_type, "calls"),
        examples=examples,
        contents=sections + [(example["id"], example["heading"]) for example in examples],
    )


def _figures(report: DiffReport) -> Iterator[dict[str, str]]:
    for verdict in ("added", "removed", "changed", "unchanged"):
        number = report.tally.calls[verdict]
        tone = verdict if number and verdict != "unchanged" else ""
        yield {"label": f"Calls {verdict}", "value": page.count(number), "tone": tone}
    total = report.tally.by_event_type.sum()
    yield {
        "label": "Value of all events",
        "value": _briefly(total.value_difference),
        "note": f"{page.amount(total.before.value)} → {page.amount(total.after.value)}",
    }


def _briefly(difference: Decimal) -> str:
    """Write a difference without its cents where it is long: the summary has them."""
    text = page.signed(page.amount(difference))
    return text if len(text) <= _LONGEST_FIGURE else page.signed(page.count(round(difference)))


def _bars(table: Table, unit: str) -> Drawn:
    """Draw all events, and the event types that differ most, before and after."""
    pairs = []
    for name, row in [("all", table.sum()), *table.by_weight()][: 1 + _MOST_BARS]:
        before, after = (getattr(side, unit) for side in (row.before, row.after))
        write = page.count if unit == "calls" else page.amount
        pairs.append(BarPair(name, before, after, write(before), write(after)))
    return bars_before_after(pairs, f"{unit.capitalize()} by event type")


def _days(table: Table) -> Drawn | None:
    rows = {date.fromisoformat(day): row for day, row in table.rows.items()}
    if not rows:
        return None
    before = Series("before", {day: row.before.calls for day, row in rows.items()})
    after = Series("after", {day: row.after.calls for day, row in rows.items()})
    return days("Calls by day", before, after)


def _totals(heading: str, table: Table) -> dict[str, Any] | None:
    rows = total_rows(table)
    if not rows:
        return None
    return {
        "columns": [heading, *_UNITS],
        "rows": [_cells(row) for row in rows if row.role != "sum"],
        "total": next((_cells(row) for row in rows if row.role == "sum"), None),
    }


def _cells(row: TotalRow) -> list[Any]:
    return [row.name, *row.calls[:2], _toned(row.calls[2]), *row.value[:2], _toned(row.value[2])]


def _toned(difference: str) -> dict[str, str]:
    tones = {"+": "added", "−": "removed"}
    return {"text": difference, "tone": tones.get(difference[0], "")}


def _examples(report: DiffReport, masking: Masking) -> Iterator[dict[str, Any]]:
    """Give the examples by heading, then by kind."""
    for index, (heading, groups) in enumerate(all_groups(report.tally.groups)):
        kinds = [
            {
                "title": title(kind),
                "count": page.count(group.count),
                "reason": reason(kind),
                "samples": [_sample(one, masking) for one in group.samples],
            }
            for kind, group in groups
        ]
        yield {"id": f"examples-{index}", "heading": heading, "kinds": kinds}


def _sample(sample: Sample, masking: Masking) -> dict[str, Any]:
    sides = [side for side in (sample.before, sample.after) if side is not None]
    rows = field_rows(sample, masking)
    tone = "changed" if len(sides) == 2 else "removed" if sample.after is None else "added"
    return {
        "title": sample.event or sides[0].get("call", "message"),
        "place": place(sample._replace(event=None), masking),
        "tone": tone,
        "fields": [_told(row) if tone == "changed" else (row.name, _only(row)) for row in rows],
    }


def _only(row: FieldRow) -> str:
    return (row.before if row.after is None else row.after) or ""


def _told(row: FieldRow) -> tuple[str, str | None, str | None]:
    """Give a row; masked values that look alike and are not are told apart."""
    alike = row.changed and row.before == row.after
    return row.name, row.before, f"{row.after} (another)" if alike else row.after
