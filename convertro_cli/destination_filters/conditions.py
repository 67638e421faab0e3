"""Whether the FQL of filters and transformations can be read, and what is wrong with it if not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from convertro_cli.destination_filters.specs import DestinationFilter, Transformation
from convertro_cli.fql.errors import FqlError
from convertro_cli.fql.parser import parse, parse_operand


class Unreadable(NamedTuple):
    """FQL that cannot be read: the filter or transformation, the key it stands under, and why."""

    spec: DestinationFilter | Transformation
    key: str
    error: FqlError


def unreadable(spec: DestinationFilter | Transformation) -> Iterator[Unreadable]:
    """Give each FQL of a filter or a transformation that cannot be read."""
    try:
        parse(spec.condition)
    except FqlError as error:
        yield Unreadable(spec, "if", error)
    for name, fql in spec.fql_properties if isinstance(spec, Transformation) else ():
        try:
            parse_operand(fql)
        except FqlError as error:
            yield Unreadable(spec, f"fql_defined_properties ({name})", error)
