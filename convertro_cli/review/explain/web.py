"""The browser's rules, told step by step."""

from __future__ import annotations

from typing import Any

from convertro_cli.mapping.calls import Call, Mapped, SkipReason
from convertro_cli.mapping.gates import as_object
from convertro_cli.mapping.orders import sale_types
from convertro_cli.mapping.web import default_event_id, find_visitor_id
from convertro_cli.mapping.wire import drop_unsendable_traits, wire_user_id
from convertro_cli.review.explain import purchases
from convertro_cli.review.explain.steps import Walk, lack, property_keys, quoted
from convertro_cli.segment.ids import read_id

_HASHING = "wire.hash_email_ids"
_NAMES_SHOWN = 8


def identify(walk: Walk) -> bool:
    """Tell the way of an identify to its *user* call."""
    user_id = read_id(walk.message.get("userId"))
    if user_id is None:
        says = f"userId {lack(walk.message, 'userId')}"
        return walk.stopped("user id", SkipReason.MISSING_USER_ID, says)
    hashing = walk.rules.wire.hash_email_ids
    looks_like_email = wire_user_id(user_id, hash_email_ids=True) != user_id
    says = "from userId"
    if looks_like_email:
        says += "; an e-mail address, so it is sent " + ("hashed" if hashing else "as it is")
    walk.passed(
        "user id",
        says,
        value=user_id,
        personal=True,
        settings=(_HASHING,) if looks_like_email else (),
    )
    walk.sources["id"] = "userId, hashed" if looks_like_email and hashing else "userId"
    _traits(walk)
    _visitor(walk)
    return True


def track(walk: Walk) -> bool:
    """Tell the way of a track to its *event* calls."""
    event = purchases.event_name(walk)
    if event is None:
        return False
    name = walk.rules.events.look_up(event)
    if name.is_order:
        return _order(walk)
    if name.targets:
        purchases.mapped_types(walk, event)
        types = name.targets
    elif walk.rules.unmapped_events == "send":
        purchases.own_name(walk, event, "[events] does not have it")
        types = (event,)
    else:
        return purchases.unmapped(walk, event)
    _event(walk, types, purchases.order_id(walk))
    return True


def _order(walk: Walk) -> bool:
    order_id = purchases.order_id(walk)
    required = ("mapping.require_order_id",)
    if order_id is None:
        why = purchases.no_order_id(walk)
        if walk.rules.require_order_id:
            says = f"an order needs one, and {why}"
            return walk.stopped("order id", SkipReason.MISSING_ORDER_ID, says, settings=required)
        walk.passed("order id", f"none, and none is required: {why}", settings=required)
    key = property_keys(walk.properties, "repeat").get("repeat")
    repeat = walk.properties[key] if key is not None else None
    types = sale_types(repeat, hybrid=walk.rules.hybrid_attribution_model)
    purchases.sale_types(walk, types)
    _event(walk, types, order_id)
    return True


def _event(walk: Walk, types: tuple[str, ...], order_id: str | None) -> None:
    purchases.value(walk, ("total", "revenue"), "val")
    visitor_id = _visitor(walk)
    if order_id is not None:
        return
    found = default_event_id(types[0], visitor_id)
    if found is None:
        walk.found("event id", "none: there is neither an order id nor a visitor id")
    else:
        purchases.made_up_id(walk, found, "from event type and visitor id, as Convertro's tag does")


def _visitor(walk: Walk) -> str | None:
    found = find_visitor_id(walk.message, walk.rules.visitor_paths)
    paths = [".".join(path) for path in walk.rules.visitor_paths]
    setting = ("mapping.visitor_id",)
    if found is None:
        walk.found("visitor id", f"none: there is no {' and no '.join(paths)}", settings=setting)
    else:
        path, visitor_id = ".".join(found[0]), found[1]
        before = paths[: paths.index(path)]
        passed_over = f"; there is no {' and no '.join(before)}" if before else ""
        says = f"from {path}{passed_over}"
        walk.found("visitor id", says, value=visitor_id, personal=True, settings=setting)
        walk.sources["sid"] = path
    walk.sources |= {
        "pag": "context.page.url",
        "ref": "context.page.referrer",
        "cip": "context.ip",
        "cua": "context.userAgent",
    }
    return found[1] if found else None


def _traits(walk: Walk) -> None:
    wanted = walk.rules.traits
    sent, left_out = [], []
    for name, content in as_object(walk.message.get("traits")).items():
        if name == "id":
            left_out.append('"id": the call has one of its own')
        elif wanted is not None and name not in wanted:
            left_out.append(f"{quoted(name)}: the settings do not want it")
        elif fault := _fault(walk, name, content):
            left_out.append(f"{quoted(name)}: {fault}")
        else:
            sent.append(name)
    says = _shortened(sent) if sent else "there are none to send"
    if left_out:
        says += f"; left out {_shortened(left_out, '; ')}"
    number = f"{len(sent)} sent" if sent else ""
    walk.found("traits", says, value=number, settings=("mapping.traits",))


def _fault(walk: Walk, name: str, content: Any) -> str | None:
    """Try whether a call can carry a trait, and name the warning if it cannot."""
    alone = Mapped([Call("web", "user", 0, traits={name: content})], [])
    warnings = drop_unsendable_traits(alone, walk.rules.wire).warnings
    return warnings[0].value if warnings else None


def _shortened(names: list[str], separator: str = ", ") -> str:
    more = len(names) - _NAMES_SHOWN
    listed = separator.join(names[:_NAMES_SHOWN])
    return f"{listed}{separator}and {more} more" if more > 0 else listed
