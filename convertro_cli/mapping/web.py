"""The rules for messages from browsers: what analytics.js and Convertro's tag do there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping.calls import Call, Invalid, MappingWarning, SkipReason
from convertro_cli.mapping.fields import as_object
from convertro_cli.mapping.orders import (
    Properties,
    find_order_keys,
    looked_at,
    read_order_id,
    read_value,
)
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.tracks import (
    passes_unmapped,
    read_event_name,
    read_sale_types,
    tell_types,
    tell_unmapped,
)
from convertro_cli.mapping.trail import MISSING, Note, PassedOver, Path, Trail
from convertro_cli.mapping.wire import find_trait_faults, wire_user_id
from convertro_cli.segment.ids import read_id

_LONGEST_VISITOR_ID = 32


Visit = tuple[str | None, str | None, str | None, str | None, str | None]
"""Who a message is from and where that was: visitor id, page, referrer, IP address, user agent."""

_PLACES: Mapping[str, Path] = {
    "page": ("context", "page", "url"),
    "referrer": ("context", "page", "referrer"),
    "ip": ("context", "ip"),
    "user_agent": ("context", "userAgent"),
}
"""Where the visit's fields stand, besides the visitor id."""


def identify_calls(
    message: Mapping[str, Any],
    rules: Rules,
    timestamp: int,
    warnings: list[MappingWarning],
    trail: Trail | None = None,
) -> list[Call] | SkipReason:
    """Map an identify to one *user* call with the user's id and traits."""
    user_id = read_id(message.get("userId"))
    if trail is not None:
        _tell_user_id(trail, message, user_id, rules)
    if user_id is None:
        return SkipReason.MISSING_USER_ID
    traits = _read_traits(message.get("traits"), rules, warnings, trail)
    visit = read_visit(message, rules, trail)
    return [Call("web", "user", timestamp, *visit, user_id=user_id, traits=traits)]


def track_calls(
    message: Mapping[str, Any],
    rules: Rules,
    timestamp: int,
    warnings: list[MappingWarning],
    trail: Trail | None = None,
) -> list[Call] | SkipReason | Invalid:
    """Map a track to one *event* call for each Convertro type that its name leads to."""
    event = read_event_name(message, trail)
    if event is None:
        return SkipReason.MISSING_EVENT_NAME
    name = rules.events.look_up(event)
    if not (name.is_order or name.targets or passes_unmapped(name, rules, True)):
        if trail is not None:
            tell_unmapped(trail, event, name)
        return SkipReason.UNMAPPED_EVENT
    properties = as_object(message.get("properties"))
    some_id, order_id_key, total, revenue, repeat, currency = find_order_keys(properties)
    order_id = read_order_id(properties, some_id, order_id_key, trail)
    if name.is_order:
        if order_id is None and _is_held(properties, (some_id, order_id_key), rules, trail):
            return SkipReason.MISSING_ORDER_ID
        types = read_sale_types(properties, repeat, rules, trail)
    else:
        types = name.targets or (event,)
        if trail is not None:
            tell_types(trail, event, name, rules)
    amounts = (total, revenue)
    value = read_value(properties, amounts, currency, rules.unreadable_amount, warnings, trail)
    if isinstance(value, Invalid):
        return value
    visit = read_visit(message, rules, trail)
    if trail is not None and order_id is None:
        _tell_event_id(trail, types[0], visit[0])
    return [
        Call(
            "web",
            "event",
            timestamp,
            *visit,
            event_type=event_type,
            event_value=value,
            event_id=order_id or default_event_id(event_type, visit[0]),
            order_id=order_id if name.is_order else None,
        )
        for event_type in types
    ]


def default_event_id(event_type: str, visitor_id: str | None) -> str | None:
    """Give the event id that Convertro's tag makes up where a page names none."""
    return f"{event_type}-{visitor_id[:_LONGEST_VISITOR_ID]}" if visitor_id else None


