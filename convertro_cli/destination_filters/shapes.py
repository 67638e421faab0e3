"""Filters and transformations out of tables: those of the settings, and Segment's own.

The same things have three spellings: the settings', the Public API's and Terraform's. Whatever is
not of the right shape is told with its place; nothing is guessed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any

from convertro_cli.destination_filters.fields import split_path
from convertro_cli.destination_filters.raw_table import RawTable, shown
from convertro_cli.destination_filters.specs import (
    Action,
    AllowProperties,
    DestinationFilter,
    Drop,
    DropProperties,
    FieldNames,
    Sample,
    Scalar,
    Transformation,
)
from convertro_cli.destination_filters.transform import MOST_PARTS
from convertro_cli.fql.errors import FqlError
from convertro_cli.fql.parser import parse, parse_operand

PUBLIC_API: Mapping[str, str] = {
    "source_id": "sourceId",
    "new_event_name": "newEventName",
    "property_renames": "propertyRenames",
    "old_name": "oldName",
    "new_name": "newName",
    "property_values": "propertyValueTransformations",
    "paths": "propertyPaths",
    "value": "propertyValue",
    "fql_defined_properties": "fqlDefinedProperties",
    "property_name": "propertyName",
    "allow_properties": "allowProperties",
    "hash_properties_configuration": "hashPropertiesConfiguration",
}
TERRAFORM: Mapping[str, str] = {
    "property_values": "property_value_transformations",
    "paths": "property_paths",
    "value": "property_value",
}

_ACTIONS = {
    "DROP": "DROP",
    "SAMPLE": "SAMPLE",
    "DROP_PROPERTIES": "DROP_PROPERTIES",
    "ALLOW_PROPERTIES": "ALLOW_PROPERTIES",
    "drop_event": "DROP",
    "sample_event": "SAMPLE",
    "blocklist_fields": "DROP_PROPERTIES",
    "blacklist_fields": "DROP_PROPERTIES",
    "whitelist_fields": "ALLOW_PROPERTIES",
    "allowlist_fields": "ALLOW_PROPERTIES",
}
"""The names of actions, those of the API before the Public API among them."""


_TAKEN = {
    "DROP": (),
    "SAMPLE": ("percent", "path"),
    "DROP_PROPERTIES": ("fields",),
    "ALLOW_PROPERTIES": ("fields",),
}
"""What each action takes besides its type."""

_ENOUGH = 1_000_000


def filter_of(raw: RawTable) -> DestinationFilter | None:
    """Read a destination filter; None where anything is wrong with it."""
    before = len(raw.faults)
    raw.known("title", "if", "actions", "enabled", "source_id")
    title = _title(raw)
    enabled = raw.switch("enabled", True)
    condition = _fql(raw, "if", parse, enabled=enabled)
    read = map(_action, raw.tables("actions", required=True))
    actions = tuple(action for action in read if action is not None)
    if raw.get("actions") == []:
        raw.wrong("actions", "one action or more")
    source_id, own_id = raw.text("source_id"), raw.text("id")
    if len(raw.faults) > before:
        return None
    return DestinationFilter(title, condition, actions, enabled, source_id, own_id)


def _fql(raw: RawTable, name: str, read: Callable[[str], object], *, enabled: bool = True) -> str:
    """Give the text of a condition that can be read, or that nobody will ask."""
    text = raw.text(name, required=True)
    if text is not None and enabled:
        try:
            read(text)
        except FqlError as error:
            raw.fault(name, error.without_guess, error.meant)
    return text or ""


def _title(raw: RawTable) -> str:
    """Give the title. What Segment gave none to is called by its id, or by its place."""
    if raw.by_hand:
        return raw.text("title", required=True) or ""
    return raw.text("title") or raw.text("id") or raw.place


def _action(raw: RawTable) -> Action | None:
    name = raw.get("type")
    kind = _ACTIONS.get(name) if isinstance(name, str) else None
    if kind is None:
        allowed = [known for known in _ACTIONS if known.isupper()]
        close = get_close_matches(str(name).upper(), allowed, 1)
        raw.wrong("type", ", ".join(allowed) + (f" (did you mean {close[0]}?)" if close else ""))
        return None
    _refuse_others(raw, kind)
    if kind == "DROP":
        return Drop()
    if kind == "SAMPLE":
        return _sample(raw)
    fields = _fields(raw)
    return DropProperties(fields) if kind == "DROP_PROPERTIES" else AllowProperties(fields)


def _refuse_others(raw: RawTable, kind: str) -> None:
    """Add a fault for what an action of this kind does not take: a percent of DROP does nothing."""
    for name in ("percent", "path", "fields") if raw.by_hand else ():
        if name in raw.fields and name not in _TAKEN[kind]:
            raw.fault(name, f"is nothing that {kind} takes")
    raw.known("type", "percent", "path", "fields")


def _sample(raw: RawTable) -> Sample:
    percent = raw.get("percent")
    is_number = isinstance(percent, int | float) and not isinstance(percent, bool)
    # Whoever writes 50 means a half, and would get all. Segment's own answers are taken as they
    # are, but for infinity and NaN.
    least, most = (0, 1) if raw.by_hand else (-_ENOUGH, _ENOUGH)
    if not is_number or not least <= percent <= most:
        raw.wrong("percent", "a number from 0 (keeps none) to 1 (keeps all), so 0.05 for 5 %")
        percent = 1
    return Sample(percent, raw.text("path"))


def _fields(raw: RawTable) -> FieldNames:
    fields = raw.get("fields")
    if isinstance(fields, str) and not raw.by_hand:
        fields = _unpacked(fields)
    if not isinstance(fields, Mapping) or not all(map(_are_names, fields.values())):
        raw.wrong("fields", 'paths with arrays of names, such as { "properties" = ["email"] }')
        return ()
    return tuple((path, tuple(names)) for path, names in fields.items())


def _unpacked(text: str) -> Any:
    """Read JSON out of a string, as Terraform keeps it; the string itself where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def transformation_of(raw: RawTable) -> Transformation | None:
    """Read a transformation; None where anything is wrong with it."""
    before = len(raw.faults)
    raw.known(
        "title", "if", "enabled", "source_id", "drop", "new_event_name", "property_renames",
        "property_values", "fql_defined_properties", "allow_properties",
        "hash_properties_configuration",
    )  # fmt: skip
    enabled = raw.switch("enabled", True)
    if enabled and raw.get("hash_properties_configuration"):
        raw.fault(
            "hash_properties_configuration",
            "is not supported: how Segment makes the hashes is not public, and a wrong one "
            "would look like a right one; take it out, or switch the transformation off",
        )
    transformation = Transformation(
        title=_title(raw),
        condition=_fql(raw, "if", parse, enabled=enabled),
        new_event_name=raw.text("new_event_name"),
        renames=tuple(_each(raw, "property_renames", _rename)),
        values=tuple(_each(raw, "property_values", _value)),
        fql_properties=tuple(
            _each(raw, "fql_defined_properties", partial(_fql_property, enabled=enabled))
        ),
        allow=_paths(raw, "allow_properties"),
        drop=raw.switch("drop", False),
        enabled=enabled,
        source_id=raw.text("source_id"),
        id=raw.text("id"),
    )
    return transformation if len(raw.faults) == before else None


