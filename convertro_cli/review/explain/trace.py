"""The way of one message through the gates, told step by step.

It asks the same functions in the same order as the mapping itself, but does not decide: what
becomes of the message is what the mapping says.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from convertro_cli.mapping.calls import Invalid, InvalidReason, SkipReason
from convertro_cli.mapping.gates import (
    SUPPORTED_TYPES,
    as_object,
    decide_mode,
    is_enabled,
    is_from_browser,
    is_made_by_engage,
    is_selected,
)
from convertro_cli.mapping.lines import MappedLine
from convertro_cli.mapping.message import message_time
from convertro_cli.mapping.rules import Rules, Selection
from convertro_cli.review.explain import cloud, web
from convertro_cli.review.explain.steps import Step, Walk, kind, lack, quoted
from convertro_cli.segment.times import TIME_KEYS, find_time
from convertro_cli.settings.model import Settings


class Trace(NamedTuple):
    """The steps of a message; ``sources`` tells of each parameter where its value is from."""

    steps: list[Step]
    sources: dict[str, str]


def trace(line: MappedLine, settings: Settings, rules: Rules) -> Trace:
    """Tell the way of a line. ``rules`` are those that it was mapped by, made of ``settings``."""
    if line.message is None:
        assert isinstance(line.outcome, Invalid)
        reason = line.outcome.reason.value
        return Trace([Step("line", "stopped", line.outcome.detail, reason=reason)], {})
    walk = Walk(line.message, settings, rules)
    all(gate(walk) for gate in (_type, _integrations, _filters, _calls, _time))
    return Trace(walk.steps, walk.sources)


def _type(walk: Walk) -> bool:
    found = walk.message.get("type")
    if not isinstance(found, str):
        says = f"type {lack(walk.message, 'type')}; a message has one, such as track"
        return walk.stopped("type", InvalidReason.MISSING_TYPE, says)
    if found.lower() not in SUPPORTED_TYPES:
        says = f"{quoted(found)}; Convertro takes only identify and track"
        return walk.stopped("type", SkipReason.UNSUPPORTED_TYPE, says)
    return walk.passed("type", "one of the two that Convertro takes", value=found.lower())


def _integrations(walk: Walk) -> bool:
    decided = _who_decides(walk.message.get("integrations"))
    if is_enabled(walk.message.get("integrations")):
        return walk.passed("integrations", f"Convertro is on: {decided}")
    says = f"Convertro is off: {decided}"
    return walk.stopped("integrations", SkipReason.DISABLED_BY_INTEGRATIONS, says)


def _who_decides(integrations: Any) -> str:
    if not isinstance(integrations, dict):
        return "the message chooses no integrations"
    if "Convertro" in integrations:
        value = integrations["Convertro"]
        if isinstance(value, bool):
            return f"integrations.Convertro is {str(value).lower()}"
        what = "null" if value is None else kind(value)
        return f"integrations.Convertro is {what}, and only false turns it off"
    for key, value in integrations.items():
        if isinstance(value, bool) and key.lower() == "all":
            return f"integrations.{key} is {str(value).lower()}, and Convertro is not named"
    return "integrations names neither Convertro nor All"


def _filters(walk: Walk) -> bool:
    selection = walk.rules.selection
    if not selection:
        return walk.passed("filters", "there are none")
    given = _one_by_one(selection)
    against = [option for option, one in given.items() if not _selects(walk, one)]
    if against:
        says = f"it is not among what {' and '.join(against)} asked for"
        return walk.stopped("filters", SkipReason.FILTERED_OUT, says)
    return walk.passed("filters", f"it passes {', '.join(given)}")


def _one_by_one(selection: Selection) -> dict[str, Selection]:
    """Give each filter alone, under its option."""
    alone = {
        "--since": Selection(since=selection.since),
        "--until": Selection(until=selection.until),
        "--type": Selection(types=selection.types),
        "--event": Selection(events=selection.events),
    }
    return {option: one for option, one in alone.items() if one}


def _selects(walk: Walk, selection: Selection) -> bool:
    time = message_time(walk.message)
    return is_selected(
        selection,
        walk.message["type"].lower(),
        walk.message.get("event"),
        None if isinstance(time, Invalid) else time,
    )


def _calls(walk: Walk) -> bool:
    message_type = walk.message["type"].lower()
    mode = decide_mode(walk.rules.mode, message_type, walk.message)
    walk.found("mode", _why_this_mode(walk, message_type), value=mode, settings=("mapping.mode",))
    if message_type == "identify":
        return web.identify(walk) if mode == "web" else cloud.identify(walk)
    return web.track(walk) if mode == "web" else cloud.track(walk)


def _why_this_mode(walk: Walk, message_type: str) -> str:
    if walk.rules.mode != "auto":
        return "the settings say so for every message"
    if message_type == "identify" and is_made_by_engage(walk.message):
        return "Engage made it: context.personas has a computation_key"
    library = as_object(walk.context.get("library")).get("name")
    named = f"context.library.name is {quoted(library)}" if isinstance(library, str) else ""
    if _is_browser_library(library):
        return f"{named}, Segment's library for browsers"
    channel = walk.message.get("channel")
    if is_from_browser(walk.message):
        return f"channel is {quoted(str(channel))}, and there is no context.device.id"
    if is_from_browser({"channel": channel}):
        return f"channel is {quoted(str(channel))}, but there is a context.device.id"
    if named:
        return f"{named}, which is not a browser's"
    if isinstance(channel, str):
        return f"channel is {quoted(channel)}, which is not a browser's"
    return "neither its library nor its channel is a browser's"


def _is_browser_library(name: Any) -> bool:
    return is_from_browser({"context": {"library": {"name": name}}})


def _time(walk: Walk) -> bool:
    time = message_time(walk.message)
    found = find_time(walk.message)
    if found is None:
        says = f"there is none of {', '.join(TIME_KEYS)}; now would be wrong"
        return walk.stopped("time", InvalidReason.MISSING_TIMESTAMP, says)
    key, value = found
    if isinstance(time, Invalid):
        shown = quoted(value) if isinstance(value, str) else kind(value)
        says = f"from {key}, which is no ISO 8601 time"
        return walk.stopped("time", InvalidReason.INVALID_TIMESTAMP, says, value=shown)
    walk.sources["ts"] = key
    missing = TIME_KEYS[: TIME_KEYS.index(key)]
    passed_over = f"; there is no {' or '.join(missing)}" if missing else ""
    moment = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return walk.passed("time", f"from {key}{passed_over}", value=moment)
