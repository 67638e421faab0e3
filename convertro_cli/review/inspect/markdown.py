"""The report as Markdown, for a wiki or a pull request."""

from __future__ import annotations

import re

from convertro_cli.cli.console import visible
from convertro_cli.review.inspect import call_sections, sections
from convertro_cli.review.inspect.report import InspectReport
from convertro_cli.review.inspect.section import Row, Section
from convertro_cli.review.inspect.summary import gap_lines, glance

_MOST_TYPES = 8
_MOST_GAPS = 20
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~&$]")


def to_markdown(report: InspectReport) -> str:
    """Write the report as Markdown."""
    parts = ["## What is in the export\n"]
    parts += [f"- {label}: {escape(text)}\n" for label, text in glance(report)]
    tables = [sections.types, sections.sources, sections.events, sections.lacks]
    parts += [_section(table(report)) for table in (*tables, call_sections.outcome)]
    if report.times is not None and report.times.gaps:
        gaps = "\n".join(
            f"- {escape(line.strip())}" for line in gap_lines(report.times, _MOST_GAPS)
        )
        parts.append(f"\n### Gaps\n\n{gaps}\n")
    parts.append(_section(call_sections.event_types(report)))
    parts.append(_section(call_sections.months(report, _MOST_TYPES)))
    parts += [_section(sections.faults(report)), _section(sections.warnings(report))]
    return "".join(parts)


def escape(text: str) -> str:
    """Escape what Markdown or a terminal would take for more than text."""
    return _SPECIAL.sub(r"\\\g<0>", visible(text))


def _section(section: Section) -> str:
    if not section.rows:
        return ""
    lines = [f"\n### {escape(section.title)}\n"]
    if section.note:
        lines.append(f"{escape(section.note)}\n")
    lines.append(_row([column.removesuffix("#") for column in section.columns]))
    lines.append("|" + "|".join("--:" if c.endswith("#") else "---" for c in section.columns) + "|")
    lines += [_row(row) for row in section.rows]
    if section.total:
        lines.append(_row(section.total))
    return "\n".join(lines) + "\n"


def _row(cells: Row) -> str:
    return "| " + " | ".join(escape(cell.strip()) for cell in cells) + " |"
