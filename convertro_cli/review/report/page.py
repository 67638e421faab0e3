"""A report as one self-contained HTML page, to be mailed to the person who owns the budget."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from convertro_cli import __version__
from convertro_cli.errors import ConvertroError
from convertro_cli.review.report.document import (
    Bars,
    Block,
    Days,
    Document,
    Part,
    Places,
    Table,
)
from convertro_cli.text import count, visible

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATE = "review/report/report.html.j2"


def to_html(document: Document) -> str:
    """Write a report as a page.

    Every value is escaped, control characters too. Raises ConvertroError where Jinja2 is not
    installed.
    """
    parts = [_part(part) for part in document.parts]
    template = _environment().get_template(_TEMPLATE)
    return template.render(document=document, parts=[part for part in parts if part["blocks"]])


def check_page() -> None:
    """Raise ConvertroError where pages cannot be made, before hours are spent on reading."""
    _environment()


def _part(part: Part) -> dict[str, Any]:
    blocks = [shown for block in part.at_its_widest() for shown in _shown_block(block)]
    return {"key": part.key, "title": part.title, "blocks": blocks}


def _shown_block(block: Block) -> list[dict[str, Any]]:
    """Give a block as the template takes it: its kind, and what it says."""
    match block:
        case Table():
            return [_kind(block)] if block.rows else []
        case Places():
            return [_kind(block.as_table())] if block.found else []
        case Days() | Bars():
            from convertro_cli.review.report.drawing import draw_bars  # noqa: PLC0415 (optional)
            from convertro_cli.review.report.timeline import draw_days  # noqa: PLC0415

            drawn = draw_days(block) if isinstance(block, Days) else draw_bars(block)
            return [{"kind": "chart", "drawn": drawn, "title": block.title}]
    return [_kind(block)]


def _kind(block: Block) -> dict[str, Any]:
    return {"kind": type(block).__name__.lower(), "said": block}


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 (optional)
    except ModuleNotFoundError:
        raise ConvertroError(
            "An HTML report needs Jinja2, which is not installed.",
            hint="Install convertro with the extra 'report'; `make install` does.",
        ) from None
    environment = Environment(
        loader=PackageLoader("convertro_cli", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = count
    environment.globals["version"] = __version__
    return environment


def _shown(value: Any) -> Any:
    """Escape the control characters of all text that is put out; markup is taken as it is."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return visible(value)
    return value
