"""The rules for messages from mobile apps and servers: Convertro's server-to-server API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping.calls import Call, Invalid, MappingWarning, SkipReason
from convertro_cli.mapping.fields import as_object, device_id
from convertro_cli.mapping.orders import (
    Properties,
    find_order_keys,
    read_order_id,
    read_value,
)
from convertro_cli.mapping.rules import EventName, Rules
from convertro_cli.mapping.tracks import (
    passes_unmapped,
    read_event_name,
    read_sale_types,
    tell_types,
    tell_unmapped,
)
from convertro_cli.mapping.trail import MISSING, Note, Trail
from convertro_cli.segment.ids import read_id

_ORDERS = "mapping.cloud_orders"


def identify_calls(
    message: Mapping[str, Any],
    rules: Rules,
    timestamp: int,
    warnings: list[MappingWarning],
    trail: Trail | None = None,
) -> list[Call] | SkipReason:
    """Map an identify to one *user* call that ties the device to the user. No traits."""
    if not _has_settings(rules, trail):
        return SkipReason.CLOUD_SETTINGS_MISSING
    user_id = read_id(message.get("userId"))
    if user_id is None:
        if trail is not None:
            _tell_user_id(trail, message, None, is_needed=True)
        return SkipReason.MISSING_USER_ID
    device = _read_device(message, trail)
    if device is None:
        return SkipReason.MISSING_DEVICE_ID
    if trail is not None and as_object(message.get("traits")):
        trail.note(Note("traits", why="cloud", path=("traits",)))
    return [_visit(message, device, rules, timestamp, trail)._replace(kind="user")]


def track_calls(
    message: Mapping[str, Any],
    rules: Rules,
    timestamp: int,
    warnings: list[MappingWarning],
    trail: Trail | None = None,
) -> list[Call] | SkipReason | Invalid:
    """Map a track to an *install* call, or to one *event* call for each type."""
    if not _has_settings(rules, trail):
        return SkipReason.CLOUD_SETTINGS_MISSING
    event = read_event_name(message, trail)
    if event is None:
        return SkipReason.MISSING_EVENT_NAME
    device = _read_device(message, trail)
    if device is None:
        return SkipReason.MISSING_DEVICE_ID
    name = rules.events.look_up(event)
    if name.is_install:
        if trail is not None:
            trail.note(Note("call", "passed", value="install", path=("event",)))
        return [_visit(message, device, rules, timestamp, trail)._replace(kind="install")]
    if not (name.is_order or name.targets or passes_unmapped(name, rules, is_web=False)):
        if trail is not None:
            tell_unmapped(trail, event, name)
        return SkipReason.UNMAPPED_EVENT
    visit = _visit(message, device, rules, timestamp, trail)
    return _event_calls(message, event, name, visit, rules, warnings, trail)


def _event_calls(
    message: Mapping[str, Any],
    event: str,
    name: EventName,
    visit: Call,
    rules: Rules,
    warnings: list[MappingWarning],
    trail: Trail | None,
) -> list[Call] | Invalid:
    properties = as_object(message.get("properties"))
    some_id, order_id_key, total, revenue, repeat, currency = find_order_keys(properties)
    types = _event_types(event, name, properties, repeat, rules, trail)
    amounts = (total, revenue) if name.is_order else (revenue,)
    value = read_value(properties, amounts, currency, rules.unreadable_amount, warnings, trail)
    if isinstance(value, Invalid):
        return value
    order_id = read_order_id(properties, some_id, order_id_key, trail)
    event_id = order_id
    if event_id is None:
        event_id = read_id(message.get("messageId"))
        if trail is not None:
            _tell_message_id(trail, message, event_id)
    visit = visit._replace(
        event_value=value, event_id=event_id, order_id=order_id if name.is_order else None
    )
    return [visit._replace(event_type=event_type) for event_type in types]


def _event_types(
    event: str,
    name: EventName,
    properties: Properties,
    repeat: Any,
    rules: Rules,
    trail: Trail | None,
) -> tuple[str, ...]:
    if name.is_order and rules.cloud_orders == "sale":
        return read_sale_types(properties, repeat, rules, trail, (_ORDERS,))
    if trail is not None:
        tell_types(trail, event, name, rules, of_order=name.is_order)
    return name.targets or (event,)


def _has_settings(rules: Rules, trail: Trail | None) -> bool:
    missing = rules.missing_cloud_settings
    if trail is not None:
        trail.note(
            Note(
                "settings",
                "stopped" if missing else "passed",
                settings=tuple(f"convertro.{name}" for name in missing),
                reason=SkipReason.CLOUD_SETTINGS_MISSING if missing else None,
            )
        )
    return not missing


def _read_device(message: Mapping[str, Any], trail: Trail | None) -> str | None:
    device = device_id(message)
    if trail is not None:
        holder = as_object(message.get("context")).get("device")
        raw = holder.get("id", MISSING) if isinstance(holder, dict) else MISSING
        trail.note(
            Note(
                "device id",
                "stopped" if device is None else "passed",
                value=device,
                path=("context", "device", "id"),
                evidence=raw,
                fields=("device_id",),
                reason=SkipReason.MISSING_DEVICE_ID if device is None else None,
            )
        )
    return device


def _visit(
    message: Mapping[str, Any], device: str, rules: Rules, timestamp: int, trail: Trail | None
) -> Call:
    """Give a call with all that the message says of who, where and when."""
    context = as_object(message.get("context"))
    user_id = read_id(message.get("userId"))
    if trail is not None:
        _tell_user_id(trail, message, user_id, is_needed=False)
        trail.note(Note("visit", fields=("page",), settings=("convertro.domain",)))
        trail.note(Note("visit", path=("context", "ip"), fields=("ip",)))
        trail.note(Note("visit", path=("context", "userAgent"), fields=("user_agent",)))
    return Call(
        "cloud",
        "event",
        timestamp,
        device_id=device,
        user_id=user_id,
        page=rules.domain,
        ip=read_id(context.get("ip")),
        user_agent=read_id(context.get("userAgent")),
    )


def _tell_user_id(
    trail: Trail, message: Mapping[str, Any], user_id: str | None, *, is_needed: bool
) -> None:
    raw = message.get("userId", MISSING)
    trail.note(
        Note(
            "user id",
            "stopped" if is_needed else "found",
            value=user_id,
            path=("userId",),
            evidence=raw,
            fields=("user_id",),
            reason=SkipReason.MISSING_USER_ID if is_needed else None,
        )
    )


def _tell_message_id(trail: Trail, message: Mapping[str, Any], found: str | None) -> None:
    raw = message.get("messageId", MISSING)
    trail.note(
        Note(
            "event id",
            why="message id" if found is not None else "no message id",
            value=found,
            path=("messageId",),
            evidence=raw,
            fields=("event_id",),
        )
    )
