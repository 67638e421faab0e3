"""The rules for messages from browsers: what analytics.js and Convertro's tag do there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping.calls import Call, MappingWarning, SkipReason
from convertro_cli.mapping.gates import as_object
from convertro_cli.mapping.orders import first_amount, read_purchase, sale_types
from convertro_cli.mapping.rules import Rules
from convertro_cli.segment.ids import read_id

_LONGEST_VISITOR_ID = 32


Visit = tuple[str | None, str | None, str | None, str | None, str | None]
"""Who a message is from and where that was: visitor id, page, referrer, IP address, user agent."""


def identify_calls(
    message: Mapping[str, Any], rules: Rules, timestamp: int
) -> list[Call] | SkipReason:
    """Map an identify to one *user* call with the user's id and traits."""
    user_id = read_id(message.get("userId"))
    if user_id is None:
        return SkipReason.MISSING_USER_ID
    traits = {
        name: value
        for name, value in as_object(message.get("traits")).items()
        if name != "id" and (rules.traits is None or name in rules.traits)
    }
    visit = read_visit(message, rules)
    return [Call("web", "user", timestamp, *visit, user_id=user_id, traits=traits)]


def track_calls(
    message: Mapping[str, Any], rules: Rules, timestamp: int, warnings: list[MappingWarning]
) -> list[Call] | SkipReason:
    """Map a track to one *event* call for each Convertro type that its name leads to."""
    event = message.get("event")
    if not isinstance(event, str) or not event.strip():
        return SkipReason.MISSING_EVENT_NAME
    name = rules.events.look_up(event)
    if not (name.is_order or name.targets or rules.unmapped_events == "send"):
        return SkipReason.UNMAPPED_EVENT
    order_id, total, revenue, repeat = read_purchase(as_object(message.get("properties")))
    if name.is_order:
        if order_id is None and rules.require_order_id:
            return SkipReason.MISSING_ORDER_ID
        types = sale_types(repeat, hybrid=rules.hybrid_attribution_model)
    else:
        types = name.targets or (event,)
    value = first_amount((total, revenue), warnings)
    visit = read_visit(message, rules)
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


def find_visitor_id(
    message: Mapping[str, Any], paths: tuple[tuple[str, ...], ...]
) -> tuple[tuple[str, ...], str] | None:
    """Give the first path that leads to a visitor id, and the id."""
    for path in paths:
        value: Any = message
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        visitor_id = read_id(value)
        if visitor_id is not None:
            return path, visitor_id
    return None


def read_visit(message: Mapping[str, Any], rules: Rules) -> Visit:
    """Read what a message says of its visitor."""
    context = as_object(message.get("context"))
    page = as_object(context.get("page"))
    visitor = find_visitor_id(message, rules.visitor_paths)
    return (
        visitor[1] if visitor else None,
        read_id(page.get("url")),
        read_id(page.get("referrer")),
        read_id(context.get("ip")),
        read_id(context.get("userAgent")),
    )
