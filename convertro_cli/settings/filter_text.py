"""Filters and transformations as tables of a settings file, to be shown or compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convertro_cli.destination_filters.specs import (
    Action,
    AllowProperties,
    DestinationFilter,
    Drop,
    DropProperties,
    FilterSpecs,
    Sample,
    Transformation,
)
from convertro_cli.settings.toml_text import toml_string, toml_value

Table = dict[str, Any]


def filter_table(spec: DestinationFilter) -> Table:
    """Give a filter as its table in the settings."""
    return _without_none(
        {
            "title": spec.title,
            "if": spec.condition,
            "actions": [_action(action) for action in spec.actions],
            "enabled": None if spec.enabled else False,
            "source_id": spec.source_id,
        }
    )


def transformation_table(spec: Transformation) -> Table:
    """Give a transformation as its table in the settings."""
    return _without_none(
        {
            "title": spec.title,
            "if": spec.condition,
            "new_event_name": spec.new_event_name,
            "property_renames": [
                {"old_name": old, "new_name": new} for old, new in spec.renames
            ] or None,
            "property_values": [
                {"paths": list(paths), "value": value} for paths, value in spec.values
            ] or None,
            "fql_defined_properties": [
                {"property_name": name, "fql": fql} for name, fql in spec.fql_properties
            ] or None,
            "allow_properties": list(spec.allow) or None,
            "drop": spec.drop or None,
            "enabled": None if spec.enabled else False,
            "source_id": spec.source_id,
        }
    )  # fmt: skip


def spec_tables(specs: FilterSpecs) -> Iterator[tuple[str, Table]]:
    """Give each filter and transformation: the name of its array of tables, and its table."""
    for each in specs.filters:
        yield "filters", filter_table(each)
    for transformation in specs.transformations:
        yield "transformations", transformation_table(transformation)


def named_specs(specs: FilterSpecs) -> dict[str, Table]:
    """Give each table under a key with its title, made unlike any other, for a comparison."""
    named: dict[str, Table] = {}
    for array, table in spec_tables(specs):
        key = first = f"{array}.{toml_string(table['title'])}"
        number = 1
        while key in named:
            number += 1
            key = f"{first} ({number})"
        named[key] = {name: value for name, value in table.items() if name != "title"}
    return named


def toml_tables(array: str, tables: list[Table]) -> str:
    """Write tables of an array as a settings file has them."""
    return "\n".join(
        f"[[{array}]]\n"
        + "".join(f"{name} = {toml_value(value)}\n" for name, value in table.items())
        for table in tables
    )


def _action(action: Action) -> Table:
    match action:
        case Drop():
            return {"type": "DROP"}
        case Sample(percent, path):
            return _without_none({"type": "SAMPLE", "percent": percent, "path": path})
        case DropProperties(fields):
            return {"type": "DROP_PROPERTIES", "fields": _fields(fields)}
        case AllowProperties(fields):
            return {"type": "ALLOW_PROPERTIES", "fields": _fields(fields)}


def _fields(fields: tuple[tuple[str, tuple[str, ...]], ...]) -> Table:
    return {path: list(names) for path, names in fields}


def _without_none(table: Table) -> Table:
    return {name: value for name, value in table.items() if value is not None}
