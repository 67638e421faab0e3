"""Destination filters and transformations in the settings: their tables, and the files they name.

They are read with the settings, so that every fault is told at once and before anything starts:
Segment drops the events of a filter that it cannot read, and to send them would be worse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from convertro_cli.destination_filters.conditions import unknown_fields, unreadable
from convertro_cli.destination_filters.files import (
    FilterFileError,
    read_filters_file,
    read_transformations_file,
)
from convertro_cli.destination_filters.raw_table import Misshape, RawTable
from convertro_cli.destination_filters.shapes import filter_of, transformation_of
from convertro_cli.destination_filters.specs import (
    DestinationFilter,
    FilterSpecs,
    Sample,
    Transformation,
)
from convertro_cli.errors import ConvertroError
from convertro_cli.settings.faults import Fault, shown
from convertro_cli.settings.model import Settings

_Spec = DestinationFilter | Transformation


def read_filters(data: Mapping[str, Any], folder: Path) -> tuple[FilterSpecs, list[Fault]]:
    """Read the filters and transformations of raw settings, and tell what is wrong with them.

    What a file holds comes before what the tables hold. Files are relative to ``folder``.
    """
    file = _File(data, folder)
    filters, transformations = file.filters(), file.transformations()
    filters += _of_tables(data, "filters", filter_of, file.faults)
    transformations += _of_tables(data, "transformations", transformation_of, file.faults)
    specs = FilterSpecs(tuple(filters), tuple(transformations), tuple(file.notes))
    return specs, file.faults


def advise_on_filters(settings: Settings) -> list[str]:
    """Give a sentence for each thing in sound filters that is to be known, or surely unwanted."""
    specs = settings.filter_specs
    sentences = [
        *specs.notes,
        *_unread(specs),
        *_unknown_fields(specs),
        *_whole_percents(specs.filters),
        *_without_effect(specs.transformations),
        *_empty_arrays(settings),
    ]
    if settings.destination_id is not None and settings.filters_file is None:
        sentences.append("destination_id has no effect without filters_file.")
    return sentences


def _unread(specs: FilterSpecs) -> Iterator[str]:
    all_specs: tuple[_Spec, ...] = (*specs.filters, *specs.transformations)
    for spec in all_specs:
        for found in unreadable(spec):  # an enabled one is a fault already
            yield (
                f"the {_kind(spec)} {shown(spec.title)} is disabled, and cannot be read: "
                f"{found.key}: {found.error}"
            )


def _unknown_fields(specs: FilterSpecs) -> Iterator[str]:
    all_specs: tuple[_Spec, ...] = (*specs.filters, *specs.transformations)
    for spec in all_specs:
        for name in unknown_fields(spec) if spec.enabled else ():
            yield (
                f"the {_kind(spec)} {shown(spec.title)} asks for the field {name}, which no "
                f'message of Segment\'s has: text stands in quotes ("{name}"), and what is in '
                f"an object is found there (properties.{name})."
            )


def _empty_arrays(settings: Settings) -> Iterator[str]:
    for name in ("filters", "transformations"):
        if name in settings.model_fields_set and not getattr(settings, name):
            yield f"{name} is an empty list: nothing is left out or changed by it."


def _whole_percents(filters: Iterable[DestinationFilter]) -> Iterator[str]:
    for each in filters:
        for action in each.actions:
            if isinstance(action, Sample) and action.percent > 1:
                yield (
                    f"the filter {shown(each.title)} samples with percent = {action.percent:g}, "
                    "which keeps all: 0.05 are 5 %."
                )


def _without_effect(transformations: Iterable[Transformation]) -> Iterator[str]:
    for each in transformations:
        changes = (each.renames, each.values, each.fql_properties, each.allow, each.new_event_name)
        if not each.drop and not any(changes):
            yield f"the transformation {shown(each.title)} changes nothing, and drops nothing."


_Tables = Callable[[RawTable], Any]


def _of_tables(
    data: Mapping[str, Any], name: str, read: _Tables, faults: list[Fault]
) -> Iterator[Any]:
    tables = data.get(name)
    for number, table in enumerate(tables if isinstance(tables, list) else []):
        if not isinstance(table, dict):
            continue  # it is told as a value of the wrong type
        place = f"{name}[{number}]"
        raw = RawTable(table, place, by_hand=True)
        spec = read(raw)
        faults.extend(_fault(misshape, _titled(raw)) for misshape in raw.faults)
        if spec is not None:
            yield spec


def _titled(raw: RawTable) -> str:
    title = raw.fields.get("title")
    return f"({shown(title)}) " if isinstance(title, str) and title.strip() else ""


def _fault(misshape: Misshape, title: str) -> Fault:
    problem, _, allowed = misshape.problem.partition("; allowed: ")
    return Fault(misshape.place, f"{title}{problem}", allowed or None, misshape.meant)


class _File(Struct):
    """The files that raw settings name, what is wrong with them, and what is to be known."""

    data: Mapping[str, Any]
    folder: Path
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def filters(self) -> list[Any]:
        """Give the filters of ``filters_file``."""
        destination = self.data.get("destination_id")
        wanted = destination if isinstance(destination, str) and destination.strip() else None

        def read(path: Path) -> tuple[Iterable[_Spec], Iterable[str]]:
            found = read_filters_file(path, wanted)
            return found.filters, found.notes

        return self._read("filters_file", read)

    def transformations(self) -> list[Any]:
        """Give the transformations of ``transformations_file``."""

        def read(path: Path) -> tuple[Iterable[_Spec], Iterable[str]]:
            found = read_transformations_file(path)
            return found.transformations, found.notes

        return self._read("transformations_file", read)

    def _read(
        self, key: str, read: Callable[[Path], tuple[Iterable[_Spec], Iterable[str]]]
    ) -> list[_Spec]:
        name = self.data.get(key)
        if not isinstance(name, str) or not name.strip():
            return []  # not there, or told as a value of the wrong type
        start = f"= {shown(name)}:"
        try:
            specs, notes = read(self.folder / Path(name).expanduser())
        except FilterFileError as error:
            self.faults.extend(
                Fault(key, f"{start} {fault.place} {fault.problem}", meant=fault.meant)
                for fault in error.faults
            )
            return []
        except ValueError:
            return []  # a control character in the name, which is told by itself
        except (ConvertroError, RuntimeError) as error:  # an unknown ~user
            self.faults.append(Fault(key, f"{start} {error}"))
            return []
        self.notes.extend(f"{key} {start} {note}." for note in notes)
        return list(specs)


def _kind(spec: _Spec) -> str:
    return "filter" if isinstance(spec, DestinationFilter) else "transformation"
