"""Segment messages for small exports, made short to write."""

from __future__ import annotations

from typing import Any

Message = dict[str, Any]

WEB: Message = {"library": {"name": "analytics.js", "version": "2.11.1"}}
MOBILE: Message = {"library": {"name": "analytics-ios"}, "device": {"id": "d1"}}


def order(number: int, **changes: Any) -> Message:
    """An order in a browser: one call of type *sale*, worth 10."""
    return {
        "type": "track",
        "event": "Order Completed",
        "messageId": f"m{number}",
        "anonymousId": "anon-1",
        "timestamp": f"2024-03-01T10:{number // 60 % 60:02}:{number % 60:02}Z",
        "context": WEB,
        "properties": {"order_id": f"o{number}", "total": 10},
        **changes,
    }


def orders(count: int, start: int = 1) -> list[Message]:
    """Orders with different ids."""
    return [order(number) for number in range(start, start + count)]


def poison(number: int) -> Message:
    """An install, which is refused for good under the settings with poison."""
    return order(number, event="Application Installed", context=MOBILE)
