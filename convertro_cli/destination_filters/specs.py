"""Filters and transformations as plain data: what the settings and Segment's files hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

FieldNames = tuple[tuple[str, tuple[str, ...]], ...]
"""Paths of objects, each with names in it; the path "" is the message itself."""

Scalar = str | int | float | bool | None


def fields_of(fields: Mapping[str, Iterable[str]]) -> FieldNames:
    """Make an action's fields of a dictionary of paths and names."""
    return tuple((path, tuple(names)) for path, names in fields.items())


class Drop(Struct, frozen=True):
    """``DROP``: the message is skipped."""


class Sample(Struct, frozen=True):
    """``SAMPLE``: a part of the messages is kept, told by the value at ``path``, if there is one.

    ``percent`` is a fraction: 0 keeps none, 1 keeps all.
    """

    percent: float
    path: str | None = None

    @property
    def is_drawn(self) -> bool:
        """Whether a value decides: where none or all are kept, nothing does."""
        return 0 < self.percent < 1


class DropProperties(Struct, frozen=True):
    """``DROP_PROPERTIES``: the named fields are taken away."""

    fields: FieldNames


class AllowProperties(Struct, frozen=True):
    """``ALLOW_PROPERTIES``: in the objects that are named, all other fields are taken away."""

    fields: FieldNames


Action = Drop | Sample | DropProperties | AllowProperties


class DestinationFilter(Struct, frozen=True):
    """A destination filter. ``source_id`` is None for messages of every source."""

    title: str
    condition: str
    actions: tuple[Action, ...]
    enabled: bool = True
    source_id: str | None = None
    id: str | None = None


class Transformation(Struct, frozen=True):
    """A transformation. Paths are dotted from the top of the message; ``\\.`` is a dot in a name.

    ``renames`` has the old and the new path of each field that moves, ``values`` the paths that
    get a value, ``fql_properties`` paths with the FQL that gives their value. ``allow`` names
    the fields that stay, where it names any.
    """

    title: str
    condition: str
    new_event_name: str | None = None
    renames: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[tuple[str, ...], Scalar], ...] = ()
    fql_properties: tuple[tuple[str, str], ...] = ()
    allow: tuple[str, ...] = ()
    drop: bool = False
    enabled: bool = True
    source_id: str | None = None
    id: str | None = None


class FilterSpecs(Struct, frozen=True):
    """All filters and transformations of a destination, in the order of the lists.

    ``notes`` has a sentence for each thing that is to be known of the files they come from.
    """

    filters: tuple[DestinationFilter, ...] = ()
    transformations: tuple[Transformation, ...] = ()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.filters or self.transformations)
