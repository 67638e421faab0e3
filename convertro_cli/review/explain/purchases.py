"""Where the order id, the amount and the event types of a track are from."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from convertro_cli.mapping.calls import SkipReason
from convertro_cli.mapping.orders import DEFAULT_VALUE
from convertro_cli.review.explain.steps import Walk, kind, lack, path_of, property_keys, quoted
from convertro_cli.segment.ids import plain_number, read_id
from convertro_cli.segment.money import read_amount
from convertro_cli.segment.names import normalise
from convertro_cli.segment.properties import canonical

ORDER_ID_NAMES = ("id", "orderid")
"""The properties that can hold an order id, the first choice first."""

_UNMAPPED = "mapping.unmapped_events"
_HYBRID = "convertro.hybrid_attribution_model"


def event_name(walk: Walk) -> str | None:
    """Tell the event's name, or stop for want of one."""
    event = walk.message.get("event")
    if isinstance(event, str) and event.strip():
        walk.passed("event name", "from event", value=quoted(event))
        return event
    says = f"event {lack(walk.message, 'event')}"
    walk.stopped("event name", SkipReason.MISSING_EVENT_NAME, says)
    return None


def mapped_types(walk: Walk, event: str) -> None:
    """Tell which keys of ``[events]`` lead to the event types."""
    targets = walk.rules.events.look_up(event).targets
    keys = [key for key in walk.settings.events if normalise(key) == normalise(event)]
    listed = " and ".join(quoted(key) for key in keys)
    alike = "" if keys == [event] else ", the same name in another spelling"
    _note_types(
        walk,
        ", ".join(targets),
        f"[events] has it as {listed}{alike}",
        tuple(f"events.{key}" for key in keys),
        "[events]",
    )


def own_name(walk: Walk, event: str, why: str, setting: str = _UNMAPPED) -> None:
    """Tell that an event goes out under its own name."""
    _note_types(walk, quoted(event), f"its own name; {why}", (setting,), "event")


def unmapped(walk: Walk, event: str) -> bool:
    """Stop for an event that ``[events]`` does not list."""
    names = {normalise(key): key for key in walk.settings.events}
    close = get_close_matches(normalise(event), names, 1, cutoff=0.75)
    near = f"; the closest name in it is {quoted(names[close[0]])}" if close else ""
    return walk.stopped(
        "event type",
        SkipReason.UNMAPPED_EVENT,
        f"[events] does not have {quoted(event)}{near}",
        settings=(_UNMAPPED,),
    )


def sale_types(walk: Walk, types: tuple[str, ...], settings: tuple[str, ...] = ()) -> None:
    """Tell why an order is sent as these types of sale."""
    key = property_keys(walk.properties, "repeat").get("repeat")
    if key is None:
        says = "there is no properties.repeat to say whether the buyer is new"
    elif isinstance(walk.properties[key], bool):
        says = f"{path_of('properties', key)} is {str(walk.properties[key]).lower()}"
    else:
        value = walk.properties[key]
        what = "null" if value is None else kind(value)
        says = f"{path_of('properties', key)} is {what}, no boolean, so it does not count"
    if len(types) > 1:
        says += "; the hybrid model sends both"
    source = "event" if key is None else path_of("properties", key)
    _note_types(walk, ", ".join(types), says, (*settings, _HYBRID), source)


def order_id(walk: Walk) -> str | None:
    """Find the order id, and tell where; None where there is none, which is told elsewhere."""
    keys = property_keys(walk.properties, *ORDER_ID_NAMES)
    passed_over: list[str] = []
    for name in ORDER_ID_NAMES:
        key = keys.get(name)
        if key is None:
            continue
        found = read_id(walk.properties[key])
        path = path_of("properties", key)
        if found is not None:
            says = f"from {path}{_among(walk, key)}{_after(passed_over)}"
            walk.passed("order id", says, value=found, personal=True)
            walk.sources["eid"] = path
            return found
        passed_over.append(f"{path} {lack(walk.properties, key)}")
    return None


def no_order_id(walk: Walk) -> str:
    """Say why no order id was found."""
    keys = property_keys(walk.properties, *ORDER_ID_NAMES)
    faults = [
        f"{path_of('properties', keys[name])} {lack(walk.properties, keys[name])}"
        for name in ORDER_ID_NAMES
        if name in keys
    ]
    return " and ".join(faults) or "properties has neither an order_id nor an id"


def value(walk: Walk, names: tuple[str, ...], parameter: str) -> None:
    """Tell which property the value is from, or why it is the default."""
    keys = property_keys(walk.properties, *names)
    passed_over: list[str] = []
    for name in names:
        raw = walk.properties[keys[name]] if name in keys else None
        if raw is None:
            continue
        path = path_of("properties", keys[name])
        amount = read_amount(raw)
        if amount is not None:
            says = f"from {path}{_among(walk, keys[name])}{_after(passed_over)}"
            walk.found("value", says, value=plain_number(amount))
            walk.sources[parameter] = path
            return
        passed_over.append(f"{path} is no amount that can be read (unreadable_amount)")
    no_amount = f"there is no {' and no '.join(f'properties.{name}' for name in names)}"
    why = " and ".join(passed_over) or no_amount
    walk.found("value", f"by default: {why}", value=plain_number(DEFAULT_VALUE))
    walk.sources[parameter] = "the default"


def made_up_id(walk: Walk, found: str, source: str) -> None:
    """Tell what the event's id is made of where there is no order id."""
    walk.found("event id", f"{source}, for want of an order id", value=found, personal=True)
    walk.sources["eid"] = source.removeprefix("from ")


def _note_types(walk: Walk, types: str, says: str, settings: tuple[str, ...], source: str) -> None:
    walk.passed("event type", says, value=types, settings=settings)
    walk.sources |= {"typ": source, "event_type": source}


def _among(walk: Walk, key: str) -> str:
    """Say so where other spellings of the same property come later."""
    others = [other for other in _spellings(walk.properties, canonical(key)) if other != key]
    return f", the first of {len(others) + 1} spellings" if others else ""


def _spellings(properties: Mapping[str, Any], wanted: str) -> list[str]:
    return [key for key in properties if canonical(key) == wanted]


def _after(passed_over: list[str]) -> str:
    return f"; {' and '.join(passed_over)}" if passed_over else ""
