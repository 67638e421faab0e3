"""A report for eyes: calm tables and pictures of characters, as wide as the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatchmethod
from io import StringIO

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text as Styled

from convertro_cli.review.report.day_lines import HOLE, draw
from convertro_cli.review.report.document import (
    Bars,
    Block,
    Days,
    Document,
    Example,
    Examples,
    Field,
    Fitting,
    Part,
    Places,
    Prose,
    Row,
    Table,
    Text,
    Verbatim,
    as_cell,
)
from convertro_cli.text import count, visible

_STYLES = {
    "": "",
    "added": "green",
    "removed": "red",
    "changed": "yellow",
    "warning": "yellow",
    "soft": "dim",
    "strong": "bold",
    "code": "",
}
_FILE_WIDTH = 100
"""Columns of a report in a file, which has no width of its own."""

_PLACES = 3
_MOST_KINDS = 5
_LEAST_NAME = 16
_WIDEST_BAR = 50


def print_document(document: Document, console: Console) -> None:
    """Print a report. No line is wider than the console."""
    _Printer(console).document(document)


def to_text(document: Document) -> str:
    """Write a report as plain text, for a file."""
    stream = StringIO()
    print_document(document, Console(file=stream, width=_FILE_WIDTH, highlight=False))
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


class _Printer:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._kinds = 0
        self._is_headed = False

    def document(self, document: Document) -> None:
        self._print(_styled(document.title, "bold"))
        self._print(_cell(document.lede))
        if document.facts:
            self._console.print()
            self._facts(document.facts)
        for warning in document.warnings:
            self._print(_styled(warning, "yellow"))
        for part in document.parts:
            self.part(part)

    def part(self, part: Part) -> None:
        """Print a part; the titles of its blocks say enough, but those of examples do not."""
        if all(isinstance(block, Examples) or _is_untitled(block) for block in part.blocks):
            self._title(part.title)
            self._is_headed = True
        self._kinds = 0
        for block in part.blocks:
            self.block(block)
        self._is_headed = False
        if self._kinds > _MOST_KINDS:
            more = f"and {count(self._kinds - _MOST_KINDS)} more kinds: --format json has them"
            self._print(_styled(more, "dim"), 2)

    @singledispatchmethod
    def block(self, block: Block) -> None:
        raise TypeError(block)

    @block.register
    def _table(self, block: Table) -> None:
        if not block.rows:
            return
        self._title(block.title, block.note)
        self._print(self._grid(block), 2)

    @block.register
    def _fitting(self, block: Fitting) -> None:
        for variant in block.variants:
            if all(_width(table) <= self._console.width for table in variant):
                break
        for table in variant:
            self.block(table)

    @block.register
    def _prose(self, block: Prose) -> None:
        self._title(block.title)
        for line in block.lines:
            self._print(_cell(line), 2)

    @block.register
    def _verbatim(self, block: Verbatim) -> None:
        self._title("")
        for line in block.lines:
            self._console.print(_styled(line), soft_wrap=True)

    @block.register
    def _places(self, block: Places) -> None:
        """Print each reason with a few places; a table has no room for long file names."""
        if not block.found:
            return
        self._title(block.title)
        for reason, number, places in block.found:
            self._print(_styled(f"{reason}  {count(number)}"), 2)
            for source, detail in places[:_PLACES]:
                line = Styled(visible(source), overflow="fold")
                line.append(visible(f"  {detail}") if detail else "", style="dim")
                self._print(line, 4)
            if number > len(places[:_PLACES]):
                more = f"and {count(number - len(places[:_PLACES]))} more"
                self._print(_styled(more, "dim"), 4)

    @block.register
    def _bars(self, block: Bars) -> None:
        """Print nothing: the table beside it has the numbers."""

    @block.register
    def _days(self, block: Days) -> None:
        if len(block.series) > 1:
            return  # two sides by day need a picture
        width = min(_WIDEST_BAR, max(10, self._console.width - 32))
        timeline = draw(block.series[0].by_day, block.by_hour, width)
        self._title(block.title, timeline.note)
        grid = _grid()
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True)
        grid.add_column(justify="right", no_wrap=True)
        if timeline.ruler:
            grid.add_row("", Styled(timeline.ruler, style="dim"), "")
        for row in timeline.rows:
            cells = Styled(row.cells, style="cyan")
            cells.highlight_words([HOLE], style="bold red")
            number = count(row.messages) if row.messages else Styled("none", "red")
            grid.add_row(row.label, cells, number)
        self._print(grid, 2)
        for line in block.holes:
            self._print(_styled(line), 2)

    @block.register
    def _examples(self, block: Examples) -> None:
        self._kinds += 1
        if self._kinds > _MOST_KINDS:
            return
        line = Styled.assemble(_styled(block.title, "underline"), f"  {count(block.count)}")
        if block.note:
            line.append(f"  {visible(block.note)}", "dim")
        self._print(line, 2)
        for example in block.examples:
            self._example(example)

    def _example(self, example: Example) -> None:
        self._print(_styled(example.place, "cyan"), 4)
        if example.title:
            self._print(_styled(example.title), 6)
        fields = [field for field in example.fields if field.name != "url"]  # no room for it
        changed = [field for field in fields if field.changed and example.tone == "changed"]
        if changed:
            grid = _grid()
            grid.add_column(no_wrap=True, overflow="ellipsis")
            grid.add_column(overflow="fold")
            for field in changed:
                grid.add_row(_styled(field.name), _arrow(field))
            self._print(grid, 6)
        told = [_field(field) for field in fields if field not in changed]
        if told:
            self._print(_side_by_side(told, self._console.width - 6), 6)

    def _facts(self, facts: Sequence[tuple[str, str]]) -> None:
        grid = _grid()
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for label, text in facts:
            grid.add_row(label, _styled(text))
        self._console.print(grid)

    def _grid(self, table: Table) -> Grid:
        """Set a table; a column without any text in it is left out."""
        grid = _grid(heading=any(table.columns))
        filled = [i for i in range(len(table.columns)) if _is_filled(table, i)]
        for place, index in enumerate(filled):
            title = table.columns[index]
            number = title.endswith("#")
            grid.add_column(
                _styled(title.removesuffix("#")),
                justify="right" if number else "left",
                no_wrap=number,
                overflow="fold",
                min_width=_least_width(table) if place == 0 and len(filled) > 3 else None,
            )
        for row in table.rows:
            grid.add_row(*(_cell(row[index]) for index in filled))
        if table.total:
            grid.add_row(*(_cell(table.total[index], "bold") for index in filled))
        return grid

    def _title(self, title: str, note: str = "") -> None:
        """Begin a block, with a blank line before it unless it comes first under a heading."""
        if not self._is_headed:
            self._console.print()
        self._is_headed = False
        if title:
            self._print(_styled(title, "bold"))
        if note:
            self._print(_styled(note, "dim"), 2)

    def _print(self, what: RenderableType, indent: int = 0) -> None:
        self._console.print(Padding(what, (0, 0, 0, indent), expand=False) if indent else what)


def _is_untitled(block: Block) -> bool:
    return isinstance(block, Verbatim) or not getattr(block, "title", "fitting")


def _is_filled(table: Table, index: int) -> bool:
    rows = [table.columns, *table.rows]
    return any(as_cell(row[index]).text.removesuffix("#") for row in rows)


def _width(table: Table) -> int:
    """Tell how wide a table must be for no number to be cut; names can go over several lines."""
    rows: list[Row] = [table.columns, *table.rows, *([table.total] if table.total else [])]
    columns = zip(*rows, strict=True)
    _, *widths = (_widest(column) for column in columns)
    return _least_width(table) + sum(widths) + 2 * len(table.columns) + 2


def _least_width(table: Table) -> int:
    """Tell how narrow the names may be."""
    names = [row[0] for row in (table.columns, *table.rows, table.total) if row]
    return min(_widest(names), _LEAST_NAME)


def _widest(cells: Iterable[Text]) -> int:
    return max(cell_len(visible(as_cell(cell).text)) for cell in cells)


def _grid(*, heading: bool = False) -> Grid:
    return Grid(
        box=None, show_header=heading, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0)
    )


def _styled(text: str, style: str = "") -> Styled:
    return Styled(visible(text), style=style)


def _cell(text: Text, style: str = "") -> Styled:
    cell = as_cell(text)
    return _styled(cell.text, style or _STYLES[cell.tone])


def _arrow(field: Field) -> Styled:
    parts: list[Styled | str] = []
    if field.before is not None:
        parts.append(_styled(field.before, "red"))
    if field.before is not None and field.after is not None:
        parts.append(" → ")
    if field.after is not None:
        parts.append(_styled(field.after, "green"))
    return Styled.assemble(*parts)


def _field(field: Field) -> Styled:
    value = field.before if field.after is None else field.after
    return Styled.assemble((visible(field.name), "dim"), " ", visible(value or ""))


def _side_by_side(pieces: Sequence[Styled], width: int) -> Styled:
    """Set pieces beside each other, and begin a line before one that would not fit."""
    lines = [Styled()]
    for piece in pieces:
        if lines[-1] and lines[-1].cell_len + 2 + piece.cell_len > width:
            lines.append(Styled())
        elif lines[-1]:
            lines[-1].append("  ")
        lines[-1].append_text(piece)
    return Styled("\n").join(lines)
