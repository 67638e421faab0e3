"""What a comparison found, as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import PurePath

from convertro_cli.review.diff.model import DiffReport
from convertro_cli.review.diff.samples import Kind, Sample
from convertro_cli.review.diff.totals import Table as Totals
from convertro_cli.review.diff.view import (
    FieldRow,
    TotalRow,
    all_groups,
    counted,
    field_rows,
    filter_rows,
    kinds_differ,
    place,
    total_rows,
)
from convertro_cli.review.diff.wording import reason, scope, summarise, title, warnings
from convertro_cli.review.masking import Masking
from convertro_cli.review.report.document import (
    Bars,
    Block,
    Cell,
    Days,
    Document,
    Example,
    Examples,
    Field,
    Figure,
    Fitting,
    Pair,
    Part,
    Row,
    Series,
    Table,
    Tone,
)
from convertro_cli.text import amount, count, signed

_MOST_BARS = 10
_LONGEST_FIGURE = 9
_SIDES = ("before#", "after#", "difference#")
_TONES: dict[str, Tone] = {"differs": "", "same": "soft", "sum": "strong"}


def to_document(report: DiffReport, masking: Masking) -> Document:
    """Put the report into words, tables and examples: what changes first, then why."""
    return Document(
        command=f"convertro diff: {report.before} → {report.after}",
        title=f"What changes with {PurePath(report.after).name}",
        lede=f"{summarise(report)} Compared: {scope(report)}.",
        facts=[("settings", f"{report.before} → {report.after}")],
        warnings=warnings(report),
        figures=list(_figures(report)),
        parts=list(_parts(report, masking)),
    )


def _parts(report: DiffReport, masking: Masking) -> Iterator[Part]:
    tally = report.tally
    yield from _settings(report)
    if tally.by_day.rows:
        yield Part("days", "Calls by day", [_days(tally.by_day)])
    types = _totals("By Convertro event type", "event type", tally.by_event_type)
    if types:
        bars = [_bars(tally.by_event_type, unit) for unit in ("value", "calls")]
        yield Part("types", "By Convertro event type", [*bars, *types])
    events = _totals("By Segment event", "event", tally.by_event)
    if events:
        yield Part("events", "By Segment event", events)
    if kinds_differ(tally):
        kinds = _totals("By kind of call", "call", tally.by_call)
        yield Part("kinds", "By kind of call", kinds)
    counts: list[Block] = [
        Table(
            heading, ("", "number#"), [(Cell(name, "code"), count(number)) for name, number in rows]
        )
        for heading, rows in counted(tally)
    ]
    dropped = filter_rows(report)
    if dropped:
        rows: list[Row] = [
            (Cell(name, "code"), then, now, _difference(by)) for name, then, now, by in dropped
        ]
        counts.insert(0, Table("Messages dropped by filters", ("filter", *_SIDES), rows))
    if counts:
        yield Part("counts", "Messages and fields", counts)
    for index, (heading, groups) in enumerate(all_groups(tally.groups)):
        blocks = [_examples(kind, group.count, group.samples, masking) for kind, group in groups]
        yield Part(f"examples-{index}", heading, blocks)


def _settings(report: DiffReport) -> Iterator[Part]:
    if report.settings:
        rows = [
            tuple(Cell(text, "code") for text in (change.key, *change.texts))
            for change in report.settings
        ]
        table = Table("Settings that differ", ("key", "before", "after"), rows)
        yield Part("settings", "Settings", [table])


def _figures(report: DiffReport) -> Iterator[Figure]:
    tones: dict[str, Tone] = {"added": "added", "removed": "removed", "changed": "changed"}
    for verdict in ("added", "removed", "changed", "unchanged"):
        number = report.tally.calls[verdict]
        tone = tones.get(verdict, "") if number else ""
        yield Figure(f"Calls {verdict}", count(number), tone=tone)
    total = report.tally.by_event_type.sum()
    sides = f"{amount(total.before.value)} → {amount(total.after.value)}"
    yield Figure("Value of all events", _briefly(total.value_difference), sides)


def _briefly(difference: Decimal) -> str:
    """Write a difference without its cents where it is long: the summary has them."""
    text = signed(amount(difference))
    return text if len(text) <= _LONGEST_FIGURE else signed(count(round(difference)))


def _days(table: Totals) -> Days:
    rows = {date.fromisoformat(day): row for day, row in table.rows.items()}
    before = Series("before", {day: row.before.calls for day, row in rows.items()})
    after = Series("after", {day: row.after.calls for day, row in rows.items()})
    return Days("Calls by day (UTC), before and after", [before, after], {})


def _bars(table: Totals, unit: str) -> Bars:
    """Give all events, and the event types that differ most, before and after."""
    write = count if unit == "calls" else amount
    pairs = []
    for name, row in [("all", table.sum()), *table.by_weight()][: 1 + _MOST_BARS]:
        before, after = (getattr(side, unit) for side in (row.before, row.after))
        pairs.append(Pair(name, before, after, write(before), write(after)))
    return Bars(f"{unit.capitalize()} by event type, before and after", pairs)


def _totals(title: str, what: str, table: Totals) -> list[Block]:
    """Give the totals as one table, or as two where that is too wide."""
    rows = total_rows(table)
    if not rows:
        return []
    both = _table(title, what, rows, ("calls", "value"))
    calls, value = _table(title, what, rows, ("calls",)), _table("", what, rows, ("value",))
    return [Fitting([[both], [calls, value]])]


def _table(title: str, what: str, rows: Sequence[TotalRow], units: Sequence[str]) -> Table:
    columns = [what]
    for unit in units:
        columns += [f"{unit} {_SIDES[0]}", *_SIDES[1:]]
    cells = [_cells(row, units) for row in rows]
    if rows[-1].role == "sum":
        return Table(title, columns, cells[:-1], total=cells[-1])
    return Table(title, columns, cells)


def _cells(row: TotalRow, units: Sequence[str]) -> Row:
    tone = _TONES[row.role]
    cells: list[str | Cell] = [Cell(row.name, tone if row.role == "sum" else "code")]
    for unit in units:
        before, after, difference = row.calls if unit == "calls" else row.value
        cells += [Cell(before, tone), Cell(after, tone), _difference(difference)]
    return cells


def _difference(text: str) -> Cell:
    tones: dict[str, Tone] = {"+": "added", "−": "removed"}
    return Cell(text, tones.get(text[0], "soft"))


def _examples(kind: Kind, number: int, samples: Sequence[Sample], masking: Masking) -> Examples:
    examples = [_example(sample, masking) for sample in samples]
    return Examples(title(kind), number, reason(kind), examples)


def _example(sample: Sample, masking: Masking) -> Example:
    sides = [side for side in (sample.before, sample.after) if side is not None]
    return Example(
        str(sample.event or sides[0].get("call", "message")),
        place(sample._replace(event=None), masking),
        [_field(row) for row in field_rows(sample, masking)],
        "changed" if len(sides) == 2 else "removed" if sample.after is None else "added",
    )


def _field(row: FieldRow) -> Field:
    """Give a field; masked values that look alike and are not are told apart."""
    alike = row.changed and row.before == row.after
    after = f"{row.after} (another)" if alike else row.after
    return Field(row.name, row.before, after, row.changed)
