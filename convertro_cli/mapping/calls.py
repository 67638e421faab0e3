"""The vocabulary of the mapping: a call to Convertro, and the reasons why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, NamedTuple

Mode = Literal["web", "cloud"]
"""Whose rules a message follows: those of the browser tag, or those of the server-side API."""

CallKind = Literal["event", "user", "install"]


class SkipReason(StrEnum):
    """Why a sound message yields no call. Skipped is normal, and only counted."""

    # An enum's own hash is slow, and there are as many look-ups as skipped messages.
    __hash__ = str.__hash__

    UNSUPPORTED_TYPE = "unsupported_type"
    SUPPRESSED_USER = "suppressed_user"
    NO_CONSENT = "no_consent"
    CONSENT_MISSING = "consent_missing"
    DISABLED_BY_INTEGRATIONS = "disabled_by_integrations"
    DISABLED_BY_SCHEMA = "disabled_by_schema"
    DELIVERED_IN_BROWSER = "delivered_in_browser"
    FILTERED_OUT = "filtered_out"
    DROPPED_BY_FILTER = "dropped_by_filter"
    SAMPLED_OUT = "sampled_out"
    DROPPED_BY_TRANSFORMATION = "dropped_by_transformation"
    ENGAGE_TRACK = "engage_track"
    MISSING_USER_ID = "missing_user_id"
    MISSING_EVENT_NAME = "missing_event_name"
    MISSING_DEVICE_ID = "missing_device_id"
    MISSING_ORDER_ID = "missing_order_id"
    UNMAPPED_EVENT = "unmapped_event"
    CLOUD_SETTINGS_MISSING = "cloud_settings_missing"
    REPEATED_ORDER = "repeated_order"


class InvalidReason(StrEnum):
    """What is wrong with a line that is no sound message. Its bytes go to the dead letters."""

    INVALID_JSON = "invalid_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_TYPE = "missing_type"
    UNKNOWN_TYPE = "unknown_type"
    MISSING_TIMESTAMP = "missing_timestamp"
    INVALID_TIMESTAMP = "invalid_timestamp"
    UNREADABLE_AMOUNT = "unreadable_amount"
    LINE_TOO_LONG = "line_too_long"


class MappingWarning(StrEnum):
    """What was left out of a call that is sent all the same."""

    UNREADABLE_AMOUNT = "unreadable_amount"
    AMBIGUOUS_AMOUNT = "ambiguous_amount"
    UNREADABLE_TIME = "unreadable_time"
    TIME_AFTER_RECEIPT = "time_after_receipt"
    SHARED_MESSAGE_ID = "shared_message_id"
    TRAIT_NAME_TAKEN = "trait_name_taken"
    TRAIT_NAME_UNSUPPORTED = "trait_name_unsupported"
    TRAIT_TOO_DEEP = "trait_too_deep"
    TRAIT_TOO_LARGE = "trait_too_large"


MEANINGS: Mapping[str, str] = {
    "unsupported_type": "no identify and no track",
    "suppressed_user": "a user on a suppression list",
    "no_consent": "without the consent that is asked for",
    "consent_missing": "nothing said of consent",
    "disabled_by_integrations": "turned off in the message",
    "disabled_by_schema": "switched off in [schema]",
    "delivered_in_browser": "at Convertro already",
    "filtered_out": "outside the filters",
    "dropped_by_filter": "dropped by a destination filter",
    "sampled_out": "not in a filter's sample",
    "dropped_by_transformation": "dropped by a transformation",
    "engage_track": "a track by Engage that is not in [events]",
    "missing_user_id": "an identify without userId",
    "missing_event_name": "a track without a name",
    "missing_device_id": "no context.device.id",
    "missing_order_id": "an order without an order id",
    "unmapped_event": "not in [events]",
    "cloud_settings_missing": "client_name, site_id or domain",
    "repeated_order": "an order of an earlier message",
    "invalid_json": "no JSON",
    "not_an_object": "JSON, but no object",
    "missing_type": "no string 'type'",
    "unknown_type": "a type that Segment does not have",
    "missing_timestamp": "no time of its own",
    "invalid_timestamp": "no time that can be used",
    "unreadable_amount": "an amount that cannot be read",
    "line_too_long": "a line of more than 1 MiB",
    "request_too_long": "a URL too long for servers",
}
"""What the reasons for no call mean, in a few words."""


class Call(NamedTuple):
    """One call to Convertro, before it is put into a request.

    ``timestamp`` is in whole Unix seconds. Which of the other fields have a value depends on
    ``mode`` and ``kind``; None means that there is nothing to send. ``order_id`` is there where
    the event is an order that has an id: it is not sent as such, but tells orders apart.
    """

    mode: Mode
    kind: CallKind
    timestamp: int
    visitor_id: str | None = None
    page: str | None = None
    referrer: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    device_id: str | None = None
    user_id: str | None = None
    event_type: str | None = None
    event_value: int | float = 1
    event_id: str | None = None
    traits: dict[str, Any] | None = None
    order_id: str | None = None


class Mapped(NamedTuple):
    """A message that yields calls; ``warnings`` has a name for each thing left out of them."""

    calls: list[Call]
    warnings: list[MappingWarning]

    @property
    def is_selected(self) -> bool:
        """It passed the user's filters, or it would have no calls."""
        return True


class Skipped(NamedTuple):
    """A message that yields no call, and why.

    ``title`` says more of what kept it back: which filter, or which of the message's choices.
    ``worth`` is what the message would have been worth, where a gate kept back what Convertro
    would have had; None for all others. ``is_selected`` says whether it is one that the user's
    filters ask for, whatever else became of it.
    """

    reason: SkipReason
    title: str = ""
    worth: int | float | None = None
    is_selected: bool = True


class Invalid(NamedTuple):
    """A line that is no sound message. ``detail`` tells more, without any of its content.

    ``is_selected`` is as in ``Skipped``.
    """

    reason: InvalidReason
    detail: str
    is_selected: bool = True


Outcome = Mapped | Skipped | Invalid

SKIPPED = {reason: Skipped(reason) for reason in SkipReason}
"""One outcome for each reason: most messages of an export are skipped."""

NOT_SELECTED = {reason: Skipped(reason, is_selected=False) for reason in SkipReason}
"""The same for messages that the user's filters do not ask for."""
