"""Whether the FQL of filters and transformations can be read, and whether it can be meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from convertro_cli.destination_filters.specs import DestinationFilter, Transformation
from convertro_cli.fql.errors import FqlError
from convertro_cli.fql.parser import parse, parse_operand
from convertro_cli.fql.paths import paths_of
from convertro_cli.fql.printer import print_operand
from convertro_cli.fql.tree import Condition, Operand

CONDITION_FIELDS = frozenset(
    {
        *("type", "event", "name", "category", "userId", "anonymousId", "previousId", "groupId"),
        *("properties", "traits", "context", "integrations", "messageId", "channel", "version"),
        *("timestamp", "originalTimestamp", "sentAt", "receivedAt", "projectId", "writeKey"),
        *("_metadata", "metadata", "options", "action", "sessionId", "library"),
    }
)
"""What Segment's messages have at their top, by its spec and by what older libraries sent."""


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


def unknown_fields(spec: DestinationFilter | Transformation) -> Iterator[str]:
    """Give the fields that a filter or a transformation asks for and no message has, each once.

    ``event = purchase`` asks for such a one: FQL reads a word without quotes as a field.
    """
    fields: dict[str, None] = {}
    for tree in _readable(spec):
        for path in paths_of(tree):
            if path.names[0] not in CONDITION_FIELDS:
                fields[print_operand(path)] = None
    yield from fields


def _readable(spec: DestinationFilter | Transformation) -> Iterator[Condition | Operand]:
    with suppress(FqlError):
        yield parse(spec.condition)
    for _, fql in spec.fql_properties if isinstance(spec, Transformation) else ():
        with suppress(FqlError):
            yield parse_operand(fql)
