"""A table as it was read, asked for values of the right shape; each fault has its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from msgspec import Struct, field

ABOVE_ALL_TABLES = frozenset({"filters_file", "destination_id", "transformations_file"})
"""The keys that belong to no table. Below a table's heading they would belong to that."""

MISPLACED = "must stand above the first [table] of the file; here it is a key of that table"

_LONGEST_SHOWN = 60


class Misshape(NamedTuple):
    """What is wrong with a table: where, and what was found in place of what."""

    place: str
    problem: str
    meant: str | None = None

    def __str__(self) -> str:
        text = f"{self.place} {self.problem}"
        return f"{text}; did you mean {self.meant}?" if self.meant else text


class RawTable(Struct, frozen=True):
    """A table as it was read, with its place and how its keys are spelt.

    Every question adds to ``faults`` what is wrong with the answer, and gives a value to go on
    with. In a table that a person wrote (``by_hand``) a key that nobody knows is a fault;
    Segment's answers have more keys than matter here, and null for what is not set.
    """

    fields: Mapping[str, Any]
    place: str
    faults: list[Misshape] = field(default_factory=list)
    spelling: Mapping[str, str] = field(default_factory=dict)
    by_hand: bool = False

    def spelt(self, name: str) -> str:
        """Give a key as it is spelt in this table."""
        return self.spelling.get(name, name)

    def get(self, name: str) -> Any:
        """Give a value as it is; None where there is none."""
        return self.fields.get(self.spelt(name))

    def fault(self, name: str, problem: str, meant: str | None = None) -> None:
        """Add a fault of one of the keys."""
        fault = Misshape(f"{self.place}.{self.spelt(name)}", problem, meant)
        if fault not in self.faults:
            self.faults.append(fault)

    def wrong(self, name: str, allowed: str) -> None:
        """Add the fault that a value is not what is allowed."""
        found = self.get(name)
        missing = found is None and self.spelt(name) not in self.fields
        problem = "is missing" if missing else f"= {shown(found)}"
        self.fault(name, f"{problem}; allowed: {allowed}")

    def text(self, name: str, *, required: bool = False) -> str | None:
        """Give a text that is not blank, or None."""
        value = self.get(name)
        if value is None and not required:
            return None
        if isinstance(value, str) and value.strip():
            return value
        self.wrong(name, "text")
        return None

    def switch(self, name: str, default: bool) -> bool:
        """Give true or false."""
        value = self.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.wrong(name, "true or false")
            return default
        return value

    def texts(self, name: str, *, required: bool = False) -> tuple[str, ...]:
        """Give an array of texts."""
        value = self.get(name)
        if value is None and not required:
            return ()
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.wrong(name, "an array of texts")
        return ()

    def tables(self, name: str, *, required: bool = False) -> Iterator[RawTable]:
        """Give the tables of an array, one by one."""
        value = self.get(name)
        if value is None and not required:
            return
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            self.wrong(name, "an array of tables")
            return
        for number, item in enumerate(value):
            place = f"{self.place}.{self.spelt(name)}[{number}]"
            yield RawTable(item, place, self.faults, self.spelling, self.by_hand)

    def known(self, *names: str) -> None:
        """Add a fault for each key that is none of these, where the keys are a person's."""
        if not self.by_hand:
            return
        for name in self.fields:
            if name not in names:
                if name in ABOVE_ALL_TABLES:
                    self.fault(str(name), MISPLACED)
                    continue
                close = get_close_matches(str(name).lower(), names, 1, 0.52)
                self.fault(str(name), "is no setting", close[0] if close else None)


def shown(value: Any) -> str:
    """Give a value as JSON, cut short where it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