def _each(raw: RawTable, name: str, read: Callable[[RawTable], Any]) -> Iterator[Any]:
    for inner in raw.tables(name):
        yield read(inner)


def _rename(raw: RawTable) -> tuple[str, str]:
    raw.known("old_name", "new_name")
    return _path(raw, "old_name"), _path(raw, "new_name")


def _value(raw: RawTable) -> tuple[tuple[str, ...], Scalar]:
    raw.known("paths", "value")
    value = raw.get("value")
    if not isinstance(value, str | int | float | bool) or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        raw.wrong("value", "text, a number, true or false")
    paths = _paths(raw, "paths", required=True)
    if raw.by_hand and raw.get("paths") == []:
        raw.wrong("paths", "one path or more")
    return paths, value


def _fql_property(raw: RawTable, *, enabled: bool) -> tuple[str, str]:
    raw.known("property_name", "fql")
    return _path(raw, "property_name"), _fql(raw, "fql", parse_operand, enabled=enabled)


def _path(raw: RawTable, name: str) -> str:
    path = raw.text(name, required=True)
    return path if path is not None and _is_path(raw, name, path) else ""


def _paths(raw: RawTable, name: str, *, required: bool = False) -> tuple[str, ...]:
    return tuple(path for path in raw.texts(name, required=required) if _is_path(raw, name, path))


def _is_path(raw: RawTable, name: str, path: str) -> bool:
    parts = split_path(path)
    if parts and all(parts) and len(parts) <= MOST_PARTS:
        return True
    raw.fault(
        name,
        f"{shown(path)} is no path of 1 to {MOST_PARTS} names, such as properties.currency",
    )
    return False
