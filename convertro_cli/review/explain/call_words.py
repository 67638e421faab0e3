"""What is said of the calls: whose rules apply, and where each of their values is from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from convertro_cli.mapping.calls import InvalidReason
from convertro_cli.mapping.orders import is_absent
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.trail import MISSING, Note, PassedOver
from convertro_cli.review.explain.steps import (
    Step,
    kind,
    lack,
    lacks,
    path_text,
    quoted,
    step_of,
)
from convertro_cli.segment.ids import plain_number
from convertro_cli.segment.names import normalise
from convertro_cli.segment.times import TIME_KEYS
from convertro_cli.settings.faults import CLOUD_SETTINGS

MADE_UP = "event type and visitor id, as Convertro's tag does"
"""What an event id is made of where a page names none."""

_NAMES_SHOWN = 8


def mode(note: Note, _: Rules) -> Step:
    """Say why these rules apply."""
    return step_of(note, _why_this_mode(note), value=note.value)


def _why_this_mode(note: Note) -> str:
    place = path_text(note.path) if note.path else ""
    named = f"{place} is {quoted(note.evidence)}" if isinstance(note.evidence, str) else ""
    match note.why:
        case "setting":
            return "the settings say so for every message"
        case "engage":
            return f"Engage made it: context.personas has a {note.path[-1]}"
        case "library":
            return f"{named}, Segment's library for browsers"
        case "channel":
            return f"{named}, and there is no context.device.id"
        case "channel with device":
            return f"{named}, but there is a context.device.id"
    return f"{named}, which is not a browser's" if named else _NEITHER


_NEITHER = "neither its library nor its channel is a browser's"


def cloud_settings(note: Note, _: Rules) -> Step:
    """Say whether the settings that cloud calls need are there."""
    needed = ", ".join(CLOUD_SETTINGS)
    if note.reason is None:
        return step_of(note, f"{needed} are there for cloud calls")
    return step_of(note, f"cloud calls need {needed}")


def user_id(note: Note, _: Rules) -> Step:
    """Say where the user's id is from."""
    if note.value is None:
        none = "" if note.reason is not None else "none: "
        return step_of(note, f"{none}{path_text(note.path)} {lack(note.evidence)}")
    sent = {"hashed": "hashed", "e-mail": "as it is"}.get(note.why)
    email = f"; an e-mail address, so it is sent {sent}" if sent else ""
    says = f"from {path_text(note.path)}{email}"
    return step_of(note, says, value=note.value, personal=True)


def event_name(note: Note, _: Rules) -> Step:
    """Say what the event is called."""
    if note.value is None:
        return step_of(note, f"event {lack(note.evidence)}")
    return step_of(note, "from event", value=quoted(note.value))


def device_id(note: Note, _: Rules) -> Step:
    """Say where the device's id is from."""
    place = path_text(note.path)
    if note.value is None:
        return step_of(note, f"every cloud call needs one, and {place} {lack(note.evidence)}")
    return step_of(note, f"from {place}", value=note.value, personal=True)


def install(note: Note, _: Rules) -> Step:
    """Say that an app's install is no event."""
    return step_of(note, "an app's install has a call of its own", value=note.value)


def event_type(note: Note, rules: Rules) -> Step:
    """Say which types the event is sent as, and why; or that it is not sent."""
    event = note.evidence
    if note.why == "violation":
        says = "what a tracking plan says of other events is not sent unless [events] has it"
        return step_of(note, says)
    if note.why == "unmapped":
        return step_of(note, f"[events] does not have {quoted(event)}{_nearest(event, rules)}")
    if note.why in {"sale", "repeat"}:
        return step_of(note, _kind_of_sale(note), value=", ".join(note.value))
    if note.why == "listed":
        return step_of(note, _as_listed(event, rules), value=", ".join(note.value))
    why = {
        "own name of an order": "orders go out even if [events] does not have them",
        "nothing listed": "[events] is empty",
        "own name": "[events] does not have it",
    }
    return step_of(note, f"its own name; {why[note.why]}", value=quoted(event))


def _as_listed(event: str, rules: Rules) -> str:
    keys = rules.events.keys_of(event)
    alike = "" if keys == (event,) else ", the same name in another spelling"
    return f"[events] has it as {' and '.join(map(quoted, keys))}{alike}"


def _nearest(event: str, rules: Rules) -> str:
    names = rules.events.names
    close = get_close_matches(normalise(event), names, 1, cutoff=0.75)
    return f"; the closest name in it is {quoted(names[close[0]])}" if close else ""


def _kind_of_sale(note: Note) -> str:
    place, value = path_text(note.path), note.evidence
    if note.why == "sale":
        says = "there is no properties.repeat to say whether the buyer is new"
    elif isinstance(value, bool):
        says = f"{place} is {str(value).lower()}"
    else:
        says = f"{place} is {kind(value)}, no boolean, so it does not count"
    return says + ("; the hybrid model sends both" if len(note.value) > 1 else "")


