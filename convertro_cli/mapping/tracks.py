"""What the rules for browsers and those for apps and servers have in common about tracks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping.calls import SkipReason
from convertro_cli.mapping.orders import Properties, sale_types
from convertro_cli.mapping.rules import EventName, Rules
from convertro_cli.mapping.trail import MISSING, Note, Trail

_UNMAPPED = "mapping.unmapped_events"
_HYBRID = "convertro.hybrid_attribution_model"
_TYPE = ("event_type",)


def read_event_name(message: Mapping[str, Any], trail: Trail | None = None) -> str | None:
    """Give the name of a track; None where there is none."""
    event = message.get("event")
    found = event if isinstance(event, str) and event.strip() else None
    if trail is not None:
        trail.note(
            Note(
                "event name",
                "stopped" if found is None else "passed",
                value=found,
                path=("event",),
                evidence=message.get("event", MISSING),
                reason=SkipReason.MISSING_EVENT_NAME if found is None else None,
            )
        )
    return found


def is_left_to_engage(
    message: Mapping[str, Any], key: str, rules: Rules, trail: Trail | None = None
) -> bool:
    """Whether a track that Engage made (``Audience Entered``) is one that ``[events]`` lacks.

    It says what Engage computed of a user, not what a user did. ``key`` tells that Engage made it.
    """
    event = message.get("event")
    keys = rules.events.keys_of(event) if isinstance(event, str) else ()
    if trail is not None:
        trail.note(
            Note(
                "engage",
                "passed" if keys else "stopped",
                value=event,
                path=("context", "personas", key),
                settings=tuple(f"events.{name}" for name in keys),
                reason=None if keys else SkipReason.ENGAGE_TRACK,
            )
        )
    return not keys


def passes_unmapped(name: EventName, rules: Rules, is_web: bool) -> bool:
    """Whether a track that ``[events]`` does not list goes out under its own name.

    In a browser Convertro's integration sends none of these. What Segment's tracking plans say
    of other events is nothing that anybody did.
    """
    if name.is_violation:
        return False
    if rules.unmapped_events == "auto":
        return not is_web and not rules.events
    return rules.unmapped_events == "send"


def tell_unmapped(trail: Trail, event: str, name: EventName) -> None:
    """Note that a track is one that ``[events]`` does not list."""
    trail.note(
        Note(
            "event type",
            "stopped",
            "violation" if name.is_violation else "unmapped",
            path=("event",),
            evidence=event,
            settings=() if name.is_violation else (_UNMAPPED,),
            reason=SkipReason.UNMAPPED_EVENT,
        )
    )


def tell_types(
    trail: Trail, event: str, name: EventName, rules: Rules, *, of_order: bool = False
) -> None:
    """Note which event types a track goes out as that is no sale: those that ``[events]`` has for
    it, or its own name; ``of_order`` says that an order goes out under any."""
    settings = tuple(f"events.{key}" for key in rules.events.keys_of(event))
    why = "listed"
    if not name.targets:
        is_empty = not rules.events and rules.unmapped_events == "auto"
        why = "own name of an order" if of_order else "nothing listed" if is_empty else "own name"
        settings = ("mapping.cloud_orders" if of_order else _UNMAPPED,)
    trail.note(
        Note(
            "event type",
            "passed",
            why,
            value=name.targets or (event,),
            path=("event",),
            evidence=event,
            fields=_TYPE,
            settings=settings,
        )
    )


def read_sale_types(
    properties: Properties,
    repeat: Any,
    rules: Rules,
    trail: Trail | None = None,
    settings: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Give the types of an order that goes out as a sale.

    ``repeat`` is the key of that name; ``settings`` what made the order a sale, for the trail.
    """
    raw = properties.get(repeat)
    types = sale_types(raw, hybrid=rules.hybrid_attribution_model)
    if trail is not None:
        path = ("event",) if repeat is None else ("properties", repeat)
        trail.note(
            Note(
                "event type",
                "passed",
                "sale" if repeat is None else "repeat",
                value=types,
                path=path,
                evidence=MISSING if repeat is None else raw,
                fields=_TYPE,
                settings=(*settings, _HYBRID),
            )
        )
    return types
