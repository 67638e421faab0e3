"""What one message has and lacks, as far as Convertro calls need it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping.calls import Mode
from convertro_cli.mapping.gates import as_object, device_id
from convertro_cli.mapping.orders import read_purchase
from convertro_cli.mapping.rules import EventMap
from convertro_cli.segment.ids import read_id
from convertro_cli.segment.money import read_amount

LONGEST_NAME = 200
"""Longer names are cut for counting: a name can be as long as a line."""

NO_USER_ID = 1
NO_DEVICE_ID = 2
NO_EVENT_NAME = 4
IS_ORDER = 8
NO_ORDER_ID = 16
NO_AMOUNT = 32
UNREADABLE_AMOUNT = 64


Profile = tuple[str, Mode, int]
"""The type and mode of an identify or a track, and a sum of the constants above.

There are a few hundred of them at most, so that counting by them takes little.
"""


def cut(text: str) -> str:
    """Cut what is too long to be kept; a cut name is longer than any that is kept whole."""
    return text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + "…"


def is_cut(name: str) -> bool:
    """Whether a name is not whole."""
    return len(name) > LONGEST_NAME


def name_of(value: Any) -> str:
    """Give a name as it is counted; empty where there is none."""
    return cut(value) if isinstance(value, str) and value.strip() else ""


def source_of(message: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Give the library and the channel of a message."""
    library = as_object(as_object(message.get("context")).get("library")).get("name")
    channel = message.get("channel")
    return (
        library if isinstance(library, str) else None,
        channel if isinstance(channel, str) else None,
    )


def id_flags(message: Mapping[str, Any], mode: Mode) -> int:
    """Say which ids are lacking: the user's, and under cloud rules the device's."""
    flags = NO_USER_ID if read_id(message.get("userId")) is None else 0
    if mode == "cloud" and device_id(message) is None:
        flags |= NO_DEVICE_ID
    return flags


def track_facts(
    message: Mapping[str, Any], events: EventMap
) -> tuple[str, int, int | float | None]:
    """Give a track's name (empty for none), its flags, and its ``total`` or else ``revenue``."""
    order_id, total, revenue, _ = read_purchase(as_object(message.get("properties")))
    event = message.get("event")
    name = event if isinstance(event, str) and event.strip() else ""
    flags = 0
    if not name:
        flags = NO_EVENT_NAME
    elif events.look_up(name).is_order:
        flags = IS_ORDER
    if order_id is None:
        flags |= NO_ORDER_ID
    amount = None
    for raw in (total, revenue):
        if raw is None:
            continue
        read = read_amount(raw)
        if read is None:
            flags |= UNREADABLE_AMOUNT
        elif amount is None:
            amount = read
    if amount is None:
        flags |= NO_AMOUNT
    return name, flags, amount
