"""The steps of an explanation: what was looked at, what was found, which setting decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from convertro_cli.mapping.calls import InvalidReason, SkipReason
from convertro_cli.mapping.gates import as_object
from convertro_cli.mapping.rules import Rules
from convertro_cli.segment.properties import find_properties
from convertro_cli.settings.model import Settings

_LONGEST_SHOWN = 80

Verdict = Literal["passed", "stopped", "found"]
"""Whether a step was a gate that let the message through or not, or only found something."""


class Step(NamedTuple):
    """One step of the way of a message through the rules.

    ``value`` is what was found, personal data if ``personal`` says so; ``says`` is never
    personal data. ``settings`` has the dotted keys of what decided. ``reason`` is the name of
    the reason why the message went no further, if it did not.
    """

    topic: str
    verdict: Verdict
    says: str
    value: str = ""
    personal: bool = False
    settings: tuple[str, ...] = ()
    reason: str = ""


@dataclass(slots=True)
class Walk:
    """A message on its way through the rules, and the steps it has taken so far.

    ``sources`` has for each parameter of a call where its value is from.
    """

    message: Mapping[str, Any]
    settings: Settings
    rules: Rules
    steps: list[Step] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def properties(self) -> Mapping[str, Any]:
        """The message's properties, empty where it has none."""
        return as_object(self.message.get("properties"))

    @property
    def context(self) -> Mapping[str, Any]:
        """The message's context, empty where it has none."""
        return as_object(self.message.get("context"))

    def passed(
        self,
        topic: str,
        says: str,
        *,
        value: str = "",
        personal: bool = False,
        settings: tuple[str, ...] = (),
    ) -> bool:
        """Note a gate that was passed."""
        self.steps.append(Step(topic, "passed", says, value, personal, settings))
        return True

    def found(
        self,
        topic: str,
        says: str,
        *,
        value: str = "",
        personal: bool = False,
        settings: tuple[str, ...] = (),
    ) -> None:
        """Note where a value was found, or that there was none."""
        self.steps.append(Step(topic, "found", says, value, personal, settings))

    def stopped(
        self,
        topic: str,
        reason: SkipReason | InvalidReason,
        says: str,
        *,
        value: str = "",
        settings: tuple[str, ...] = (),
    ) -> bool:
        """Note the gate that the message did not pass. A value counts as personal data."""
        step = Step(topic, "stopped", says, value, bool(value), settings, reason.value)
        self.steps.append(step)
        return False


def quoted(text: str) -> str:
    """Put a name into quotes, cut short where it is long."""
    return f'"{text[:_LONGEST_SHOWN]}…"' if len(text) > _LONGEST_SHOWN else f'"{text}"'


def path_of(table: str, key: str) -> str:
    """Write the place of a key in an object of the message."""
    plain = key.replace("_", "").isalnum() and key.isascii()
    return f"{table}.{key}" if plain else f"{table}[{quoted(key)}]"


def property_keys(properties: Mapping[str, Any], *wanted: str) -> dict[str, str]:
    """Find under which of its own keys each of these properties (canonical names) counts."""
    return find_properties(properties, frozenset(wanted))


def lack(holder: Mapping[str, Any], key: str) -> str:
    """Say why a value is none that could be used as an id or a name."""
    value = holder.get(key)
    if key not in holder:
        return "is not there"
    if value is None:
        return "is null"
    if isinstance(value, str):
        return "is blank" if value else "is empty"
    return f"is {kind(value)}"


def kind(value: Any) -> str:
    """Name the kind of a JSON value."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, int | float):
        return "a number"
    return "an object" if isinstance(value, dict) else "an array"
