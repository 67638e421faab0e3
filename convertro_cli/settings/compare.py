"""The settings' own differences: each key whose value is not the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from convertro_cli.settings.filter_text import named_specs
from convertro_cli.settings.model import Settings
from convertro_cli.settings.toml_text import toml_string, toml_value

_EVENTS = "events"


class SettingDifference(NamedTuple):
    """A key of the settings, dotted, with its value on each side; None where it has none."""

    key: str
    before: Any
    after: Any

    @property
    def texts(self) -> tuple[str, str]:
        """The two values as a settings file has them."""
        return _text(self.before), _text(self.after)


def compare_settings(before: Settings, after: Settings) -> list[SettingDifference]:
    """Compare settings as they are understood: a default that is written out is no change."""
    tables = list(before.model_dump())
    old, new = (_values(settings) for settings in (before, after))
    keys = sorted(dict.fromkeys([*old, *new]), key=lambda key: tables.index(key.split(".")[0]))
    changes = [SettingDifference(key, old.get(key), new.get(key)) for key in keys]
    return [change for change in changes if change.before != change.after]


def _values(settings: Settings) -> dict[str, Any]:
    """Give each key with its value, and each filter with what it is, whatever file it is from."""
    dump = settings.model_dump(exclude={"filters", "transformations"})
    return dict(_flat(dump)) | named_specs(settings.filter_specs)


def _flat(tables: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tables.items():
        if prefix == f"{_EVENTS}.":
            yield prefix + toml_string(name), value
        elif isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _text(value: Any) -> str:
    return "not set" if value is None else toml_value(value)
