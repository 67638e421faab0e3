"""The report as Markdown, for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from convertro_cli.cli.console import visible
from convertro_cli.review.diff.model import DiffReport
from convertro_cli.review.diff.samples import Sample
from convertro_cli.review.diff.totals import Table
from convertro_cli.review.diff.view import (
    all_groups,
    counted,
    field_rows,
    kinds_differ,
    place,
    total_rows,
)
from convertro_cli.review.diff.wording import reason, scope, summarise, title, warnings
from convertro_cli.review.masking import Masking
from convertro_cli.review.report.page import count

_TOTALS = ("", "calls before#", "after#", "difference#", "value before#", "after#", "difference#")
_BACKTICKS = re.compile("`+")
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>()#+!|~&@-]")


def to_markdown(report: DiffReport, masking: Masking) -> str:
    """Write the report as Markdown. What an event says stands in code, and means nothing."""
    return "\n".join(_lines(report, masking)) + "\n"


def _lines(report: DiffReport, masking: Masking) -> Iterator[str]:
    yield f"### {code(report.before)} → {code(report.after)}"
    yield f"\n{summarise(report)} ({scope(report)}.)"
    for warning in warnings(report):
        yield f"\n> {plain(warning)}"
    yield from _settings(report)
    yield from _totals("By Convertro event type", report.tally.by_event_type)
    yield from _totals("By Segment event", report.tally.by_event)
    if kinds_differ(report.tally):
        yield from _totals("By kind of call", report.tally.by_call)
    for heading, counts in counted(report.tally):
        rows = [[code(name), count(number)] for name, number in counts]
        yield from _table(heading, ("", "#"), rows)
    for heading, groups in all_groups(report.tally.groups):
        yield f"\n#### {heading}"
        for kind, group in groups:
            name = escape(visible(title(kind)))
            told = " ".join(filter(None, (count(group.count), escape(reason(kind)))))
            yield f"\n<details><summary><code>{name}</code> {told}</summary>"
            for sample in group.samples:
                yield from _sample(sample, masking)
            yield "\n</details>"


def _settings(report: DiffReport) -> Iterator[str]:
    if report.settings:
        rows = [[code(change.key), *map(code, change.texts)] for change in report.settings]
        yield from _table("Settings", ("", "before", "after"), rows)


def _totals(heading: str, table: Table) -> Iterator[str]:
    cells = [
        [row.name if row.role == "sum" else code(row.name), *row.calls, *row.value]
        for row in total_rows(table)
    ]
    if cells:
        yield from _table(heading, _TOTALS, cells)


def _sample(sample: Sample, masking: Masking) -> Iterator[str]:
    yield f"\n{code(place(sample, masking))}"
    sides = [
        (name, index)
        for name, index, side in (("before", 1, sample.before), ("after", 2, sample.after))
        if side is not None
    ]
    rows = [
        [
            code(row.name),
            *("" if row[index] is None else code(str(row[index])) for _, index in sides),
        ]
        for row in field_rows(sample, masking)
    ]
    yield from _table("", ("", *(name for name, _ in sides)), rows)


def _table(heading: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if heading:
        yield f"\n#### {heading}"
    yield "\n" + _row([column.removesuffix("#") for column in columns])
    yield "|" + "|".join("--:" if column.endswith("#") else ":--" for column in columns) + "|"
    for row in rows:
        yield _row([_without_bars(cell) for cell in row])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _without_bars(cell: str) -> str:
    """Escape what would end a cell; behind a backslash there is no way to, so it is changed."""
    return cell.replace("\\|", "\\¦").replace("|", "\\|")


def plain(text: str) -> str:
    """Escape what Markdown would take for more than text."""
    return _SPECIAL.sub(r"\\\g<0>", visible(text))


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
