"""The mapping's notes, put into words: a step of an explanation for each.

Most notes have their sentence in a table, by topic and by what decided; what is said of values,
times and event types depends on more, and has a function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from convertro_cli.destination_filters.steps import FilterStep
from convertro_cli.mapping.trail import Note, Path
from convertro_cli.review.explain import call_words
from convertro_cli.review.explain.steps import Step, Telling, path_text, phrases, quoted
from convertro_cli.settings.faults import CLOUD_SETTINGS

_MADE_UP = "event type and visitor id, as Convertro's tag does"
_NO_BROWSER = "{place} is {quoted}, which is not a browser's"
_CLOUD = ", ".join(CLOUD_SETTINGS)

_SENTENCES: Mapping[str, str] = {
    "type": "one of the two that Convertro takes",
    "type missing_type": "type {lack}; a message has one, such as track",
    "type unknown_type": "{quoted}; Segment has no such type",
    "type unsupported_type": "{quoted}; Convertro takes only identify and track",
    "suppression listed": "its user is on a suppression list, and objected",
    "suppression unlisted": "its user is on no suppression list",
    "suppression anonymous": "it has no user id",
    "consent without": "it carries no consent, and the settings {send} such messages",
    "consent empty": "context.consent is empty, and the settings {send} such messages",
    "consent category": "{place} {refusal}, and only true is consent",
    "consent given": "each category that is asked for is true",
    "integrations ignored": "the settings leave the message's choice aside",
    "integrations none": "Convertro is {on}: the message chooses no integrations",
    "integrations unnamed": "Convertro is {on}: {place} names neither Convertro nor All",
    "integrations all": "Convertro is {on}: {place} is {truth}, and Convertro is not named",
    "integrations named": "Convertro is {on}: {place} is {truth}",
    "integrations odd": "Convertro is {on}: {place} is {kind}, and only false turns it off",
    "schema listed": "its name is switched off",
    "schema unlisted": "its name is not switched off",
    "schema beaten": "its name is switched off, but the message itself names Convertro",
    "delivered delivered": "the browser delivered it: {place} names Convertro",
    "delivered failed": "the browser could not deliver it: {place} names Convertro",
    "delivered not loaded": "the browser did not deliver it: {place} does not name Convertro",
    "delivered unmarked": "there is no {place} to say what the browser delivered",
    "engage": "Engage made it: there is {place}; [events] {has}",
    "mode setting": "the settings say so for every message",
    "mode engage": "Engage made it: context.personas has a {last}",
    "mode library": "{place} is {quoted}, Segment's library for browsers",
    "mode channel": "{place} is {quoted}, and there is no context.device.id",
    "mode channel with device": "{place} is {quoted}, but there is a context.device.id",
    "mode other library": _NO_BROWSER,
    "mode other channel": _NO_BROWSER,
    "mode neither": "neither its library nor its channel is a browser's",
    "settings": f"{_CLOUD} are there for cloud calls",
    "settings cloud_settings_missing": f"cloud calls need {_CLOUD}",
    "user id": "from {place}",
    "user id hashed": "from {place}; an e-mail address, so it is sent hashed",
    "user id e-mail": "from {place}; an e-mail address, so it is sent as it is",
    "user id missing_user_id": "{place} {lack}",
    "user id none": "none: {place} {lack}",
    "event name": "from event",
    "event name missing_event_name": "event {lack}",
    "device id": "from {place}",
    "device id missing_device_id": "every cloud call needs one, and {place} {lack}",
    "call": "an app's install has a call of its own",
    "event type violation": "what a tracking plan says of other events is not sent unless [events] "
    "has it",
    "event type own name": "its own name; [events] does not have it",
    "event type nothing listed": "its own name; [events] is empty",
    "event type own name of an order": "its own name; orders go out even if [events] does not have "
    "them",
    "event id no visitor": "none: there is neither an order id nor a visitor id",
    "event id no message id": "none: there is no order id, and {place} {lack}",
    "event id made up": f"from {_MADE_UP}, for want of an order id",
    "event id message id": "from {place}, for want of an order id",
    "traits cloud": "none are sent: Convertro takes them from browsers only",
}
"""What is said of a note, by its topic and by what decided (else by the reason that stopped it)."""

_PERSONAL = {"suppression", "user id", "device id", "order id", "visitor id", "event id"}
"""The topics whose value is personal data."""


class Told(NamedTuple):
    """The steps of a message; ``sources`` tells of each field of a call where its value is from."""

    steps: list[Step]
    sources: dict[str, str]


def put_into_words(notes: Iterable[Note], telling: Telling) -> Told:
    """Tell the way of a message from the notes of the mapping."""
    told = Told([], {})
    old_names: Mapping[str, str] = {}
    made: dict[str, str] = {}
    for note in notes:
        if note.topic == "old names":
            old_names = {**old_names, **note.value}
        if note.topic == "destination filters":
            made |= _fields_made(note.value)
        named = _as_in_message(note, old_names)
        for field in note.fields:
            told.sources[field] = _source(named) + _made_by(named, made)
        if note.topic != "visit":
            told.steps.append(_say(named, telling))
    return told


def _say(note: Note, telling: Telling) -> Step:
    if note.topic in _TOLD_BY and (step := _TOLD_BY[note.topic](note, telling)) is not None:
        return step
    sentence = _SENTENCES.get(f"{note.topic} {_case(note)}") or _SENTENCES[note.topic]
    return telling.step(
        note,
        sentence.format_map(phrases(note)),
        value=_shown(note),
        personal=note.topic in _PERSONAL,
    )


def _case(note: Note) -> str:
    if note.topic == "integrations" and note.why == "key":
        if note.path[-1] != "Convertro":
            return "all"
        return "named" if isinstance(note.evidence, bool) else "odd"
    if note.why in {"other library", "other channel"} and not isinstance(note.evidence, str):
        return "neither"
    if note.topic == "user id" and note.value is None and note.reason is None:
        return "none"
    return note.why or (note.reason or "")


def _shown(note: Note) -> str:
    """Give the value of a note as its step shows it; who is on no list needs no naming."""
    if note.topic == "event type" and note.reason is None:
        return quoted(note.evidence)
    if note.topic == "suppression" and note.reason is None:
        return ""
    if not isinstance(note.value, str) or note.topic == "engage":
        return ""
    return quoted(note.value) if note.topic == "event name" else note.value


def _old_names(note: Note, telling: Telling) -> Step:
    names = ", ".join(f"{old} is read as {name}" for name, old in note.value.items())
    return telling.step(note, f"an export of before 2014: {names}")


def _selection(note: Note, telling: Telling) -> Step:
    if note.reason is not None:
        return telling.step(note, f"it is not among what {' and '.join(note.value)} asked for")
    return telling.step(
        note, f"it passes {', '.join(note.value)}" if note.value else "there are none"
    )


def _delivered(note: Note, telling: Telling) -> Step:
    says = _SENTENCES[f"delivered {note.why}"].format_map(phrases(note))
    if note.why == "delivered" and note.reason is None:
        says += "; the settings send it again"
    if note.why == "unmarked" and note.reason is not None:
        says += "; the settings take it as delivered"
    return telling.step(note, says)


_TOLD_BY: Mapping[str, Callable[[Note, Telling], Step | None]] = {
    "old names": _old_names,
    "delivered": _delivered,
    "filters": _selection,
    "destination filters": call_words.filter_step,
    "event type": call_words.event_type,
    "order id": call_words.order_id,
    "value": call_words.value,
    "visitor id": call_words.visitor_id,
    "traits": call_words.traits,
    "time": call_words.time,
}


def _as_in_message(note: Note, old_names: Mapping[str, str]) -> Note:
    """Name the place of a note as the message has it, if that is of an old export."""
    if note.path and note.path[0] in old_names:
        return replace(note, path=(old_names[note.path[0]], *note.path[1:]))
    return note


_SOURCES = {"default": "the default", "listed": "[events]", "made up": _MADE_UP}
"""What is said of values that are from no place in the message."""


def _source(note: Note) -> str:
    """Say where the value of a parameter is from."""
    if note.why in _SOURCES:
        return _SOURCES[note.why]
    if not note.path and note.settings:
        return f"the setting {note.settings[0]}"
    return path_text(note.path) + (", hashed" if note.why == "hashed" else "")


def _fields_made(found: FilterStep) -> dict[str, str]:
    """Give the fields whose value is a transformation's, each with its title."""
    return {change.path: found.title for change in found.changes if change.how in {"added", "set"}}


def _made_by(note: Note, made: Mapping[str, str]) -> str:
    """Say so where a place of the message has its value from a transformation."""
    places = [_dotted(note.path[: end + 1]) for end in range(len(note.path))]
    title = next((made[place] for place in places if place in made), None)
    return "" if title is None else f", which the transformation {quoted(title)} made"


def _dotted(path: Path) -> str:
    """Write a place as the steps of the filters write it: a dot in a name is escaped."""
    return ".".join(key.replace(".", "\\.") for key in path)
