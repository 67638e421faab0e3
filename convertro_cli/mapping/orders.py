"""Orders: their event types, ids and amounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from convertro_cli.mapping.calls import MappingWarning
from convertro_cli.segment.ids import read_id
from convertro_cli.segment.money import read_amount
from convertro_cli.segment.properties import Lookup

_LOOKUP = Lookup("id", "orderid", "total", "revenue", "repeat")
_ID_LOOKUP = Lookup("id", "orderid")
DEFAULT_VALUE = 1


def read_purchase(properties: Mapping[str, Any]) -> tuple[str | None, Any, Any, Any]:
    """Find what the properties of a track say of an order; None for what they do not say.

    Gives the order's id, and the raw values of ``total``, ``revenue`` and ``repeat``.
    """
    some_id, order_id, total, revenue, repeat = _LOOKUP.values(properties)
    return read_id(some_id) or read_id(order_id), total, revenue, repeat


def read_order_id(properties: Mapping[str, Any]) -> str | None:
    """Find the order's id alone, as ``read_purchase`` does."""
    some_id, order_id = _ID_LOOKUP.values(properties)
    if some_id is None and order_id is None:  # as in most events
        return None
    return read_id(some_id) or read_id(order_id)


def sale_types(repeat: Any, *, hybrid: bool) -> tuple[str, ...]:
    """Give the event types of an order, by Segment's table of attribution models.

    Only a real boolean says whether the buyer is new; anything else leaves a plain ``sale``.
    """
    if repeat is True:
        return ("sale.repeat", "sale") if hybrid else ("sale.repeat",)
    if repeat is False:
        return ("sale.new", "sale") if hybrid else ("sale.new",)
    return ("sale",)


def first_amount(raw_values: Iterable[Any], warnings: list[MappingWarning]) -> int | float:
    """Give the first value that is a readable amount, else 1, which Convertro takes for none.

    A value that is there but is no amount counts as absent, with a warning.
    """
    for raw in raw_values:
        if raw is None:
            continue
        amount = read_amount(raw)
        if amount is not None:
            return amount
        warnings.append(MappingWarning.UNREADABLE_AMOUNT)
    return DEFAULT_VALUE
