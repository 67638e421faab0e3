"""The mapping's notes, put into words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.trail import Note
from convertro_cli.review.explain import gate_words, value_words
from convertro_cli.review.explain.steps import Step, path_text


class Words:
    """Tells of one message, note by note. ``rules`` are those that it was mapped by.

    ``sources`` has for each field of a call where its value is from; ``steps`` the steps of its
    way, in their order.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._old_names: Mapping[str, str] = {}
        self.steps: list[Step] = []
        self.sources: dict[str, str] = {}

    def tell(self, note: Note) -> None:
        """Put one note into words."""
        if note.topic == "old names":
            self._old_names = note.value
        source = self._source(note)
        for field in note.fields:
            self.sources[field] = source
        say = _SAYS.get(note.topic)
        if say is not None:
            self.steps.append(say(note, self._rules))

    def _source(self, note: Note) -> str:
        """Say where the value of a note is from, under the name that it has in the message."""
        return gate_words
