"""The first few places of what is told: enough to look at, however much there is of it."""

from __future__ import annotations

from typing import TypeVar

Place = TypeVar("Place")


class FirstPlaces(dict[str, list[Place]]):
    """Places by what was met there, each once, and at most so many of a kind."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def note(self, what: str, place: Place) -> None:
        """Keep a place, if there are not enough of its kind yet."""
        places = self.setdefault(what, [])
        if len(places) < self.most and place not in places:
            places.append(place)

    def add(self, more: FirstPlaces[Place]) -> None:
        """Take in the places of another part."""
        for what, places in more.items():
            for place in places:
                self.note(what, place)
