"""What could be changed about each reason for not sending a message, the likeliest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from convertro_cli.mapping.calls import Invalid, InvalidReason, SkipReason
from convertro_cli.mapping.gates import as_object, is_selected
from convertro_cli.mapping.jobs import TOO_LONG
from convertro_cli.mapping.message import message_time
from convertro_cli.mapping.rules import Selection
from convertro_cli.review.explain.changes import (
    EVERYTHING,
    REMOVED,
    Change,
    DataChange,
    OptionDropped,
    SettingChange,
)
from convertro_cli.review.explain.steps import property_keys
from convertro_cli.segment.times import TIME_KEYS, UnreadableTimeError, read_time
from convertro_cli.settings.compile import missing_cloud_settings
from convertro_cli.settings.model import Settings

_OPTIONS = {"--since": "since", "--until": "until", "--type": "types", "--event": "events"}
_EXAMPLES = {"client_name": "acme", "site_id": "1", "domain": "https://shop.example.com"}
_AS_WEB = SettingChange(
    "mapping", {"mode": "web"}, "this maps every message by the browser's rules", cost=3
)

MENDING = {
    InvalidReason.INVALID_JSON: "No setting sends it: the line must be mended where it is broken.",
    InvalidReason.NOT_AN_OBJECT: "No setting sends it: a line must hold one JSON object.",
    InvalidReason.LINE_TOO_LONG: "No setting sends it: Segment itself takes 32 KiB at most.",
}
"""What to say of a line that holds no message, so that there is nothing to change in it."""

Message = Mapping[str, Any]


def propose(
    reason: str, message: Message, settings: Settings, selection: Selection
) -> Iterator[Change]:
    """Propose changes, each of which does away with this reason (another may come after it)."""
    if reason == SkipReason.FILTERED_OUT:
        yield from _without_filters(message, selection)
    elif reason in _PROPOSALS:
        yield from _PROPOSALS[reason](message, settings)


def _without_filters(message: Message, selection: Selection) -> Iterator[Change]:
    time = message_time(message)
    for option, field in _OPTIONS.items():
        alone = Selection(**{**EVERYTHING, field: getattr(selection, field)})
        if alone and not is_selected(
            alone,
            message["type"].lower(),
            message.get("event"),
            None if isinstance(time, Invalid) else time,
        ):
            yield OptionDropped(option, field)
            return  # each filter against it must go, in any order


def _type(message: Message, _: Settings) -> Iterator[Change]:
    note = "Convertro takes only identify and track"
    yield DataChange(("type",), "track", note)
    yield DataChange(("type",), "identify", note)


def _integrations(message: Message, _: Settings) -> Iterator[Change]:
    yield DataChange(("integrations", "Convertro"), True)


def _user_id(message: Message, _: Settings) -> Iterator[Change]:
    yield DataChange(("userId",), "u1", "the user's id", example=True)


def _event_name(message: Message, settings: Settings) -> Iterator[Change]:
    known = next(iter(settings.events), "Order Completed")
    yield DataChange(("event",), known, "the event's name", example=True)


def _device_id(message: Message, _: Settings) -> Iterator[Change]:
    yield DataChange(("context", "device", "id"), "D-1", "the device's id", example=True)
    yield _AS_WEB


def _order_id(message: Message, _: Settings) -> Iterator[Change]:
    keys = property_keys(as_object(message.get("properties")), "id", "orderid")
    key = keys.get("orderid") or keys.get("id") or "order_id"
    yield DataChange(("properties", key), "o-1", "the order's id", example=True)
    yield SettingChange(
        "mapping", {"require_order_id": False}, "this sends every order without an order id", cost=2
    )


def _unmapped(message: Message, settings: Settings) -> Iterator[Change]:
    event = message["event"]
    yield SettingChange("events", {event: event}, "or another name that Convertro knows it by")
    yield SettingChange(
        "mapping",
        {"unmapped_events": "send"},
        "this sends every event that [events] does not have",
        cost=2,
    )


def _cloud_settings(message: Message, settings: Settings) -> Iterator[Change]:
    missing = missing_cloud_settings(settings)
    yield SettingChange(
        "convertro", {name: _EXAMPLES[name] for name in missing}, "with the values of your account"
    )
    yield _AS_WEB


def _time(message: Message, _: Settings) -> Iterator[Change]:
    for key in TIME_KEYS:
        try:
            read_time(message.get(key))
        except UnreadableTimeError:
            continue
        yield DataChange((TIME_KEYS[0],), message[key], f"as {key} has it")
        return
    yield DataChange((TIME_KEYS[0],), "2024-03-01T12:00:00Z", "when it happened", example=True)


def _shorter(message: Message, settings: Settings) -> Iterator[Change]:
    if message["type"].lower() == "identify" and as_object(message.get("traits")):
        yield SettingChange("mapping", {"traits": "none"}, "this sends no traits at all", cost=2)
    context = as_object(message.get("context"))
    page = as_object(context.get("page"))
    places = [
        (("context", "page", "url"), page.get("url")),
        (("context", "page", "referrer"), page.get("referrer")),
        (("context", "userAgent"), context.get("userAgent")),
        (("context", "ip"), context.get("ip")),
    ]
    texts = [(path, value) for path, value in places if isinstance(value, str)]
    for path, _ in sorted(texts, key=lambda place: -len(place[1])):
        yield DataChange(path, REMOVED)


_PROPOSALS: dict[str, Callable[[Message, Settings], Iterator[Change]]] = {
    SkipReason.UNSUPPORTED_TYPE: _type,
    SkipReason.DISABLED_BY_INTEGRATIONS: _integrations,
    SkipReason.MISSING_USER_ID: _user_id,
    SkipReason.MISSING_EVENT_NAME: _event_name,
    SkipReason.MISSING_DEVICE_ID: _device_id,
    SkipReason.MISSING_ORDER_ID: _order_id,
    SkipReason.UNMAPPED_EVENT: _unmapped,
    SkipReason.CLOUD_SETTINGS_MISSING: _cloud_settings,
    InvalidReason.MISSING_TYPE: _type,
    InvalidReason.MISSING_TIMESTAMP: _time,
    InvalidReason.INVALID_TIMESTAMP: _time,
    TOO_LONG: _shorter,
}