def order_id(note: Note, _: Rules) -> Step:
    """Say where the order's id is from, or that there is none."""
    faults = lacks(_there(note.passed_over))
    if note.value is not None:
        says = f"from {path_text(note.path)}{_among(note)}{_after(faults)}"
        return step_of(note, says, value=note.value, personal=True)
    why = " and ".join(faults) or "properties has neither an order_id nor an id"
    needs = "an order needs one, and" if note.reason is not None else "none, and none is required:"
    return step_of(note, f"{needs} {why}")


def value(note: Note, _: Rules) -> Step:
    """Say which amount counts, or why there is none."""
    unreadable = [
        f"{path_text(path)} is no amount that can be read (unreadable_amount)"
        for path, raw in note.passed_over
        if not (raw is MISSING or is_absent(raw))
    ]
    if note.why == "held":
        return step_of(note, f"{' and '.join(unreadable)}, and such messages are held back")
    if note.why == "default":
        places = [path_text(path) for path, _ in note.passed_over]
        why = " and ".join(unreadable) or f"there is no {' and no '.join(places)}"
        return step_of(note, f"by default: {why}", value=plain_number(note.value))
    says = f"from {path_text(note.path)}{_among(note)}{_after(unreadable)}"
    if note.why == "ambiguous":
        says += "; its dot could be one of thousands (ambiguous_amount)"
    return step_of(note, says, value=plain_number(note.value))


def visitor_id(note: Note, _: Rules) -> Step:
    """Say which path led to the visitor's id, and which did not."""
    before = " and no ".join(".".join(path) for path, _ in note.passed_over)
    if note.value is None:
        return step_of(note, f"none: there is no {before}")
    passed_over = f"; there is no {before}" if before else ""
    says = f"from {'.'.join(note.path)}{passed_over}"
    return step_of(note, says, value=note.value, personal=True)


def event_id(note: Note, _: Rules) -> Step:
    """Say what stands for the order's id where there is none."""
    if note.why == "no visitor":
        return step_of(note, "none: there is neither an order id nor a visitor id")
    if note.why == "no message id":
        why = f"{path_text(note.path)} {lack(note.evidence)}"
        return step_of(note, f"none: there is no order id, and {why}")
    source = MADE_UP if note.why == "made up" else path_text(note.path)
    says = f"from {source}, for want of an order id"
    return step_of(note, says, value=note.value, personal=True)


def traits(note: Note, _: Rules) -> Step:
    """Say which traits are sent, and why the others are not."""
    if note.why == "cloud":
        return step_of(note, "none are sent: Convertro takes them from browsers only")
    says = _shortened(note.value) if note.value else "there are none to send"
    left_out = [f"{quoted(name)}: {_LEFT_OUT.get(why, why)}" for name, why in note.evidence.items()]
    if left_out:
        says += f"; left out {_shortened(left_out, '; ')}"
    return step_of(note, says, value=f"{len(note.value)} sent" if note.value else "")


_LEFT_OUT = {"id": "the call has one of its own", "unwanted": "the settings do not want it"}


def time(note: Note, _: Rules) -> Step:
    """Say which time counts, and what came before it."""
    if note.reason is InvalidReason.MISSING_TIMESTAMP:
        return step_of(note, f"there is none of {', '.join(TIME_KEYS)}; now would be wrong")
    if note.reason is not None:
        shown = quoted(note.evidence) if isinstance(note.evidence, str) else kind(note.evidence)
        others = "".join(f", nor is {path_text(path)}" for path, _ in note.passed_over)
        says = f"from {path_text(note.path)}, which is no time that can be used{others}"
        return step_of(note, says, value=shown)
    missing = [path_text(path) for path, raw in note.passed_over if raw is MISSING]
    useless = [path_text(path) for path, raw in note.passed_over if raw is not MISSING]
    says = f"from {note.path[0]}"
    if useless:
        says += f"; {' and '.join(useless)} cannot be used (unreadable_time)"
    if missing:
        says += f"; there is no {' or '.join(missing)}"
    if note.why == "after receipt":
        says += "; more than a day after it was received (time_after_receipt)"
    moment = datetime.fromtimestamp(note.value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return step_of(note, says, value=moment)


def _there(places: Iterable[PassedOver]) -> tuple[PassedOver, ...]:
    return tuple(place for place in places if place.value is not MISSING)


def _among(note: Note) -> str:
    """Say so where other spellings of the same property come later."""
    return f", the first of {note.spellings} spellings" if note.spellings > 1 else ""


def _after(faults: list[str]) -> str:
    return f"; {' and '.join(faults)}" if faults else ""


def _shortened(names: Any, separator: str = ", ") -> str:
    more = len(names) - _NAMES_SHOWN
    listed = separator.join(names[:_NAMES_SHOWN])
    return f"{listed}{separator}and {more} more" if more > 0 else listed
