"""A message's situation, and the changes of it that would have sent the message.

A change is one of the settings, of the export, or of an option; each knows what comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from convertro_cli.destination_filters.filters import DestinationFilters
from convertro_cli.destination_filters.specs import DestinationFilter, Transformation
from convertro_cli.mapping.calls import Outcome
from convertro_cli.mapping.message import map_message
from convertro_cli.mapping.rules import Rules, Selection
from convertro_cli.segment.ids import InexactNumberError
from convertro_cli.segment.json_text import read_json_exactly, write_json
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import check
from convertro_cli.settings.model import Settings

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


class Situation(Struct, frozen=True):
    """A message, and all that decides what becomes of it.

    ``rules`` are made of the settings, of the user's filters, and of the files that the settings
    name; ``folder`` is that of the settings.
    """

    message: Mapping[str, Any]
    settings: Settings
    rules: Rules
    folder: Path

    def outcome(self) -> Outcome:
        """Map the message, as a dry run does."""
        try:
            return map_message(self.message, self.rules)
        except InexactNumberError:  # only what the message becomes after a change asks for it
            return map_message(read_json_exactly(write_json(self.message)), self.rules)


class SettingChange(Struct, frozen=True):
    """Values for keys of one table of convertro.toml; ``note`` says what else comes of it.

    ``cost`` is higher for a change that is not about this kind of message alone.
    """

    table: str
    values: Mapping[str, Any]
    note: str = ""
    cost: int = 1

    def make(self, situation: Situation) -> Situation | None:
        """Check the changed settings, and compile them; the files that they name stay read."""
        tables = situation.settings.model_dump(exclude_unset=True)
        tables.setdefault(self.table, {}).update(self.values)
        settings, faults = check(tables, folder=situation.folder)
        if settings is None or faults:
            return None
        before = situation.rules
        rules = replace(
            compile_rules(settings, before.selection),
            latest=before.latest,
            suppressed=before.suppressed,
            destination_filters=before.destination_filters,
        )
        return replace(situation, settings=settings, rules=rules)

    def as_json(self) -> dict[str, Any]:
        """Say what is to be written, and where."""
        shown = {"where": "settings", "table": self.table, "values": dict(self.values)}
        return {**shown, "note": self.note}


class DataChange(Struct, frozen=True):
    """A value for a place in the message, such as ``context.device.id``.

    ``example`` says that the value only stands for the right one, which is not known here and
    which ``note`` names.
    """

    path: tuple[str, ...]
    value: Any
    note: str = ""
    example: bool = False
    cost: int = 1

    def make(self, situation: Situation) -> Situation:
        """Change the message. What is in the way and no object gives way to one."""
        return replace(situation, message=_with(situation.message, self.path, self.value))

    def as_json(self) -> dict[str, Any]:
        """Say what is to stand where in the message."""
        shown = {"where": "export", "path": ".".join(self.path), "note": self.note}
        if self.value is REMOVED:
            return {**shown, "remove": True}
        return {**shown, "value": self.value, "example": self.example}


class OptionDropped(Struct, frozen=True):
    """An option of the command line that is left away."""

    option: str
    cost: int = 1

    def make(self, situation: Situation) -> Situation:
        """Leave the option away."""
        name = _OPTIONS[self.option]
        nothing = {name: getattr(Selection(), name)}
        selection = replace(situation.rules.selection, **nothing)
        return replace(situation, rules=replace(situation.rules, selection=selection))

    def as_json(self) -> dict[str, Any]:
        """Say which option is to go."""
        return {"where": "command", "without": self.option}


_Spec = TypeVar("_Spec", DestinationFilter, Transformation)


class FilterSwitchedOff(Struct, frozen=True):
    """A destination filter or transformation that is switched off, named by its title."""

    table: Literal["filters", "transformations"]
    title: str
    cost: int = 2

    def make(self, situation: Situation) -> Situation | None:
        """Switch it off."""
        filtering = situation.rules.destination_filters
        if not isinstance(filtering, DestinationFilters):
            return None
        filters, transformations = filtering.filters, filtering.transformations
        if self.table == "filters":
            filters = tuple(self._switched(each) for each in filters)
        else:
            transformations = tuple(self._switched(each) for each in transformations)
        changed = DestinationFilters(filters, transformations)
        return replace(situation, rules=replace(situation.rules, destination_filters=changed))

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
