"""The results for eyes and, as JSON, for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table

from tests.bench.measure import Row


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(rows: Sequence[Row]) -> Table:
    made = Table(title=f"How fast ({machine()})")
    for heading in ("work", "convertro", "against", "its figure", "ratio", "goal", ""):
        made.add_column(heading, overflow="fold")
    for row in rows:
        sign = "≥" if row.sense == "at least" else "≤"
        made.add_row(
            f"{row.name}\n[dim]{row.note}[/dim]" if row.note else row.name,
            f"{_figure(row.ours)} {row.unit}",
            row.against,
            f"{_figure(row.theirs)} {row.unit}",
            f"{row.ratio:.2f}",
            f"{sign} {row.goal:g}",
            "[green]met[/green]" if row.met else "[red]not met[/red]",
        )
    return made


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, " + (
        f"Python {platform.python_version()}"
    )


def as_json(rows: Sequence[Row], faults: dict[str, str]) -> str:
    found = [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in rows]
    return json.dumps({"machine": machine(), "rows": found, "faults": faults}, indent=2)
