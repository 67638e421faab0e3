"""What ``convertro check`` shows of destination filters and transformations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convertro_cli.settings.load import LoadedSettings
    from convertro_cli.settings.model import Settings

OriginOf = Callable[[str], str]

FILTER_KEYS = ("filters_file", "destination_id", "transformations_file")
ARRAYS = ("filters", "transformations")


def filter_key_lines(settings: Settings, origin: OriginOf) -> Iterator[tuple[str, str]]:
    """Give the lines above all tables, each with its comment."""
    from convertro_cli.settings.toml_text import toml_value

    yield "", ""
    for name in FILTER_KEYS:
        value = getattr(settings, name)
        if value is None:
            yield "", f"{name} is not set"
        else:
            yield f"{name} = {toml_value(value)}", origin(name)


def filter_table_lines(settings: Settings, origin: OriginOf) -> Iterator[tuple[str, str]]:
    """Give the lines of the arrays of tables, and in comments what the files hold.

    Conditions stand as they are understood; one that cannot be read (its filter is disabled)
    stands as it is written.
    """
    from convertro_cli.settings.filter_text import spec_tables
    from convertro_cli.settings.toml_text import toml_value

    tables = list(spec_tables(settings.filter_specs))
    for array in ARRAYS:
        own = [table for name, table in tables if name == array]
        written = len(getattr(settings, array))
        from_file = own[: len(own) - written]
        for table in own[len(from_file) :]:
            yield "", ""
            yield f"[[{array}]]", ""
            for name, value in _understood(table).items():
                yield f"{name} = {toml_value(value)}", origin(array)
        for table in from_file:
            yield "", ""
            yield "", f"[[{array}]] of {array}_file"
            for name, value in _understood(table).items():
                yield "", f"{name} = {toml_value(value)}"


def tell_of_filters(settings: Settings, *, quiet: bool) -> None:
    """Tell what is surely unwanted in filters before they are applied."""
    if quiet or not settings.has_filters:
        return
    from convertro_cli.cli.console import print_note
    from convertro_cli.settings.filters import advise_on_filters

    for sentence in advise_on_filters(settings):
        print_note(sentence)


def describe_filters(loaded: LoadedSettings) -> dict[str, list[dict[str, Any]]]:
    """Give all filters and transformations as JSON shows them, the files' among them."""
    from convertro_cli.settings.filter_text import spec_tables

    found: dict[str, list[dict[str, Any]]] = {array: [] for array in ARRAYS}
    for array, table in spec_tables(loaded.settings.filter_specs):
        found[array].append(_understood(table))
    return found


def _understood(table: dict[str, Any]) -> dict[str, Any]:
    """Write a table's condition as it is read: with the spaces and parentheses that it means."""
    from convertro_cli.fql.errors import FqlError
    from convertro_cli.fql.parser import parse
    from convertro_cli.fql.printer import print_condition

    try:
        return table | {"if": print_condition(parse(table["if"]))}
    except FqlError:
        return table
