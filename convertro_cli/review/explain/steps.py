"""A step of an explanation, and the phrases that steps are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from convertro_cli.destination_filters.steps import FilterStep
from convertro_cli.mapping.trail import MISSING, Note, NoteVerdict, PassedOver, Path

_LONGEST_SHOWN = 80
_NAMES_SHOWN = 8


class Step(NamedTuple):
    """One step of the way of a message through the rules.

    ``value`` is what was found, personal data if ``personal`` says so; ``says`` is never
    personal data. ``settings`` has the dotted keys of what decided. ``reason`` is the name of
    the reason why the message went no further, if it did not. ``filter`` is there for a
    destination filter or a transformation: what it looked at, and what it changed.
    """

    topic: str
    verdict: NoteVerdict
    says: str
    value: str = ""
    personal: bool = False
    settings: tuple[str, ...] = ()
    reason: str = ""
    filter: FilterStep | None = None


def phrases(note: Note) -> dict[str, str]:
    """Give what the sentence about a note can be put together from."""
    raw, goes_on = note.evidence, note.reason is None
    return {
        "place": path_text(note.path),
        "last": note.path[-1] if note.path else "",
        "quoted": quoted(raw) if isinstance(raw, str) else "",
        "lack": lack(raw),
        "refusal": "is false" if raw is False else lack(raw),
        "kind": kind(raw),
        "truth": str(raw).lower(),
        "send": "send" if goes_on else "do not send",
        "on": "on" if goes_on else "off",
        "has": "has it" if goes_on else "does not have it",
    }


def step_of(note: Note, says: str, *, value: str = "", personal: bool = False) -> Step:
    """Make the step of a note. What stopped a message counts as personal data."""
    reason = "" if note.reason is None else note.reason.value
    is_personal = personal or bool(reason and value)
    return Step(note.topic, note.verdict, says, value, is_personal, note.settings, reason)


def quoted(text: str) -> str:
    """Put a name into quotes, cut short where it is long."""
    return f'"{text[:_LONGEST_SHOWN]}…"' if len(text) > _LONGEST_SHOWN else f'"{text}"'


def path_text(path: Path) -> str:
    """Write the place of a value in the message."""
    first, *rest = path or ("",)
    return first + "".join(
        f".{key}" if key.replace("_", "").isalnum() and key.isascii() else f"[{quoted(key)}]"
        for key in rest
    )


def lack(value: Any) -> str:
    """Say why a value is none that could be used as an id or a name."""
    if value is MISSING:
        return "is not there"
    if value is None:
        return "is null"
    if isinstance(value, str):
        return "is blank" if value else "is empty"
    return f"is {kind(value)}"


def lacks(places: Iterable[PassedOver]) -> list[str]:
    """Say of each place where something stands why it could not be used."""
    return [f"{path_text(path)} {lack(value)}" for path, value in places if value is not MISSING]


def kind(value: Any) -> str:
    """Name the kind of a JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, int | float):
        return "a number"
    return "an object" if isinstance(value, dict) else "an array"


def shortened(names: Any, separator: str = ", ") -> str:
    """List names, of many only the first and how many more there are."""
    more = len(names) - _NAMES_SHOWN
    listed = separator.join(names[:_NAMES_SHOWN])
    return f"{listed}{separator}and {more} more" if more > 0 else listed
