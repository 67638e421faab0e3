"""The report for eyes: calm tables, as wide as the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from convertro_cli.cli.console import visible
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
    total_rows,
)
from convertro_cli.review.diff.wording import reason, scope, summarise, title, warnings
from convertro_cli.review.masking import Masking
from convertro_cli.review.report.page import count

_LEAST_NAME = 16
_MOST_KINDS = 5
_UNITS = ("calls", "value")
_STYLES = {"differs": "", "same": "dim", "sum": "bold"}


def print_report(report: DiffReport, masking: Masking, console: Console) -> None:
    """Print the report. No line is wider than the console."""
    console.print(_text(f"{report.before} → {report.after}", "bold"))
    console.print(_text(scope(report), "dim"))
    console.print()
    console.print(_text(summarise(report)))
    for warning in warnings(report):
        console.print(_text(warning, "yellow"))
    _print_settings(report, console)
    _print_totals("By Convertro event type", report.tally.by_event_type, console)
    _print_totals("By Segment event", report.tally.by_event, console)
    if kinds_differ(report.tally):
        _print_totals("By kind of call", report.tally.by_call, console, units=("calls",))
    _print_counts(report, console)
    _print_samples(report, masking, console)


def _print_settings(report: DiffReport, console: Console) -> None:
    if report.settings is None:
        return
    _print_title("Settings", console)
    if not report.settings:
        console.print(_indented(_text("no difference", "dim")))
        return
    grid = _grid()
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold")
    for change in report.settings:
        before, after = change.texts
        grid.add_row(_text(change.key), _arrow(before, after))
    console.print(_indented(grid))


def _print_totals(
    heading: str, table: Table, console: Console, *, units: Sequence[str] = _UNITS
) -> None:
    rows = total_rows(table, alike=False)
    if not rows:
        return
    _print_title(heading, console)
    if _width(rows, units) <= console.width - 2:
        console.print(_indented(_totals(rows, units)))
        return
    for unit in units:
        if unit != units[0]:
            console.print()
        console.print(_indented(_totals(rows, (unit,))))


def _totals(rows: Sequence[TotalRow], units: Sequence[str]) -> Grid:
    grid = _grid(heading=True)
    grid.add_column(overflow="ellipsis", no_wrap=True, min_width=_LEAST_NAME)
    for unit in units:
        for side in (f"{unit} before", "after", "difference"):
            grid.add_column(_text(side, "dim"), justify="right", no_wrap=True)
    for row in rows:
        style = _STYLES[row.role]
        cells = [_text(row.name, style)]
        for unit in units:
            before, after, difference = _numbers(row, unit)
            cells += [_text(before, style), _text(after, style), _signed(difference, style)]
        grid.add_row(*cells)
    return grid


def _numbers(row: TotalRow, unit: str) -> tuple[str, str, str]:
    return row.calls if unit == "calls" else row.value


def _width(rows: Sequence[TotalRow], units: Sequence[str]) -> int:
    """Tell how wide a table must be at least for no number to be cut."""
    widths = [_LEAST_NAME]
    for unit in units:
        headings = (f"{unit} before", "after", "difference")
        for index, heading in enumerate(headings):
            widths.append(max(len(heading), *(len(_numbers(row, unit)[index]) for row in rows)))
    return sum(widths) + 2 * len(widths)


def _print_counts(report: DiffReport, console: Console) -> None:
    """Print the messages that are sent or not as they were not before, and the changed fields."""
    for heading, counts in counted(report.tally):
        _print_title(heading, console)
        grid = _grid()
        grid.add_column(overflow="fold")
        grid.add_column(justify="right", no_wrap=True)
        for name, number in counts:
            grid.add_row(_text(name), _text(count(number)))
        console.print(_indented(grid))


def _print_samples(report: DiffReport, masking: Masking, console: Console) -> None:
    for heading, groups in all_groups(report.tally.groups):
        _print_title(heading, console)
        for kind, group in groups[:_MOST_KINDS]:
            line = Text.assemble(_text(title(kind), "underline"), f"  {count(group.count)}")
            if note := reason(kind):
                line.append(f"  {visible(note)}", "dim")
            console.print(_indented(line))
            for sample in group.samples:
                _print_sample(sample, masking, console)
        if len(groups) > _MOST_KINDS:
            more = f"and {count(len(groups) - _MOST_KINDS)} more kinds: --format json has them"
            console.print(_indented(_text(more, "dim")))


def _print_sample(sample: Sample, masking: Masking, console: Console) -> None:
    console.print(_indented(_text(sample.source, "cyan"), 4))
    name = [_text(text) for text in (sample.event, masking.value(sample.message_id)) if text]
    if name:
        console.print(_indented(_side_by_side(name, console.width - 6), 6))
    rows = field_rows(sample, masking, urls=False)
    two_sided = sample.before is not None and sample.after is not None
    changed = [row for row in rows if two_sided and row.changed]
    if changed:
        grid = _grid()
        grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_column(overflow="fold")
        for row in changed:
            grid.add_row(_text(row.name), _arrow(row.before, row.after))
        console.print(_indented(grid, 6))
    told = [_field(row) for row in rows if row not in changed]
    if told:
        console.print(_indented(_side_by_side(told, console.width - 6), 6))


def _field(row: FieldRow) -> Text:
    value = row.before if row.after is None else row.after
    return Text.assemble((visible(row.name), "dim"), " ", visible(value or ""))


def _side_by_side(pieces: Sequence[Text], width: int) -> Text:
    """Set pieces beside each other, and begin a line before one that would not fit."""
    lines = [Text()]
    for piece in pieces:
        if lines[-1] and lines[-1].cell_len + 2 + piece.cell_len > width:
            lines.append(Text())
        elif lines[-1]:
            lines[-1].append("  ")
        lines[-1].append_text(piece)
    return Text("\n").join(lines)


def _print_title(text: str, console: Console) -> None:
    console.print()
    console.print(_text(text, "bold"))


def _arrow(before: str | None, after: str | None) -> Text:
    return Text.assemble(_side(before, "red"), (" → ", "dim"), _side(after, "green"))


def _side(text: str | None, style: str) -> Text:
    return _text("(none)", "dim") if text is None else _text(text, style)


def _signed(difference: str, style: str) -> Text:
    if difference.startswith("±"):
        return _text("·", "dim")
    return _text(difference, f"{style} {'red' if difference.startswith('−') else 'green'}".strip())


def _text(text: str, style: str = "") -> Text:
    return Text(visible(text), style=style)


def _grid(*, heading: bool = False) -> Grid:
    return Grid(box=None, show_header=heading, pad_edge=False, padding=(0, 2, 0, 0))


def _indented(content: RenderableType, by: int = 2) -> Padding:
    return Padding(content, (0, 0, 0, by), expand=False)
