"""Groups of options: a command takes each as one parameter, and Typer sees the options in it.

A group is a struct whose fields are declared as options. Beside an option that is in place of
a setting stands ``Overrides``, so that the settings are loaded with what was given.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, NamedTuple, get_type_hints

from msgspec import Struct


class Overrides(NamedTuple):
    """Beside an option: the dotted key of the setting in whose place it is."""

    key: str
    read: Callable[[str], object] | None = None
    """Makes the setting of the option's text; None where it is the setting."""


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that takes the options of its groups one by one, as Typer gives them."""
    hints = get_type_hints(command, include_extras=True)
    taken: list[inspect.Parameter] = []
    groups: dict[str, type[Struct]] = {}
    for name, parameter in inspect.signature(command).parameters.items():
        if _is_group(hints[name]):
            groups[name] = hints[name]
            taken += _parameters_of(hints[name])
        else:
            taken.append(parameter.replace(annotation=hints[name], kind=parameter.KEYWORD_ONLY))

    @wraps(command)
    def run(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{each: given.pop(each) for each in group.__struct_fields__})
        command(**given)

    run.__annotations__ = {each.name: each.annotation for each in taken}
    run.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
    return run


def _is_group(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Struct)


def _parameters_of(group: type[Struct]) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for name, default in zip(group.__struct_fields__, group.__struct_defaults__, strict=True):
        yield inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[name]
        )


def in_place_of_settings(group: type) -> Iterator[tuple[str, Overrides]]:
    """Give the options of a group that are in place of settings, by their names."""
    for name, hint in get_type_hints(group, include_extras=True).items():
        yield from ((name, each) for each in hint.__metadata__ if isinstance(each, Overrides))


def overrides(*groups: Any) -> dict[str, object]:
    """Put the options that are in place of settings under the keys of those."""
    found: dict[str, object] = {}
    for group in groups:
        for name, (key, read) in in_place_of_settings(type(group)):
            value = getattr(group, name)
            found[key] = value if read is None or value is None else read(value)
    return found
