"""What one message has and lacks, as far as Convertro calls need it, and how many lack what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from convertro_cli.amounts import cut_name
from convertro_cli.mapping.calls import Mode
from convertro_cli.mapping.fields import as_object, has_device
from convertro_cli.mapping.modes import channel_of, library_name
from convertro_cli.mapping.orders import find_order_keys
from convertro_cli.mapping.rules import EventMap
from convertro_cli.segment.ids import has_id
from convertro_cli.segment.money import is_absent, read_amount

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


def name_of(value: Any) -> str:
    """Give a name as it is counted; empty where there is none."""
    return cut_name(value) if isinstance(value, str) and value.strip() else ""


def source_of(message: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Give the library and the channel of a message."""
    context = as_object(message.get("context"))
    library, channel = library_name(context), channel_of(message, context)
    return (
        library if isinstance(library, str) else None,
        channel if isinstance(channel, str) else None,
    )


def id_flags(message: Mapping[str, Any], mode: Mode) -> int:
    """Say which ids are lacking: the user's, and under cloud rules the device's."""
    flags = 0 if has_id(message.get("userId")) else NO_USER_ID
    if mode == "cloud":
        flags |= 0 if has_device(message) else NO_DEVICE_ID
    return flags


def track_facts(
    message: Mapping[str, Any], events: EventMap
) -> tuple[str, int, int | float | None]:
    """Give a track's name (empty for none), its flags, and its ``total`` or else ``revenue``."""
    properties = as_object(message.get("properties"))
    some_id, order_id_key, total, revenue, _, currency = find_order_keys(properties)
    has_order_id = (some_id is not None and has_id(properties[some_id])) or (
        order_id_key is not None and has_id(properties[order_id_key])
    )
    event = message.get("event")
    name = event if isinstance(event, str) and event.strip() else ""
    flags = 0
    if not name:
        flags = NO_EVENT_NAME
    elif events.look_up(name).is_order:
        flags = IS_ORDER
    if not has_order_id:
        flags |= NO_ORDER_ID
    amount = None
    for key in (total, revenue):
        if key is None or is_absent(raw := properties[key]):
            continue
        read = read_amount(raw, properties.get(currency))
        if read is None:
            flags |= UNREADABLE_AMOUNT
        elif amount is None:
            amount = read
    if amount is None:
        flags |= NO_AMOUNT
    return name, flags, amount


class Lack(NamedTuple):
    """So many ``of`` the messages ``among`` which it is looked for lack something."""

    what: str
    among: str
    lacking: int
    of: int


_LACKS = (
    ("user id", "identifies", NO_USER_ID),
    ("user id", "tracks", NO_USER_ID),
    ("device id", "from apps and servers", NO_DEVICE_ID),
    ("event name", "tracks", NO_EVENT_NAME),
    ("order id", "orders", NO_ORDER_ID),
    ("readable amount", "orders", NO_AMOUNT),
    ("readable amount", "other tracks", NO_AMOUNT),
    ("readable amount", "tracks that have an amount", NO_AMOUNT),
)
"""What is lacking, among which messages it is looked for, and its flag."""


def find_lacks(profiles: Counter[Profile]) -> Iterator[Lack]:
    """Give what identifies and tracks lack. What none of them could lack is left out."""
    for what, among, flag in _LACKS:
        looked_at = {one: n for one, n in profiles.items() if among in _groups(*one)}
        lacking = sum(n for (_kind, _mode, flags), n in looked_at.items() if flags & flag)
        if looked_at:
            yield Lack(what, among, lacking, sum(looked_at.values()))


def _groups(kind: str, mode: Mode, flags: int) -> Iterator[str]:
    """Name the groups that messages of a profile belong to."""
    if mode == "cloud":
        yield "from apps and servers"
    if kind == "identify":
        yield "identifies"
        return
    yield "tracks"
    yield "orders" if flags & IS_ORDER else "other tracks"
    if flags & UNREADABLE_AMOUNT or not flags & NO_AMOUNT:
        yield "tracks that have an amount"
