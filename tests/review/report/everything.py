"""A document with every sort of block in it, and with text in it that means harm."""

from __future__ import annotations

from datetime import date, timedelta

from convertro_cli.review.report.document import (
    Bars,
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
    Place,
    Places,
    Prose,
    Series,
    Table,
    Verbatim,
)
from convertro_cli.review.report.page import to_html

HARM = "<script>alert(1)</script>\x1b[31m"
"""An event's name, as somebody could send it."""

CALLS = "@octocat fixes #12 | **now** `x` 1234567\u202e"
"""Another one, which in a pull request would call a stranger and link an issue."""


def _by_day(height: int) -> dict[date, int]:
    return {date(2024, 1, 1) + timedelta(number): number % height for number in range(90)}


def everything(harm: str = HARM) -> Document:
    """Give a document with this text wherever text can come from an event or from settings."""
    code = Cell(harm, "code")
    totals = Table(f"Calls {harm}", ("type", "before#", "after#"), [[code, "1", "2"]], harm)
    long = Table(
        "Long", ("type", "number#", harm), [["y" * 300, "1", code]], total=["all", "1", code]
    )
    return Document(
        command=f"convertro diff {harm}",
        title=f"What changes {harm}",
        lede=f"One change of {harm}, worth 1,234.50.",
        facts=[("settings", harm)],
        warnings=[harm],
        figures=[Figure(harm, "1,234", harm, "added")],
        parts=[
            Part(
                "types",
                f"By {harm}",
                [
                    Bars(f"Value {harm}", [Pair(harm, 1, 2, harm, harm)]),
                    Days(f"Calls {harm}", [Series(harm, _by_day(3)), Series(harm, _by_day(5))], {}),
                    Days("Messages", [Series("messages", _by_day(7))], {}, [harm]),
                    Fitting([[totals], [totals, totals]]),
                    long,
                    Prose(harm, [harm, code]),
                    Table("", ("", ""), [[code, harm]]),
                    Verbatim([harm]),
                    Places(harm, [(harm, 7, [Place(harm, harm), Place(harm)])]),
                ],
            ),
            Part(
                "examples",
                harm,
                [Examples(harm, 1234, harm, [_example(harm, "added"), _changed(harm)])],
            ),
        ],
    )


def _example(harm: str, tone: str) -> Example:
    assert tone == "added"
    fields = [Field(harm, None, harm), Field("long", None, "x" * 900)]
    return Example(harm, harm, fields, "added")


def _changed(harm: str) -> Example:
    fields = [Field(harm, harm, "after"), Field("gone", harm, None), Field("same", "a", "a", False)]
    return Example(harm, harm, fields, "changed")


def render_everything() -> str:
    """Give a page with every part in it."""
    return to_html(everything())
