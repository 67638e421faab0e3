"""A report's page, from its template and the values for it."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from convertro_cli import __version__
from convertro_cli.cli.console import visible
from convertro_cli.errors import ConvertroError

if TYPE_CHECKING:
    from jinja2 import Environment

_MINUS = "\N{MINUS SIGN}"


def render(template: str, **values: Any) -> str:
    """Fill in a template, named by its path inside the package, and give the whole page.

    Every value is escaped, control characters too. Raises ConvertroError where Jinja2 is not
    installed, and jinja2.UndefinedError for a name that the template uses and is not given.
    """
    return _environment().get_template(template).render(values)


def check_page() -> None:
    """Raise ConvertroError where pages cannot be made, before hours are spent on reading."""
    _environment()


def count(number: int) -> str:
    """Write a number of things with its thousands apart."""
    return f"{number:,}".replace("-", _MINUS)


def amount(number: float | Decimal) -> str:
    """Write an amount with two decimals and its thousands apart."""
    return f"{number:,.2f}".replace("-", _MINUS)


def signed(text: str) -> str:
    """Put a plus before a difference that is written without a sign, and ± before none."""
    if text.startswith(_MINUS):
        return text
    return f"+{text}" if text.strip("0,.") else f"±{text}"


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
    environment.filters.update(count=count, amount=amount, signed=signed)
    environment.globals["version"] = __version__
    return environment


def _shown(value: Any) -> Any:
    """Escape the control characters of all text that is put out; markup is taken as it is."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return visible(value)
    return value
