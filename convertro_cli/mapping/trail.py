"""What the mapping tells of its own way with a message, to whoever asks for it.

A replay asks for nothing, and pays nothing: each place that could tell something looks first
whether there is a trail. The idea is that of Open Policy Agent, whose evaluator explains itself
to a tracer: there is one copy of the rules, and it is the one that runs.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple, Protocol

from msgspec import Struct, field

from convertro_cli.mapping.calls import InvalidReason, SkipReason

Path = tuple[str, ...]
"""Where a value stands in a message: keys from the top, spelt as the message spells them."""

NoteVerdict = Literal["passed", "stopped", "found"]
"""Whether a gate let the message through or not, or something was only found."""

Topic = Literal[
    "old names",
    "type",
    "suppression",
    "consent",
    "integrations",
    "schema",
    "delivered",
    "filters",
    "destination filters",
    "engage",
    "mode",
    "settings",
    "user id",
    "event name",
    "device id",
    "call",
    "event type",
    "order id",
    "value",
    "visitor id",
    "event id",
    "traits",
    "visit",
    "time",
]
"""What a note is about."""

MISSING: Final = object()
"""In place of a value: there is none."""


class PassedOver(NamedTuple):
    """A place that was looked at in vain, and what stands there: ``MISSING`` for nothing."""

    path: Path
    value: Any


class Note(Struct, frozen=True):
    """One thing that the mapping did.

    ``why`` names the rule of the topic that decided, where there are several. ``value`` is what
    came of it; ``path`` is where that is from, and ``evidence`` what stands there. ``spellings``
    counts the keys there that would have done as well, of which the first counts. ``fields`` are
    those of the calls that have the value. ``settings`` has the dotted keys of what decided,
    ``reason`` why the message went no further.
    """

    topic: Topic
    verdict: NoteVerdict = "found"
    why: str = ""
    value: Any = None
    path: Path = ()
    evidence: Any = MISSING
    spellings: int = 1
    passed_over: tuple[PassedOver, ...] = ()
    fields: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    reason: SkipReason | InvalidReason | None = None


class Trail(Protocol):
    """Takes the mapping's notes on one message, in the order in which it went."""

    def note(self, note: Note) -> None:
        """Take one note."""

    def clear(self) -> None:
        """Forget what was noted: the message is mapped again from a more exact reading."""


class Notes(Struct):
    """A trail that keeps the notes."""

    notes: list[Note] = field(default_factory=list)

    def note(self, note: Note) -> None:
        """Keep one note."""
        self.notes.append(note)

    def clear(self) -> None:
        """Forget them all."""
        self.notes.clear()
