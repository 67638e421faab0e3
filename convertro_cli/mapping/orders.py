"""Orders: their event types, ids and amounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from convertro_cli.mapping.calls import Invalid, InvalidReason, MappingWarning
from convertro_cli.mapping.rules import UnreadableAmountSetting
from convertro_cli.mapping.trail import MISSING, Note, PassedOver, Trail
from convertro_cli.segment.ids import read_id
from convertro_cli.segment.money import is_ambiguous_amount, read_amount
from convertro_cli.segment.properties import Lookup, canonical

DEFAULT_VALUE = 1
"""What Convertro takes an event for that says nothing of its value."""

Properties = Mapping[str, Any]
Key = Any
"""A key of the properties as they spell it; None, which no object has, for one they do not have."""

find_order_keys = Lookup("id", "orderid", "total", "revenue", "repeat", "currency").keys
"""Find the keys of ``id``, ``order_id``, ``total``, ``revenue``, ``repeat``, ``currency``."""


class OrderKeys(NamedTuple):
    """What ``find_order_keys`` gives, by name, where time does not matter."""

    some_id: Key
    order_id: Key
    total: Key
    revenue: Key
    repeat: Key
    currency: Key


_find_id_keys = Lookup("id", "orderid").keys

_ORDER_IDS = ("id", "order_id")
_AMOUNTS = ("total", "revenue")


def read_order_id(
    properties: Properties, some_id: Key, order_id: Key, trail: Trail | None = None
) -> str | None:
    """Give the order id: ``id``, else ``order_id``, under the keys that these were found."""
    key = some_id
    found = read_id(properties.get(key))
    if found is None and order_id is not None:
        key = order_id
        found = read_id(properties.get(key))
    if trail is not None and found is not None:
        passed_over = () if key is some_id else looked_at(properties, (some_id,), _ORDER_IDS)
        trail.note(
            Note(
                "order id",
                "passed",
                value=found,
                path=("properties", key),
                passed_over=passed_over,
                spellings=_spellings(properties, key),
                fields=("event_id",),
            )
        )
    return found


def find_order_id(properties: Properties) -> str | None:
    """Find the order's id alone."""
    some_id, order_id = _find_id_keys(properties)
    if some_id is None and order_id is None:  # as in most events
        return None
    return read_order_id(properties, some_id, order_id)


def sale_types(repeat: Any, *, hybrid: bool) -> tuple[str, ...]:
    """Give the event types of an order, by Segment's table of attribution models.

    Only a real boolean says whether the buyer is new; anything else leaves a plain ``sale``.
    """
    if repeat is True:
        return ("sale.repeat", "sale") if hybrid else ("sale.repeat",)
    if repeat is False:
        return ("sale.new", "sale") if hybrid else ("sale.new",)
    return ("sale",)


def read_value(
    properties: Properties,
    keys: Sequence[Key],
    currency: Key,
    unreadable: UnreadableAmountSetting,
    warnings: list[MappingWarning],
    trail: Trail | None = None,
) -> int | float | Invalid:
    """Give the first value under the keys that is a readable amount, else 1.

    A value that is there but is no amount counts as absent, with a warning, if another one is
    readable or the setting says so; else the message is held back, for a call once sent cannot
    be unsent. ``keys`` are those of ``total`` and ``revenue``, or the latter alone.
    """
    held: Key = None
    for key in keys:
        raw = properties.get(key)
        if is_absent(raw):
            continue
        amount = _read(raw, properties, currency, warnings)
        if amount is not None:
            if trail is not None:
                is_ambiguous = MappingWarning.AMBIGUOUS_AMOUNT in warnings
                _tell_value(trail, properties, keys, key, amount, is_ambiguous=is_ambiguous)
            return amount
        held = held or key
    if trail is not None:
        _tell_no_value(trail, properties, keys, is_held=held is not None and unreadable == "hold")
    if held is not None and unreadable == "hold":
        return Invalid(InvalidReason.UNREADABLE_AMOUNT, f"'{canonical(held)}' is no amount")
    return DEFAULT_VALUE


def find_amount(properties: Properties, *, looks_at_total: bool) -> int | float | None:
    """Give the first readable amount that properties have; None where there is none."""
    found = OrderKeys._make(find_order_keys(properties))
    keys = (found.total, found.revenue) if looks_at_total else (found.revenue,)
    raws = (properties.get(key) for key in keys)
    amounts = (_read(raw, properties, found.currency, []) for raw in raws if not is_absent(raw))
    return next((amount for amount in amounts if amount is not None), None)


def is_absent(raw: Any) -> bool:
    """Whether a value is none: null, or a string of nothing but blanks."""
    return raw is None or (isinstance(raw, str) and not raw.strip())


def looked_at(
    properties: Properties, keys: Sequence[Key], names: Sequence[str]
) -> tuple[PassedOver, ...]:
    """Give the places that were looked at, with what stands there: what a trail tells of them."""
    return tuple(
        PassedOver(("properties", key or name), properties.get(key, MISSING) if key else MISSING)
        for key, name in zip(keys, names, strict=False)
    )


def _read(
    raw: Any, properties: Properties, currency: Key, warnings: list[MappingWarning]
) -> int | float | None:
    if not isinstance(raw, str):
        amount = read_amount(raw)
    else:
        unit = properties.get(currency)
        amount = read_amount(raw, unit)
        if amount is not None and is_ambiguous_amount(raw, unit):
            warnings.append(MappingWarning.AMBIGUOUS_AMOUNT)
    if amount is None and MappingWarning.UNREADABLE_AMOUNT not in warnings:
        warnings.append(MappingWarning.UNREADABLE_AMOUNT)  # once a message, whatever its fields
    return amount


def _tell_value(
    trail: Trail,
    properties: Properties,
    keys: Sequence[Key],
    key: Key,
    amount: int | float,
    *,
    is_ambiguous: bool,
) -> None:
    index = keys.index(key)
    trail.note(
        Note(
            "value",
            why="ambiguous" if is_ambiguous else "",
            value=amount,
            path=("properties", key),
            passed_over=looked_at(properties, keys[:index], _names_of(keys)),
            spellings=_spellings(properties, key),
            fields=("event_value",),
        )
    )


def _tell_no_value(
    trail: Trail, properties: Properties, keys: Sequence[Key], *, is_held: bool
) -> None:
    trail.note(
        Note(
            "value",
            "stopped" if is_held else "found",
            "held" if is_held else "default",
            value=None if is_held else DEFAULT_VALUE,
            passed_over=looked_at(properties, keys, _names_of(keys)),
            fields=("event_value",),
            settings=("mapping.unreadable_amount",) if is_held else (),
            reason=InvalidReason.UNREADABLE_AMOUNT if is_held else None,
        )
    )


def _names_of(keys: Sequence[Key]) -> tuple[str, ...]:
    return _AMOUNTS[-len(keys) :]


def _spellings(properties: Properties, key: Key) -> int:
    form = canonical(key)
    return sum(canonical(other) == form for other in properties)
