"""A report as Markdown, for a wiki or a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import singledispatch

from convertro_cli.review.report.document import (
    Bars,
    Block,
    Days,
    Document,
    Examples,
    Part,
    Places,
    Prose,
    Row,
    Table,
    Text,
    Verbatim,
    as_cell,
)
from convertro_cli.text import count, in_html, visible

_BACKTICKS = re.compile("`+")
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&@$]")
# What GitHub and others take for a person, an issue or a commit to link to. They look for it in
# the finished page, where a backslash before it is gone: only in code is it left alone.
_CALLS = re.compile(r"\S*(?:@\w|#\d|\bGH-\d|\b[0-9a-f]{7,40}\b)\S*")
# A line that begins so is a list; elsewhere a number with a dot is only that.
_LIST = re.compile(r"^(\d+(?=[.)](?:\s|$))|(?=[+-]))")


def to_markdown(document: Document) -> str:
    """Write a report as Markdown. What an event says means nothing in it, and calls nobody."""
    return "\n".join(_document(document)) + "\n"


def _document(document: Document) -> Iterator[str]:
    yield f"## {plain(document.title)}"
    yield f"\n{_text(document.lede)}"
    if document.facts:
        yield ""
    for label, text in document.facts:
        yield f"- {plain(label)}: {plain(text)}"
    for warning in document.warnings:
        yield f"\n> {plain(warning)}"
    for part in document.parts:
        yield from _part(part)


def _part(part: Part) -> Iterator[str]:
    lines = [line for block in part.at_its_widest() for line in _block(block)]
    if not lines:
        return
    if part.title:
        yield f"\n### {plain(part.title)}"
    yield from lines


@singledispatch
def _block(block: Block) -> Iterator[str]:
    raise TypeError(block)


@_block.register
def _table(block: Table) -> Iterator[str]:
    if not block.rows:
        return
    if block.title:
        yield f"\n#### {plain(block.title)}"
    if block.note:
        yield f"\n{plain(block.note)}"
    yield "\n" + _row([plain(column.removesuffix("#")) for column in block.columns])
    yield "|" + "|".join("--:" if c.endswith("#") else ":--" for c in block.columns) + "|"
    for row in block.rows:
        yield _cells(row)
    if block.total:
        yield _cells(block.total)


@_block.register
def _prose(block: Prose) -> Iterator[str]:
    if block.title:
        yield f"\n#### {plain(block.title)}"
    for line in block.lines:
        yield f"\n{_text(line)}"


@_block.register
def _verbatim(block: Verbatim) -> Iterator[str]:
    for line in block.lines:
        yield f"\n{code(line)}"


@_block.register
def _places(block: Places) -> Iterator[str]:
    yield from _table(block.as_table())


@_block.register
def _bars(block: Bars) -> Iterator[str]:
    """Write nothing: the table beside it has the numbers."""
    return
    yield


@_block.register
def _days(block: Days) -> Iterator[str]:
    if block.holes:
        yield f"\n#### {plain(block.title)}\n"
        for line in block.holes:
            yield f"- {plain(line.strip())}"


@_block.register
def _examples(block: Examples) -> Iterator[str]:
    note = f" <code>{in_html(block.note)}</code>" if block.note else ""
    title = f"<code>{in_html(block.title)}</code> {count(block.count)}{note}"
    yield f"\n<details><summary>{title}</summary>"
    for example in block.examples:
        yield f"\n{code(' '.join(filter(None, (example.place, example.title))))}"
        sides = [
            (name, index)
            for name, index in (("before", 1), ("after", 2))
            if any(field[index] is not None for field in example.fields)
        ]
        rows: list[Row] = [
            [code(field.name), *(_side(field[index]) for _, index in sides)]
            for field in example.fields
        ]
        yield "\n" + _row(["", *(name for name, _ in sides)])
        yield "|" + "|".join([":--"] * (1 + len(sides))) + "|"
        for row in rows:
            yield _row([str(cell) for cell in row])
    yield "\n</details>"


def _side(value: object) -> str:
    return "" if value is None else code(str(value))


def _cells(row: Row) -> str:
    return _row([_text(cell) for cell in row])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_without_bars, cells))} |"


def _without_bars(cell: str) -> str:
    """Escape what would end a cell; in code behind a backslash there is no way to."""
    if cell.startswith("`"):
        return cell.replace("\\|", "\\¦").replace("|", "\\|")
    return cell


def _text(text: Text) -> str:
    cell = as_cell(text)
    written = code(cell.text) if cell.tone == "code" else plain(cell.text.strip())
    return f"**{written}**" if cell.tone == "strong" and written else written


def plain(text: str) -> str:
    """Escape what Markdown would take for more than text; what would call somebody is in code."""
    written, end = "", 0
    shown = visible(text)
    for found in _CALLS.finditer(shown):
        written += _escaped(shown[end : found.start()]) + code(found[0])
        end = found.end()
    return _LIST.sub(r"\1\\", written + _escaped(shown[end:]))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def code(text: str) -> str:
    """Put text into code, fenced with more backticks than it has in a row.

    In code nothing is markup, and nobody is mentioned.
    """
    shown = visible(text)
    if not shown:
        return ""
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(shown)), default=0))
    space = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{space}{shown}{space}{fence}"
