"""What could be changed about each reason for not sending a message, the likeliest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from convertro_cli.mapping.browser import read_mark
from convertro_cli.mapping.calls import Invalid, InvalidReason, Skipped, SkipReason
from convertro_cli.mapping.fields import as_object
from convertro_cli.mapping.orders import OrderKeys, find_order_keys
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.selection import options_against
from convertro_cli.mapping.times import message_time
from convertro_cli.review.explain.changes import (
    REMOVED,
    DataChange,
    FilterSwitchedOff,
    OptionDropped,
    ProposedChange,
    SettingChange,
)
from convertro_cli.segment.properties import Lookup
from convertro_cli.segment.times import TIME_KEYS
from convertro_cli.settings.compile import missing_cloud_settings
from convertro_cli.settings.model import Settings

_EXAMPLES = {"client_name": "acme", "site_id": "1", "domain": "https://shop.example.com"}
_find_amounts = Lookup("revenue", "total").keys
_AS_WEB = SettingChange(
    "mapping", {"mode": "web"}, "this maps every message by the browser's rules", cost=3
)

MENDING: Mapping[str, str] = {
    InvalidReason.INVALID_JSON: "No setting sends it: the line must be mended where it is broken.",
    InvalidReason.NOT_AN_OBJECT: "No setting sends it: a line must hold one JSON object.",
    InvalidReason.LINE_TOO_LONG: "No setting sends it: Segment itself takes 32 KiB at most.",
    SkipReason.SUPPRESSED_USER: "Its user objected, and it must not be sent. If the id is on the "
    "list by mistake, that is to be mended where the list comes from.",
    SkipReason.NO_CONSENT: "Its user did not give the consent that [consent] categories asks for. "
    "Only their consent, in the message, would send it; that is nothing to be set here.",
    SkipReason.CONSENT_MISSING: "It does not say whether its user gave consent, and [consent] "
    'without = "skip" keeps such messages back. Only who can show that consent was given for all '
    'of them may set it to "send".',
}
"""What to say where no change is proposed: of a line that holds no message, and of what a user
decided, which is not to be undone with a setting.
"""

Message = Mapping[str, Any]


def propose(
    outcome: Skipped | Invalid | None, message: Message, settings: Settings, rules: Rules
) -> Iterator[ProposedChange]:
    """Propose changes, each of which does away with what stopped a message of this outcome.

    Another reason may come after it. None stands for a URL that is too long.
    """
    if outcome is None:
        yield from _shorter(message)
    elif outcome.reason is SkipReason.FILTERED_OUT:
        yield from _without_filters(message, rules)
    elif isinstance(outcome, Skipped) and outcome.reason in _BY_FILTER:
        yield FilterSwitchedOff(_BY_FILTER[outcome.reason], outcome.title)
    elif outcome.reason in _ALWAYS_SAME:
        yield from _ALWAYS_SAME[outcome.reason]
    elif outcome.reason in _PROPOSALS:
        yield from _PROPOSALS[outcome.reason](message, settings)


_BY_FILTER: Mapping[str, Literal["filters", "transformations"]] = {
    SkipReason.DROPPED_BY_FILTER: "filters",
    SkipReason.SAMPLED_OUT: "filters",
    SkipReason.DROPPED_BY_TRANSFORMATION: "transformations",
}


_TYPES = tuple(
    DataChange(("type",), name, "Convertro takes only identify and track")
    for name in ("track", "identify")
)
_TIME = (DataChange((TIME_KEYS[0],), "2024-03-01T12:00:00Z", "when it happened", example=True),)

_ALWAYS_SAME: Mapping[str, tuple[ProposedChange, ...]] = {
    SkipReason.UNSUPPORTED_TYPE: _TYPES,
    InvalidReason.MISSING_TYPE: _TYPES,
    InvalidReason.UNKNOWN_TYPE: _TYPES,
    InvalidReason.MISSING_TIMESTAMP: _TIME,
    InvalidReason.INVALID_TIMESTAMP: _TIME,
    SkipReason.MISSING_USER_ID: (DataChange(("userId",), "u1", "the user's id", example=True),),
    SkipReason.MISSING_DEVICE_ID: (
        DataChange(("context", "device", "id"), "D-1", "the device's id", example=True),
        _AS_WEB,
    ),
    SkipReason.DISABLED_BY_INTEGRATIONS: (
        DataChange(("integrations", "Convertro"), True),
        SettingChange(
            "mapping",
            {"integrations": "ignore"},
            "this sends whatever the messages' own choice is, as Segment's Replay does",
            cost=2,
        ),
    ),
}
"""The proposals that depend on nothing but the reason."""


def _without_filters(message: Message, rules: Rules) -> Iterator[ProposedChange]:
    time = message_time(message, rules.latest)
    seconds = None if isinstance(time, Invalid) else time.seconds
    message_type = message["type"].lower()
    against = options_against(rules.selection, message, message_type, seconds)
    yield OptionDropped(against[0])  # each filter against it must go, in any order


def _schema(message: Message, settings: Settings) -> Iterator[ProposedChange]:
    left = [name for name in settings.schema_.disabled_events if name != message["event"]]
    yield SettingChange("schema", {"disabled_events": left})


def _delivered(message: Message, settings: Settings) -> Iterator[ProposedChange]:
    if read_mark(message) == "unmarked":
        yield SettingChange("mapping", {"delivered_in_browser": "skip"})
    note = "only if Convertro does not have it from the browser: it would be counted twice"
    yield SettingChange("mapping", {"delivered_in_browser": "send"}, note, cost=2)


def _event_name(message: Message, settings: Settings) -> Iterator[ProposedChange]:
    known = next(iter(settings.events), "Order Completed")
    yield DataChange(("event",), known, "the event's name", example=True)


def _order_id(message: Message, _: Settings) -> Iterator[ProposedChange]:
    keys = OrderKeys._make(find_order_keys(as_object(message.get("properties"))))
    key = keys.order_id or keys.some_id or "order_id"
    yield DataChange(("properties", key), "o-1", "the order's id", example=True)
    yield SettingChange(
        "mapping", {"require_order_id": False}, "this sends every order without an order id", cost=2
    )


def _amount(message: Message, _: Settings) -> Iterator[ProposedChange]:
    for key in _find_amounts(as_object(message.get("properties"))):
        if key is not None:
            yield DataChange(("properties", key), 50.99, "the amount", example=True)
    note = "this sends all such messages as worth 1, and a call once sent cannot be unsent"
    yield SettingChange("mapping", {"unreadable_amount": "send"}, note, cost=2)


def _unmapped(message: Message, settings: Settings) -> Iterator[ProposedChange]:
    event = message.get("event")
    if isinstance(event, str):
        yield SettingChange("events", {event: event}, "or another name that Convertro knows it by")
        note = "this sends every event that [events] does not have"
        yield SettingChange("mapping", {"unmapped_events": "send"}, note, cost=2)
    else:
        yield from _event_name(message, settings)


def _cloud_settings(message: Message, settings: Settings) -> Iterator[ProposedChange]:
    missing = missing_cloud_settings(settings)
    yield SettingChange(
        "convertro", {name: _EXAMPLES[name] for name in missing}, "with the values of your account"
    )
    yield _AS_WEB


def _shorter(message: Message) -> Iterator[ProposedChange]:
    if message["type"].lower() == "identify" and as_object(message.get("traits")):
        yield SettingChange("mapping", {"traits": "none"}, "this sends no traits at all", cost=2)
    context = as_object(message.get("context"))
    page = as_object(context.get("page"))
    places = {
        ("context", "page", "url"): page.get("url"),
        ("context", "page", "referrer"): page.get("referrer"),
        ("context", "userAgent"): context.get("userAgent"),
        ("context", "ip"): context.get("ip"),
    }
    lengths = {path: len(text) for path, text in places.items() if isinstance(text, str)}
    for path in sorted(lengths, key=lambda place: -lengths[place]):
        yield DataChange(path, REMOVED)


_PROPOSALS: dict[str, Callable[[Message, Settings], Iterator[ProposedChange]]] = {
    SkipReason.DISABLED_BY_SCHEMA: _schema,
    SkipReason.DELIVERED_IN_BROWSER: _delivered,
    SkipReason.ENGAGE_TRACK: _unmapped,
    SkipReason.MISSING_EVENT_NAME: _event_name,
    SkipReason.MISSING_ORDER_ID: _order_id,
    SkipReason.UNMAPPED_EVENT: _unmapped,
    SkipReason.CLOUD_SETTINGS_MISSING: _cloud_settings,
    InvalidReason.UNREADABLE_AMOUNT: _amount,
}
