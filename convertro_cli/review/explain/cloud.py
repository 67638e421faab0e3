"""The server-to-server rules, told step by step."""

from __future__ import annotations

from convertro_cli.mapping.calls import SkipReason
from convertro_cli.mapping.cloud import passes_unmapped
from convertro_cli.mapping.gates import as_object, device_id
from convertro_cli.mapping.orders import sale_types
from convertro_cli.review.explain import purchases
from convertro_cli.review.explain.steps import Walk, lack, property_keys
from convertro_cli.segment.ids import read_id
from convertro_cli.settings.faults import CLOUD_SETTINGS

_ORDERS = "mapping.cloud_orders"


def identify(walk: Walk) -> bool:
    """Tell the way of an identify to its *user* call."""
    if not _settings(walk):
        return False
    if read_id(walk.message.get("userId")) is None:
        says = f"userId {lack(walk.message, 'userId')}"
        return walk.stopped("user id", SkipReason.MISSING_USER_ID, says)
    _user(walk)
    if not _device(walk):
        return False
    if as_object(walk.message.get("traits")):
        walk.found("traits", "none are sent: Convertro takes them from browsers only")
    return True


def track(walk: Walk) -> bool:
    """Tell the way of a track to its *install* call or its *event* calls."""
    if not _settings(walk):
        return False
    event = purchases.event_name(walk)
    if event is None or not _device(walk):
        return False
    name = walk.rules.events.look_up(event)
    if name.is_install:
        walk.passed("call", "an app's install has a call of its own", value="install")
        _user(walk)
        return True
    if name.is_order and walk.rules.cloud_orders == "sale":
        _sale(walk)
    elif name.targets:
        purchases.mapped_types(walk, event)
    elif name.is_order:
        purchases.own_name(
            walk, event, "orders go out even if [events] does not have them", _ORDERS
        )
    elif passes_unmapped(walk.rules):
        empty = not walk.rules.events and walk.rules.unmapped_events == "auto"
        why = "[events] is empty" if empty else "[events] does not have it"
        purchases.own_name(walk, event, why)
    else:
        return purchases.unmapped(walk, event)
    order_id = purchases.order_id(walk)
    purchases.value(walk, ("total", "revenue") if name.is_order else ("revenue",), "event_value")
    if order_id is None:
        _message_id(walk)
    _user(walk)
    return True


def _settings(walk: Walk) -> bool:
    missing = walk.rules.missing_cloud_settings
    if missing:
        return walk.stopped(
            "settings",
            SkipReason.CLOUD_SETTINGS_MISSING,
            f"cloud calls need {', '.join(CLOUD_SETTINGS)}",
            settings=tuple(f"convertro.{name}" for name in missing),
        )
    walk.passed("settings", f"{', '.join(CLOUD_SETTINGS)} are there for cloud calls")
    walk.sources |= {
        "pag": "the setting convertro.domain",
        "cip": "context.ip",
        "cua": "context.userAgent",
    }
    return True


def _device(walk: Walk) -> bool:
    found = device_id(walk.message)
    if found is None:
        device = walk.context.get("device")
        fault = lack(device, "id") if isinstance(device, dict) else "is not there"
        says = f"every cloud call needs one, and context.device.id {fault}"
        return walk.stopped("device id", SkipReason.MISSING_DEVICE_ID, says)
    walk.sources["device_id"] = "context.device.id"
    return walk.passed("device id", "from context.device.id", value=found, personal=True)


def _user(walk: Walk) -> None:
    found = read_id(walk.message.get("userId"))
    if found is None:
        walk.found("user id", f"none: userId {lack(walk.message, 'userId')}")
        return
    walk.found("user id", "from userId", value=found, personal=True)
    walk.sources["user_id"] = "userId"


def _sale(walk: Walk) -> None:
    key = property_keys(walk.properties, "repeat").get("repeat")
    repeat = walk.properties[key] if key is not None else None
    types = sale_types(repeat, hybrid=walk.rules.hybrid_attribution_model)
    purchases.sale_types(walk, types, (_ORDERS,))


def _message_id(walk: Walk) -> None:
    found = read_id(walk.message.get("messageId"))
    if found is None:
        why = f"messageId {lack(walk.message, 'messageId')}"
        walk.found("event id", f"none: there is no order id, and {why}")
    else:
        purchases.made_up_id(walk, found, "from messageId")
