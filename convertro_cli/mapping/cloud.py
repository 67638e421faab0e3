"""The rules for messages from mobile apps and servers: Convertro's server-to-server API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping.calls import Call, MappingWarning, SkipReason
from convertro_cli.mapping.gates import as_object, device_id
from convertro_cli.mapping.orders import first_amount, read_purchase, sale_types
from convertro_cli.mapping.rules import EventName, Rules
from convertro_cli.segment.ids import read_id


def identify_calls(
    message: Mapping[str, Any], rules: Rules, timestamp: int
) -> list[Call] | SkipReason:
    """Map an identify to one *user* call that ties the device to the user. No traits."""
    if rules.missing_cloud_settings:
        return SkipReason.CLOUD_SETTINGS_MISSING
    if read_id(message.get("userId")) is None:
        return SkipReason.MISSING_USER_ID
    device = device_id(message)
    if device is None:
        return SkipReason.MISSING_DEVICE_ID
    return [_visit(message, device, rules, timestamp)._replace(kind="user")]


def track_calls(
    message: Mapping[str, Any], rules: Rules, timestamp: int, warnings: list[MappingWarning]
) -> list[Call] | SkipReason:
    """Map a track to an *install* call, or to one *event* call for each type."""
    if rules.missing_cloud_settings:
        return SkipReason.CLOUD_SETTINGS_MISSING
    event = message.get("event")
    if not isinstance(event, str) or not event.strip():
        return SkipReason.MISSING_EVENT_NAME
    device = device_id(message)
    if device is None:
        return SkipReason.MISSING_DEVICE_ID
    name = rules.events.look_up(event)
    if name.is_install:
        return [_visit(message, device, rules, timestamp)._replace(kind="install")]
    if not name.is_order and not name.targets and not passes_unmapped(rules):
        return SkipReason.UNMAPPED_EVENT
    order_id, total, revenue, repeat = read_purchase(as_object(message.get("properties")))
    amounts = (total, revenue) if name.is_order else (revenue,)
    value = first_amount(amounts, warnings)
    visit = _visit(message, device, rules, timestamp)._replace(
        event_value=value,
        event_id=order_id or read_id(message.get("messageId")),
        order_id=order_id if name.is_order else None,
    )
    return [
        visit._replace(event_type=event_type)
        for event_type in event_types(event, name, repeat, rules)
    ]


def passes_unmapped(rules: Rules) -> bool:
    """Whether a track that ``[events]`` does not list goes out under its own name."""
    if rules.unmapped_events == "auto":
        return not rules.events
    return rules.unmapped_events == "send"


def event_types(event: str, name: EventName, repeat: Any, rules: Rules) -> tuple[str, ...]:
    """Give the event types that a track is sent as."""
    if name.is_order and rules.cloud_orders == "sale":
        return sale_types(repeat, hybrid=rules.hybrid_attribution_model)
    return name.targets or (event,)


def _visit(message: Mapping[str, Any], device: str, rules: Rules, timestamp: int) -> Call:
    """Give a call with all that the message says of who, where and when."""
    context = as_object(message.get("context"))
    return Call(
        "cloud",
        "event",
        timestamp,
        device_id=device,
        user_id=read_id(message.get("userId")),
        page=rules.domain,
        ip=read_id(context.get("ip")),
        user_agent=read_id(context.get("userAgent")),
    )
