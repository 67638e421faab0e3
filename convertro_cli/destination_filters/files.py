"""The files that filters and transformations come in: Segment's Public API's, and Terraform's.

::

    {"data": {"filters": [{"id": …, "sourceId": …, "destinationId": …, "if": …, "actions": […],
                           "title": …, "enabled": …}], "pagination": {"current": …, "next": …}}}

An answer may stand alone, several may follow one another, and a bare list of filters will do.
Terraform keeps them as resources ``segment_destination_filter`` in its state
(``terraform.tfstate``, or ``terraform show -json``), with ``fields`` as JSON in a string.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from convertro_cli.destination_filters.documents import read_documents
from convertro_cli.destination_filters.listing import Listing
from convertro_cli.destination_filters.raw_table import Misshape, RawTable
from convertro_cli.destination_filters.shapes import filter_of, transformation_of
from convertro_cli.destination_filters.specs import DestinationFilter, Transformation
from convertro_cli.errors import ConvertroError

CONVERTRO = "54521fd525e721e32a72eea4"
"""Convertro's id in Segment's catalog of destinations."""


class FilterFileError(ConvertroError):
    """A file that does not hold what it should. ``faults`` has each of them, with its place."""

    def __init__(self, path: Path, faults: list[Misshape]) -> None:
        number = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__("\n".join([f"{number} in {path}:", *(f"  {fault}" for fault in faults)]))
        self.faults = faults


class FiltersFile(Struct, frozen=True):
    """The filters of a file, and a sentence for each thing in it that is to be known."""

    filters: tuple[DestinationFilter, ...]
    notes: tuple[str, ...] = ()


class TransformationsFile(Struct, frozen=True):
    """The transformations of a file, and a sentence for each thing in it that is to be known."""

    transformations: tuple[Transformation, ...]
    notes: tuple[str, ...] = ()


def read_filters_file(path: Path, destination_id: str | None = None) -> FiltersFile:
    """Read the destination filters of a file, in its order.

    Raises ConvertroError where it cannot be read or is no JSON, and ``FilterFileError``, one of
    these, where anything in it is not of the right shape; where a page is missing; and where it
    has filters of several destinations and ``destination_id`` does not say whose are meant.
    """
    reading = Listing("filter")
    tables = reading.tables(read_documents(path))
    chosen = _of_destination(tables, destination_id, reading.faults)
    filters = tuple(filter(None, map(filter_of, chosen)))
    _raise(path, reading.faults)
    others = len(tables) - len(chosen)
    notes = [f"{_count(others, 'filter')} of other destinations left out"] if others else []
    if not filters:
        notes.append("no filter is left" if others else "it holds no filter")
    return FiltersFile(filters, tuple(notes))


def _of_destination(
    tables: list[RawTable], wanted: str | None, faults: list[Misshape]
) -> list[RawTable]:
    key = {id(table): _destination(table) for table in tables}
    there = list(dict.fromkeys(filter(None, key.values())))
    if wanted is not None:
        if there and wanted not in there:
            problem = f'has no filter of destination_id = "{wanted}"; it has those of'
            faults.append(Misshape("the file", f"{problem} {', '.join(there)}"))
        return [table for table in tables if key[id(table)] in {None, wanted}]
    if len(there) > 1:
        problem = "has filters of several destinations: say whose are meant with destination_id ="
        faults.append(Misshape("the file", f"{problem} {' or '.join(map(_quoted, there))}"))
    return tables


def _destination(table: RawTable) -> str | None:
    for name in ("destinationId", "destination_id"):
        value = table.fields.get(name)
        if value is not None and not isinstance(value, str):
            table.faults.append(Misshape(f"{table.place}.{name}", "is no text"))
        elif value:
            return value
    return None


def read_transformations_file(path: Path) -> TransformationsFile:
    """Read the transformations of a file, in its order; raises as ``read_filters_file`` does.

    Segment lists those of all destinations together: what names another than Convertro is left
    out. What names none stays.
    """
    reading = Listing("transformation")
    tables = reading.tables(read_documents(path))
    chosen = [table for table in tables if _metadata(table) in {None, CONVERTRO}]
    transformations = tuple(filter(None, map(transformation_of, chosen)))
    _raise(path, reading.faults)
    return TransformationsFile(transformations, tuple(_notes(tables)))


def _notes(tables: list[RawTable]) -> Iterator[str]:
    others = sum(_metadata(table) not in {None, CONVERTRO} for table in tables)
    if others == len(tables):
        yield "no transformation is left" if others else "it holds no transformation"
    if others:
        yield f"{_count(others, 'transformation')} of other destinations left out"
    unnamed = sum(_metadata(table) is None for table in tables)
    if unnamed:
        yield (
            f"{_count(unnamed, 'transformation')} of no destination taken: what Segment applies "
            "at the source is in its exports already"
        )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _metadata(table: RawTable) -> str | None:
    for name in ("destinationMetadataId", "destination_metadata_id"):
        value = table.fields.get(name)
        if isinstance(value, str) and value:
            return value
    return None


def _raise(path: Path, faults: list[Misshape]) -> None:
    if faults:
        raise FilterFileError(path, faults)


def _quoted(text: str) -> str:
    return f'"{text}"'
