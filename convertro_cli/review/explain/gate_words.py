"""What is said of the gates."""

from __future__ import annotations

from typing import Any

from convertro_cli.mapping.calls import InvalidReason
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.trail import Note
from convertro_cli.review.explain.steps import Step, kind, lack, path_text, quoted, step_of


def old_names(note: Note, _: Rules) -> Step:
    """Say which old names stand for today's."""
    names = ", ".join(f"{old} is read as {name}" for name, old in note.value.items())
    return step_of(note, f"an export of before 2014: {names}")


def message_type(note: Note, _: Rules) -> Step:
    """Say what type the message is of."""
    if note.reason is None:
        return step_of(note, "one of the two that Convertro takes", value=note.value)
    if note.reason is InvalidReason.MISSING_TYPE:
        return step_of(note, f"type {lack(note.evidence)}; a message has one, such as track")
    if note.reason is InvalidReason.UNKNOWN_TYPE:
        return step_of(note, f"{quoted(note.evidence)}; Segment has no such type")
    return step_of(note, f"{quoted(note.evidence)}; Convertro takes only identify and track")


def suppression(note: Note, _: Rules) -> Step:
    """Say whether the user objected."""
    if note.reason is not None:
        says = "its user is on a suppression list, and objected"
        return step_of(note, says, value=note.value, personal=True)
    on_none = "its user is on no suppression list"
    return step_of(note, "it has no user id" if note.why == "anonymous" else on_none)


def consent(note: Note, _: Rules) -> Step:
    """Say whether the message has the consent that is asked for."""
    do = "send" if note.reason is None else "do not send"
    if note.why == "without":
        return step_of(note, f"it carries no consent, and the settings {do} such messages")
    if note.why == "empty":
        return step_of(note, f"context.consent is empty, and the settings {do} such messages")
    if note.why == "category":
        is_what = "is false" if note.evidence is False else lack(note.evidence)
        return step_of(note, f"{path_text(note.path)} {is_what}, and only true is consent")
    return step_of(note, "each category that is asked for is true")


def integrations(note: Note, _: Rules) -> Step:
    """Say which key turned Convertro off or on."""
    if note.why == "ignored":
        return step_of(note, "the settings leave the message's choice aside")
    is_on = "on" if note.reason is None else "off"
    return step_of(note, f"Convertro is {is_on}: {_who_decides(note)}")


def _who_decides(note: Note) -> str:
    if note.why == "none":
        return "the message chooses no integrations"
    if note.why == "unnamed":
        return f"{path_text(note.path)} names neither Convertro nor All"
    place, value = path_text(note.path), note.evidence
    if note.path[-1] != "Convertro":
        return f"{place} is {str(value).lower()}, and Convertro is not named"
    if isinstance(value, bool):
        return f"{place} is {str(value).lower()}"
    return f"{place} is {kind(value)}, and only false turns it off"


def schema(note: Note, _: Rules) -> Step:
    """Say whether the event is switched off."""
    says = {
        "listed": "its name is switched off",
        "unlisted": "its name is not switched off",
        "beaten": "its name is switched off, but the message itself names Convertro",
    }
    return step_of(note, says[note.why])


def delivered(note: Note, _: Rules) -> Step:
    """Say whether the browser delivered the message."""
    place, stopped = path_text(note.path), note.reason is not None
    if note.why == "delivered":
        again = "" if stopped else "; the settings send it again"
        return step_of(note, f"the browser delivered it: {place} names Convertro{again}")
    if note.why == "failed":
        return step_of(note, f"the browser could not deliver it: {place} names Convertro")
    if note.why == "not loaded":
        return step_of(note, f"the browser did not deliver it: {place} does not name Convertro")
    taken = "; the settings take it as delivered" if stopped else ""
    return step_of(note, f"there is no {place} to say what the browser delivered{taken}")


def selection(note: Note, _: Rules) -> Step:
    """Say which of the command's options leave the message out."""
    options: Any = note.value
    if note.reason is not None:
        return step_of(note, f"it is not among what {' and '.join(options)} asked for")
    return step_of(note, f"it passes {', '.join(options)}" if options else "there are none")


def engage(note: Note, _: Rules) -> Step:
    """Say that Engage made a track, and whether it is listed."""
    has = "has it" if note.reason is None else "does not have it"
    return step_of(note, f"Engage made it: there is {path_text(note.path)}; [events] {has}")
