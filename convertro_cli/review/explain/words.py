"""The mapping's notes, put into words: a step of an explanation for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.trail import Note, Topic
from convertro_cli.review.explain import call_words, filter_words, gate_words
from convertro_cli.review.explain.steps import Step, path_text, quoted


class Told(NamedTuple):
    """The steps of a message; ``sources`` tells of each field of a call where its value is from."""

    steps: list[Step]
    sources: dict[str, str]


def put_into_words(notes: Iterable[Note], rules: Rules) -> Told:
    """Tell the way of a message from the notes of the mapping, made under these rules."""
    told = Told([], {})
    old_names: Mapping[str, str] = {}
    made: dict[str, str] = {}
    for note in notes:
        if note.topic == "old names":
            old_names = {**old_names, **note.value}
        if note.topic == "destination filters":
            made |= filter_words.fields_made(note.value)
        named = _as_in_message(note, old_names)
        for field in note.fields:
            told.sources[field] = _source(named) + _made_by(named, made)
        say = _SAY.get(note.topic)
        if say is not None:
            told.steps.append(say(named, rules))
    return told


def _as_in_message(note: Note, old_names: Mapping[str, str]) -> Note:
    """Name the place of a note as the message has it, if that is of an old export."""
    if note.path and note.path[0] in old_names:
        return replace(note, path=(old_names[note.path[0]], *note.path[1:]))
    return note


def _source(note: Note) -> str:
    """Say where the value of a parameter is from."""
    if note.why in _SOURCES:
        return _SOURCES[note.why]
    if not note.path and note.settings:
        return f"the setting {note.settings[0]}"
    text = path_text(note.path) if note.path else ""
    return f"{text}, hashed" if note.why == "hashed" else text


def _made_by(note: Note, made: Mapping[str, str]) -> str:
    """Say so where a place of the message has its value from a transformation."""
    places = [filter_words.dotted(note.path[: end + 1]) for end in range(len(note.path))]
    title = next((made[place] for place in places if place in made), None)
    return "" if title is None else f", which the transformation {quoted(title)} made"


_SOURCES = {
    "default": "the default",
    "listed": "[events]",
    "made up": call_words.MADE_UP,
}
"""What is said of values that are from no place in the message."""

_SAY: Mapping[Topic, Callable[[Note, Rules], Step]] = {
    "old names": gate_words.old_names,
    "type": gate_words.message_type,
    "suppression": gate_words.suppression,
    "consent": gate_words.consent,
    "integrations": gate_words.integrations,
    "schema": gate_words.schema,
    "delivered": gate_words.delivered,
    "filters": gate_words.selection,
    "destination filters": filter_words.filter_step,
    "engage": gate_words.engage,
    "mode": call_words.mode,
    "settings": call_words.cloud_settings,
    "user id": call_words.user_id,
    "event name": call_words.event_name,
    "device id": call_words.device_id,
    "call": call_words.install,
    "event type": call_words.event_type,
    "order id": call_words.order_id,
    "value": call_words.value,
    "visitor id": call_words.visitor_id,
    "event id": call_words.event_id,
    "traits": call_words.traits,
    "time": call_words.time,
}
