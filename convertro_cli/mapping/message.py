"""One message of an export, through all the gates, to its calls or to the reason for none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping import cloud, web
from convertro_cli.mapping.calls import (
    NOT_SELECTED,
    SKIPPED,
    Call,
    Invalid,
    InvalidReason,
    Mapped,
    MappingWarning,
    Outcome,
    Skipped,
    SkipReason,
)
from convertro_cli.mapping.fields import as_object
from convertro_cli.mapping.filtering import filter_message
from convertro_cli.mapping.gates import OTHER_TYPES, SUPPORTED_TYPES, stop_at_gate
from convertro_cli.mapping.integrations import ALL_ON, is_made_by_replay, read_choice
from convertro_cli.mapping.modes import decide_mode, engage_key
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.selection import is_selected
from convertro_cli.mapping.times import message_time, tell_time, time_warnings
from convertro_cli.mapping.tracks import is_left_to_engage
from convertro_cli.mapping.trail import MISSING, Note, Trail
from convertro_cli.mapping.worth import worth_of
from convertro_cli.segment.old_exports import read_old_message
from convertro_cli.segment.times import MessageTime, usual_time

MADE_BY_REPLAY = "All is false, and a storage destination is on"
"""What sets a message of a bucket that Segment's own Replay filled apart from others."""

_OLD_NAMES = {"type": "action", "anonymousId": "sessionId"}


def with_todays_names(message: Mapping[str, Any], trail: Trail | None = None) -> Mapping[str, Any]:
    """Give a message of an export from before 2014 with its names as they are today."""
    named = read_old_message(message)
    if trail is not None and named is not message:
        holder = "context" if "providers" in as_object(message.get("context")) else "options"
        old = _OLD_NAMES | {"integrations": f"{holder}.providers"}
        added = [name for name in old if named.get(name) is not message.get(name)]
        trail.note(Note("old names", value={name: old[name] for name in added}))
    return named


def map_message(message: Mapping[str, Any], rules: Rules, trail: Trail | None = None) -> Outcome:
    """Map one Segment message: its calls, all of them fit to be sent, or the reason for none.

    Whatever the JSON object holds, this raises nothing but InexactNumberError, for an id whose
    digits were lost in reading: the message must be read again, exactly. With a ``trail`` it
    tells what it does on the way.
    """
    message_type = message.get("type")
    if message_type is None:
        message = with_todays_names(message, trail)
        message_type = message.get("type")
    if not isinstance(message_type, str):
        return _missing_type(message, rules, trail)
    message_type = message_type.lower()
    if message_type not in SUPPORTED_TYPES:
        if message_type in OTHER_TYPES and not rules.has_selection and trail is None:
            return SKIPPED[SkipReason.UNSUPPORTED_TYPE]  # as most messages are
        return _other_type(message, message_type, rules, trail)
    if trail is not None:
        trail.note(Note("type", "passed", value=message_type, path=("type",)))
    return _map(message, message_type, rules, trail)


def _map(
    message: Mapping[str, Any], message_type: str, rules: Rules, trail: Trail | None
) -> Outcome:
    """Map a message of a type that Convertro takes."""
    if "sessionId" in message or message.get("integrations") is None or "options" in message:
        message = with_todays_names(message, trail)
    time: MessageTime | Invalid | None = None
    seconds = usual_time(message, rules.latest)
    if seconds is None or trail is not None:
        time = message_time(message, rules.latest)
        seconds = None if isinstance(time, Invalid) else time.seconds
    # Most messages choose nothing, and most rules have no gate: then there is nothing to ask.
    chosen = message.get("integrations")
    chooses = (chosen and chosen != ALL_ON) or "_metadata" in message
    if chooses or rules.has_gates or trail is not None:
        reason = stop_at_gate(message, message_type, seconds, rules, trail)
        if reason is not None:
            return _skipped(reason, message, message_type, seconds, rules)
    filtered = message
    if rules.destination_filters is not None:
        passed = filter_message(message, message_type, rules.destination_filters, trail)
        if not isinstance(passed, Mapping):
            worth = worth_of(message, message_type, rules)
            return Skipped(SkipReason(passed.reason), passed.title, worth)
        filtered = passed
    warnings: list[MappingWarning] = []
    calls = _calls(filtered, message_type, seconds or 0, rules, warnings, trail)
    if isinstance(calls, SkipReason):
        return SKIPPED[calls]
    if isinstance(calls, Invalid):
        return calls
    if time is None:
        return Mapped(calls, warnings)
    return _with_time(Mapped(calls, warnings), message, time, trail)


