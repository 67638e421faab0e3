"""A step of an explanation, and the phrases that steps are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from msgspec import Struct

from convertro_cli.destination_filters.steps import FilterStep
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.trail import MISSING, Note, NoteVerdict, PassedOver, Path
from convertro_cli.review.masking import Masking
from convertro_cli.settings.load import LoadedSettings

_LONGEST_SHOWN = 80
_NAMES_SHOWN = 8


class ShownSetting(NamedTuple):
    """A setting under its dotted key, and where its value is from."""

    key: str
    value: Any
    origin: str


class Step(Struct, frozen=True):
    """One step of the way of a message through the rules.

    ``value`` is what was found, as far as it may be shown; ``says`` is never personal data.
    ``reason`` is the name of the reason why the message went no further, if it did not;
    ``settings`` are what decided. ``filter`` is there for a destination filter or a
    transformation: what it looked at, and what it changed.
    """

    topic: str
    verdict: NoteVerdict
    value: str
    says: str
    reason: str | None
    settings: Sequence[ShownSetting]
    filter: dict[str, Any] | None = None
    is_personal: bool = False

    ASIDE: ClassVar = {"is_personal"}


class Telling(Struct, frozen=True, dict=True):
    """How a message is told of: under which rules and settings, and how much of it is shown."""

    rules: Rules
    loaded: LoadedSettings
    masking: Masking

    def step(
        self,
        note: Note,
        says: str,
        *,
        value: str = "",
        personal: bool = False,
        filtered: FilterStep | None = None,
    ) -> Step:
        """Make the step of a note. What stopped a message counts as personal data."""
        reason = None if note.reason is None else note.reason.value
        is_personal = bool(value) and (personal or reason is not None)
        return Step(
            note.topic,
            note.verdict,
            self.masking.text(value) if is_personal else value,
            says,
            reason,
            self.settings(note.settings),
            None if filtered is None else self._filter(filtered),
            is_personal,
        )

    def settings(self, keys: Iterable[str]) -> list[ShownSetting]:
        """Give settings as they are told."""
        return [self._setting(key) for key in keys]

    def _setting(self, key: str) -> ShownSetting:
        table, _, name = key.partition(".")
        value: Any = self._tables[table]
        for part in [name] if table == "events" else name.split("."):
            value = value[part]
        origin = self.loaded.origin_of(key)
        if key == "privacy.suppressed" and self.loaded.suppressed_options:
            value = [*value, *map(str, self.loaded.suppressed_options)]
            origin = "option" if origin == "default" else f"{origin}, option"
        return ShownSetting(key, value, origin)

    @cached_property
    def _tables(self) -> dict[str, Any]:
        return self.loaded.settings.model_dump()

    def _filter(self, step: FilterStep) -> dict[str, Any]:
        """Describe a filter as it met the message; what it found there is the message's own."""
        shown = self.masking.value
        parts = [
            {
                "part": part.text,
                "held": part.held,
                "found": [{"what": one.text, "value": shown(one.value)} for one in part.found],
            }
            for part in step.parts
        ]
        changes = [
            {**one._asdict(), "before": shown(one.before), "after": shown(one.after)}
            for one in step.changes
        ]
        return {
            "kind": step.kind,
            "title": step.title,
            "condition": step.condition,
            "does": step.does or None,
            "passed_over": step.passed_over,
            "held": step.held,
            "dropped": step.dropped,
            "parts": parts,
            "changes": changes,
        }


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
    if isinstance(value, str):
        return "is blank" if value else "is empty"
    return f"is {kind(value)}"


def lacks(places: Iterable[PassedOver]) -> list[str]:
    """Say of each place where something stands why it could not be used."""
    return [f"{path_text(path)} {lack(value)}" for path, value in places if value is not MISSING]


_KINDS = {
    type(None): "null",
    bool: "a boolean",
    str: "a string",
    dict: "an object",
    list: "an array",
}


def kind(value: Any) -> str:
    """Name the kind of a JSON value."""
    return _KINDS.get(type(value), "a number")


def shortened(names: Any, separator: str = ", ") -> str:
    """List names, of many only the first and how many more there are."""
    more = len(names) - _NAMES_SHOWN
    listed = separator.join(names[:_NAMES_SHOWN])
    return f"{listed}{separator}and {more} more" if more > 0 else listed
