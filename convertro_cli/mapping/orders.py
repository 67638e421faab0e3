"""Orders: their event types, ids and amounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from convertro_cli.mapping.calls import MappingWarning
from convertro_cli.segment.ids import read_id
from convertro_cli.segment.money import read_amount
from convertro_cli.segment.properties import find_properties

_WANTED = frozenset({"id", "orderid", "total", "revenue", "repeat"})
DEFAULT_VALUE = 1


class Purchase(NamedTuple):
    """What the properties of a track say of an order; None for what they do not say.

    ``total``, ``revenue`` and ``repeat`` are raw values.
    """

    order_id: str | None
    total: Any
    revenue: Any
    repeat: Any


def read_purchase(properties: Mapping[str, Any]) -> Purchase:
    """Find what the properties of a track say of an order."""
    keys = find_properties(properties, _WANTED)
    said = {name: properties[key] for name, key in keys.items()}.get
    order_id = read_id(said("id")) or read_id(said("orderid"))
    return Purchase(order_id, said("total"), said("revenue"), said("repeat"))


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
