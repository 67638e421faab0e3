"""Where the filters or transformations stand in a file: in answers, in a list, in a state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct, field

from convertro_cli.destination_filters.documents import JsonValue
from convertro_cli.destination_filters.raw_table import Misshape, RawTable, shown
from convertro_cli.destination_filters.shapes import PUBLIC_API, TERRAFORM

ListedKind = Literal["filter", "transformation"]


class Listing(Struct):
    """What is read of a file: its tables, and what is wrong with it."""

    kind: ListedKind
    faults: list[Misshape] = field(default_factory=list)
    next_page: Misshape | None = None

    def tables(self, documents: list[JsonValue]) -> list[RawTable]:
        found: list[RawTable] = []
        for document in documents:
            self.next_page = None  # only what the last page says counts
            found.extend(self._of(document))
        if self.next_page:
            self.faults.append(self.next_page)
        if not documents:
            self.faults.append(Misshape("the file", "is empty"))
        return found

    def _of(self, document: JsonValue) -> Iterator[RawTable]:
        place, value = f"line {document.line}:", document.value
        if isinstance(value, list):
            yield from self._listed(value, f"{place} {self.kind}s", PUBLIC_API)
            return
        data = value.get("data", value) if isinstance(value, Mapping) else None
        if isinstance(data, Mapping):
            if f"{self.kind}s" in data:
                self._note_next_page(data, place)
                listed = data[f"{self.kind}s"]
                yield from self._listed(listed, f"{place} {self.kind}s", PUBLIC_API)
                return
            if isinstance(data.get(self.kind), Mapping):
                yield self._table(data[self.kind], f"{place} {self.kind}", PUBLIC_API)
                return
            if "if" in data:
                yield self._table(data, f"{place} {self.kind}", PUBLIC_API)
                return
            if _is_terraform(data):
                yield from self._resources(data, place)
                return
        self._refuse(value, place)

    def _refuse(self, value: Any, place: str) -> None:
        if isinstance(value, Mapping) and "errors" in value:
            self.faults.append(Misshape(place, "an error that Segment's API answered, no list"))
            return
        self.faults.append(
            Misshape(
                place,
                f'no {self.kind}s: wanted are answers of Segment\'s Public API ({{"data": '
                f'{{"{self.kind}s": […]}}}}), a list of them, or Terraform\'s state as JSON',
            )
        )

    def _listed(self, listed: Any, place: str, spelling: Mapping[str, str]) -> Iterator[RawTable]:
        if not isinstance(listed, list):
            self.faults.append(Misshape(place, "is no list"))
            return
        for number, item in enumerate(listed):
            if isinstance(item, Mapping):
                yield self._table(item, f"{place}[{number}]", spelling)
            else:
                self.faults.append(Misshape(f"{place}[{number}]", "is no object"))

    def _table(
        self, fields: Mapping[str, Any], place: str, spelling: Mapping[str, str]
    ) -> RawTable:
        if self.kind == "transformation":
            spelling = {**spelling, "title": "name"}
        title = fields.get(spelling.get("title", "title"))
        if isinstance(title, str):
            place = f"{place} ({shown(title)})"
        return RawTable(fields, place, self.faults, spelling)

    def _note_next_page(self, data: Mapping[str, Any], place: str) -> None:
        pagination = data.get("pagination")
        if pagination is None:
            return
        if not isinstance(pagination, Mapping):
            self.faults.append(Misshape(f"{place} pagination", "is no object"))
        elif pagination.get("next"):
            self.next_page = Misshape(
                f"{place} pagination.next",
                "says that there are more: the list is not whole; add the pages that follow",
            )

    def _resources(self, data: Mapping[str, Any], place: str) -> Iterator[RawTable]:
        wanted = f"segment_{'destination_filter' if self.kind == 'filter' else self.kind}"
        count = 0
        for name, attributes in _attributes(data, wanted):
            count += 1
            if isinstance(attributes, Mapping):
                yield self._table(attributes, f"{place} {name}", TERRAFORM)
            else:
                self.faults.append(Misshape(f"{place} {name}", "has no attributes"))
        if not count:
            self.faults.append(Misshape(place, f"Terraform's state without any {wanted}"))


def _is_terraform(data: Mapping[str, Any]) -> bool:
    return isinstance(data.get("resources"), list) or isinstance(data.get("values"), Mapping)


def _attributes(data: Mapping[str, Any], wanted: str) -> Iterator[tuple[str, Any]]:
    """Give the name and the attributes of each resource of a type, in a state or in its view."""
    for resource in _objects(data.get("resources")):
        if resource.get("type") == wanted and resource.get("mode") != "data":
            for instance in _objects(resource.get("instances")):
                yield f"{wanted}.{resource.get('name')}", instance.get("attributes")
    values = data.get("values")
    modules = _objects([values.get("root_module")]) if isinstance(values, Mapping) else []
    while modules:
        module = modules.pop(0)
        modules.extend(_objects(module.get("child_modules")))
        for resource in _objects(module.get("resources")):
            if resource.get("type") == wanted and resource.get("mode") != "data":
                yield str(resource.get("address", wanted)), resource.get("values")


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
