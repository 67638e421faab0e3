"""Tables on a terminal: a number is whole, or its column is not there."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from convertro_cli.review.report.document import Document, Fitting, Part, Table
from convertro_cli.review.report.terminal import print_document

NUMBER = "123,456.78"


def _months(types: int) -> Table:
    columns = ["month", *(f"type {number}#" for number in range(types))]
    rows = [[month, *[NUMBER] * types] for month in ("2024-05", "2024-06")]
    return Table("Value by month", columns, rows, total=["in all", *[NUMBER] * types])


@pytest.mark.parametrize("width", range(24, 130))
def test_as_many_columns_are_shown_as_there_is_room_for_whole_numbers(width: int) -> None:
    """None is cut, and no column is left out that had room."""
    shown = StringIO()
    fitting = Fitting([[_months(types)] for types in range(8, 0, -1)])
    document = Document("inspect", "", "", [Part("", "", [fitting])])
    print_document(document, Console(file=shown, width=width, highlight=False))
    rows = [line for line in shown.getvalue().splitlines() if "2024-" in line or "in all" in line]
    assert len(rows) == 3
    assert all(line.count(NUMBER) == line.count(",") for line in rows)
    assert max(line.count(NUMBER) for line in rows) == min(8, (width - 11) // 12)