def find_visitor_id(message: Mapping[str, Any], paths: tuple[Path, ...]) -> tuple[Path, str] | None:
    """Give the first path that leads to a visitor id, and the id."""
    for path in paths:
        value: Any = message
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        visitor_id = read_id(value)
        if visitor_id is not None:
            return path, visitor_id
    return None


def read_visit(message: Mapping[str, Any], rules: Rules, trail: Trail | None = None) -> Visit:
    """Read what a message says of its visitor."""
    context = as_object(message.get("context"))
    page = as_object(context.get("page"))
    visitor = find_visitor_id(message, rules.visitor_paths)
    if trail is not None:
        _tell_visitor(trail, visitor, rules.visitor_paths)
    return (
        visitor[1] if visitor else None,
        read_id(page.get("url")),
        read_id(page.get("referrer")),
        read_id(context.get("ip")),
        read_id(context.get("userAgent")),
    )


def _read_traits(
    raw: Any, rules: Rules, warnings: list[MappingWarning], trail: Trail | None
) -> dict[str, Any]:
    """Give the traits that are wanted and that a request can carry, with a warning for others."""
    every = as_object(raw)
    wanted = {
        name: value
        for name, value in every.items()
        if name != "id" and (rules.traits is None or name in rules.traits)
    }
    faults = find_trait_faults(wanted, rules.wire) if wanted else {}
    sent = wanted
    if faults:
        warnings += faults.values()
        sent = {name: value for name, value in wanted.items() if name not in faults}
    if trail is not None:
        left_out = {
            name: faults.get(name) or ("id" if name == "id" else "unwanted")
            for name in every
            if name not in sent
        }
        trail.note(
            Note(
                "traits",
                value=tuple(sent),
                path=("traits",),
                evidence=left_out,
                settings=("mapping.traits",),
            )
        )
    return sent


def _is_held(
    properties: Properties, keys: tuple[Any, Any], rules: Rules, trail: Trail | None
) -> bool:
    """Whether an order that has no order id is not sent."""
    if trail is not None:
        is_held = rules.require_order_id
        trail.note(
            Note(
                "order id",
                "stopped" if is_held else "passed",
                "required" if is_held else "not required",
                passed_over=looked_at(properties, keys, ("id", "order_id")),
                settings=("mapping.require_order_id",),
                reason=SkipReason.MISSING_ORDER_ID if is_held else None,
            )
        )
    return rules.require_order_id


def _tell_user_id(
    trail: Trail, message: Mapping[str, Any], user_id: str | None, rules: Rules
) -> None:
    is_email = user_id is not None and wire_user_id(user_id, hash_email_ids=True) != user_id
    hashing = "hashed" if rules.wire.hash_email_ids else "e-mail"
    trail.note(
        Note(
            "user id",
            "passed" if user_id is not None else "stopped",
            hashing if is_email else "",
            value=user_id,
            path=("userId",),
            evidence=message.get("userId", MISSING),
            fields=("user_id",),
            settings=("wire.hash_email_ids",) if is_email else (),
            reason=SkipReason.MISSING_USER_ID if user_id is None else None,
        )
    )


def _tell_visitor(trail: Trail, found: tuple[Path, str] | None, paths: tuple[Path, ...]) -> None:
    before = paths if found is None else paths[: paths.index(found[0])]
    trail.note(
        Note(
            "visitor id",
            value=found[1] if found else None,
            path=found[0] if found else (),
            passed_over=tuple(PassedOver(path, MISSING) for path in before),
            fields=("visitor_id",),
            settings=("mapping.visitor_id",),
        )
    )
    for field, path in _PLACES.items():
        trail.note(Note("visit", path=path, fields=(field,)))


def _tell_event_id(trail: Trail, event_type: str, visitor_id: str | None) -> None:
    made_up = default_event_id(event_type, visitor_id)
    why = "made up" if made_up else "no visitor"
    trail.note(Note("event id", why=why, value=made_up, fields=("event_id",)))
