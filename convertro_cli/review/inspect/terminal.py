"""The report for eyes: calm tables, and a picture of the days, as wide as the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from convertro_cli.cli.console import visible
from convertro_cli.review.inspect import call_sections, sections
from convertro_cli.review.inspect.report import Fault, InspectReport, Times
from convertro_cli.review.inspect.section import Section
from convertro_cli.review.inspect.summary import gap_lines, glance
from convertro_cli.review.inspect.timeline import HOLE, draw
from convertro_cli.review.inspect.wording import count

_PLACES = 3
_MOST_GAPS = 10
_INDENT = (0, 0, 0, 2)
_DEEPER = (0, 0, 0, 4)
_WIDEST_BAR = 50


def print_report(report: InspectReport, console: Console) -> None:
    """Print the report. No line is wider than the console."""
    _print_glance(report, console)
    _print_section(sections.types(report), console)
    _print_section(sections.sources(report), console)
    _print_times(report.times, console)
    _print_section(sections.events(report), console)
    _print_section(sections.lacks(report), console)
    _print_section(call_sections.outcome(report), console)
    _print_section(call_sections.event_types(report), console)
    _print_section(_months_that_fit(report, console.width), console)
    _print_places(sections.FAULTS, report.faults, console)
    _print_places(sections.WARNINGS, report.warnings, console)


def to_text(report: InspectReport, width: int) -> str:
    """Write the report as plain text, for a file."""
    stream = StringIO()
    print_report(report, Console(file=stream, width=width, highlight=False))
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def _print_glance(report: InspectReport, console: Console) -> None:
    table = _table()
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in glance(report):
        table.add_row(label, Text(visible(text)))
    console.print(table)


def _print_section(section: Section, console: Console) -> None:
    if not section.rows:
        return
    _print_title(section.title, section.note, console)
    table = _table(show_header=True)
    rows = [section.columns, *section.rows]
    filled = [i for i in range(len(section.columns)) if any(row[i] for row in rows)]
    for column in (section.columns[i] for i in filled):
        is_number = column.endswith("#")
        table.add_column(
            Text(visible(column.removesuffix("#"))),
            justify="right" if is_number else "left",
            no_wrap=is_number,
            overflow="fold",
        )
    for row in section.rows:
        table.add_row(*(Text(visible(row[i])) for i in filled))
    if section.total:
        table.add_row(*(Text(visible(section.total[i]), style="bold") for i in filled))
    console.print(Padding(table, _INDENT, expand=False))


def _print_title(title: str, note: str, console: Console) -> None:
    console.print()
    console.print(Text(visible(title), style="bold"))
    if note:
        console.print(Padding(Text(visible(note), style="dim"), _INDENT, expand=False))


def _print_times(times: Times | None, console: Console) -> None:
    if times is None:
        return
    timeline = draw(times, min(_WIDEST_BAR, max(10, console.width - 32)))
    _print_title("Time", timeline.note, console)
    table = _table()
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    if timeline.ruler:
        table.add_row("", Text(timeline.ruler, style="dim"), "")
    for row in timeline.rows:
        cells = Text(row.cells, style="cyan")
        cells.highlight_words([HOLE], style="bold red")
        table.add_row(
            row.label, cells, count(row.messages) if row.messages else Text("none", "red")
        )
    console.print(Padding(table, _INDENT, expand=False))
    for line in gap_lines(times, _MOST_GAPS):
        console.print(Padding(Text(line), _INDENT, expand=False))


def _print_places(title: str, faults: Sequence[Fault], console: Console) -> None:
    """Print each reason with a few places; a table would have no room for long file names."""
    if not faults:
        return
    _print_title(title, "", console)
    for fault in faults:
        shown = fault.places[:_PLACES]
        console.print(Padding(Text(f"{fault.reason}  {count(fault.count)}"), _INDENT, expand=False))
        for place, detail in shown:
            line = Text(visible(place), overflow="fold")
            line.append(visible(f"  {detail}") if detail else "", style="dim")
            console.print(Padding(line, _DEEPER, expand=False))
        if fault.count > len(shown):
            more = Text(f"and {count(fault.count - len(shown))} more", style="dim")
            console.print(Padding(more, _DEEPER, expand=False))


def _months_that_fit(report: InspectReport, width: int) -> Section:
    """Give the value by month with as many event types as there is room for."""
    section = call_sections.months(report, 1)
    for most in range(2, len(report.by_type) + 1):
        wider = call_sections.months(report, most)
        if _width(wider) > width:
            break
        section = wider
    return section


def _width(section: Section) -> int:
    rows = [section.columns, *section.rows, section.total]
    widths = [max(cell_len(visible(cell)) for cell in column) for column in zip(*rows, strict=True)]
    return sum(widths) + 2 * len(widths) + 2


def _table(*, show_header: bool = False) -> Table:
    return Table(
        box=None,
        show_header=show_header,
        header_style="dim",
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