def _with_time(
    mapped: Mapped, message: Mapping[str, Any], time: MessageTime | Invalid, trail: Trail | None
) -> Mapped | Invalid:
    """Give what a message with such a time yields, and what there is to be said of the time."""
    if trail is not None:
        tell_time(trail, message, time)
    if isinstance(time, Invalid):
        return time
    mapped.warnings.extend(time_warnings(time))
    return mapped


def _calls(
    message: Mapping[str, Any],
    message_type: str,
    timestamp: int,
    rules: Rules,
    warnings: list[MappingWarning],
    trail: Trail | None,
) -> list[Call] | SkipReason | Invalid:
    """Give the calls of a message that no gate stops, by the rules that it follows."""
    if message_type == "track":
        key = engage_key(message)
        if key is not None and is_left_to_engage(message, key, rules, trail):
            return SkipReason.ENGAGE_TRACK
        mode = decide_mode(rules.mode, message_type, message, trail)
        track = web.track_calls if mode == "web" else cloud.track_calls
        return track(message, rules, timestamp, warnings, trail)
    mode = decide_mode(rules.mode, message_type, message, trail)
    identify = web.identify_calls if mode == "web" else cloud.identify_calls
    return identify(message, rules, timestamp, warnings, trail)


def _missing_type(message: Mapping[str, Any], rules: Rules, trail: Trail | None) -> Invalid:
    reason = InvalidReason.MISSING_TYPE
    if trail is not None:
        raw = message.get("type", MISSING)
        trail.note(Note("type", "stopped", path=("type",), evidence=raw, reason=reason))
    return Invalid(reason, "no string 'type'", is_selected=not rules.has_selection)


def _other_type(
    message: Mapping[str, Any], message_type: str, rules: Rules, trail: Trail | None
) -> Outcome:
    """Give the outcome of a message of a type that Convertro does not take, or that is none."""
    is_known = message_type in OTHER_TYPES
    reason = SkipReason.UNSUPPORTED_TYPE if is_known else InvalidReason.UNKNOWN_TYPE
    if trail is not None:
        raw = message["type"]
        trail.note(Note("type", "stopped", path=("type",), evidence=raw, reason=reason))
    is_asked_for = not rules.has_selection or _is_selected(message, message_type, rules)
    if is_known:
        return (SKIPPED if is_asked_for else NOT_SELECTED)[SkipReason.UNSUPPORTED_TYPE]
    return Invalid(InvalidReason.UNKNOWN_TYPE, "a 'type' that Segment does not have", is_asked_for)


def _is_selected(message: Mapping[str, Any], message_type: str, rules: Rules) -> bool:
    time = message_time(message, rules.latest)
    seconds = None if isinstance(time, Invalid) else time.seconds
    return is_selected(rules.selection, message, message_type, seconds)


def _skipped(
    reason: SkipReason,
    message: Mapping[str, Any],
    message_type: str,
    seconds: int | None,
    rules: Rules,
) -> Skipped:
    """Give the outcome of a message that a gate stopped."""
    if reason is SkipReason.FILTERED_OUT:
        return NOT_SELECTED[reason]
    selected = not rules.has_selection or is_selected(
        rules.selection, message, message_type, seconds
    )
    title = ""
    if reason is SkipReason.DISABLED_BY_INTEGRATIONS:
        integrations = message.get("integrations")
        decided_by = read_choice(integrations).key or ""
        if decided_by.lower() == "all" and is_made_by_replay(integrations):
            title = MADE_BY_REPLAY
    return Skipped(reason, title, worth_of(message, message_type, rules), selected)
