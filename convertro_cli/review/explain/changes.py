"""A change that would have sent a message: in the settings, in the export, or of an option."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from convertro_cli.destination_filters.filters import DestinationFilters
from convertro_cli.destination_filters.specs import DestinationFilter, Transformation
from convertro_cli.mapping.rules import Selection

_OPTIONS = {
    "--since": "since",
    "--until": "until",
    "--received-since": "received_since",
    "--received-until": "received_until",
    "--type": "types",
    "--event": "events",
}
"""The fields of a selection that options set."""

REMOVED = object()
"""In place of a value: the key is taken away."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """Values for keys of one table of convertro.toml; ``note`` says what else comes of it.

    ``cost`` is higher for a change that is not about this kind of message alone.
    """

    table: str
    values: Mapping[str, Any]
    note: str = ""
    cost: int = 1

    def make(self, tables: dict[str, Any]) -> None:
        """Make the change in tables as they are in the file."""
        tables.setdefault(self.table, {}).update(self.values)

    def as_json(self) -> dict[str, Any]:
        """Say what is to be written, and where."""
        shown = {"where": "settings", "table": self.table, "values": dict(self.values)}
        return {**shown, "note": self.note}


@dataclass(frozen=True, slots=True)
class DataChange:
    """A value for a place in the message, such as ``context.device.id``.

    ``example`` says that the value only stands for the right one, which is not known here and
    which ``note`` names.
    """

    path: tuple[str, ...]
    value: Any
    note: str = ""
    example: bool = False
    cost: int = 1

    def make(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Give the message with the change. What is in the way and no object gives way to one."""
        return _with(message, self.path, self.value)

    def as_json(self) -> dict[str, Any]:
        """Say what is to stand where in the message."""
        shown = {"where": "export", "path": ".".join(self.path), "note": self.note}
        if self.value is REMOVED:
            return {**shown, "remove": True}
        return {**shown, "value": self.value, "example": self.example}


@dataclass(frozen=True, slots=True)
class OptionDropped:
    """An option of the command line that is left away."""

    option: str
    cost: int = 1

    def make(self, selection: Selection) -> Selection:
        """Give the filters without it."""
        field = _OPTIONS[self.option]
        return replace(selection, **{field: getattr(Selection(), field)})

    def as_json(self) -> dict[str, Any]:
        """Say which option is to go."""
        return {"where": "command", "without": self.option}


_Spec = TypeVar("_Spec", DestinationFilter, Transformation)


@dataclass(frozen=True, slots=True)
class FilterSwitchedOff:
    """A destination filter or transformation that is switched off, named by its title."""

    table: Literal["filters", "transformations"]
    title: str
    cost: int = 2

    def make(self, filtering: DestinationFilters) -> DestinationFilters:
        """Give all the filters and transformations, this one switched off."""
        filters, transformations = filtering.filters, filtering.transformations
        if self.table == "filters":
            filters = tuple(self._switched(each) for each in filters)
        else:
            transformations = tuple(self._switched(each) for each in transformations)
        return DestinationFilters(filters, transformations)

    def as_json(self) -> dict[str, Any]:
        """Say which one is to be switched off."""
        return {
            "where": "settings",
            "table": self.table,
            "title": self.title,
            "values": {"enabled": False},
            "note": "or in the file that it is read from; this lets all pass that it holds back",
        }

    def _switched(self, spec: _Spec) -> _Spec:
        return replace(spec, enabled=False) if spec.title == self.title else spec


ProposedChange = SettingChange | DataChange | OptionDropped | FilterSwitchedOff


def _with(holder: Any, path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Copy an object with a value in a place; what is not on the way there is shared."""
    copied = dict(holder) if isinstance(holder, dict) else {}
    key, rest = path[0], path[1:]
    if rest:
        copied[key] = _with(copied.get(key), rest, value)
    elif value is REMOVED:
        copied.pop(key, None)
    else:
        copied[key] = value
    return copied
