"""An engine that does its bundles here, one after the other, and gives them back in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from convertro_cli.cluster import frames
from convertro_cli.cluster.bundles import Bundle
from convertro_cli.cluster.orders import Order
from convertro_cli.cluster.parcel import pack, unpack
from convertro_cli.cluster.place import ClusterPlace
from convertro_cli.errors import ConvertroError


class EngineHere:
    """Carries out orders as workers do, with all that goes there and comes back packed."""

    threads = 3
    is_there = True
    some_sleep = False

    def __init__(self, place: ClusterPlace, random: Random) -> None:
        self.place = place
        self.submitted = 0
        self._random = random
        self._order = b""
        self._waiting: list[tuple[int, bytes]] = []

    @property
    def under_way(self) -> int:
        return len(self._waiting)

    def begin(self, order: Order) -> None:
        self._order = pack(order)

    def submit(self, bundle: Bundle) -> None:
        self.submitted += 1
        self._waiting.append((bundle.number, pack(bundle)))

    def take(self, _: float) -> tuple[int, Iterator[Any]] | None:
        number, content = self._waiting.pop(self._random.randrange(len(self._waiting)))
        return number, frames.parts_in(b"".join(self._frames(content)))

    def cancel(self) -> None:
        self._waiting.clear()

    def _frames(self, content: bytes) -> Iterator[bytes]:
        try:
            order = unpack(self._order)
            yield from map(frames.part, order.carry_out(unpack(content, order.storage)))
            yield frames.end()
        except ConvertroError as error:
            yield frames.fault(error)


def opener(seen: list[EngineHere]) -> Callable[..., Any]:
    """Give what stands in for ``open_engine``; what it opens is put among the ``seen``."""

    @contextmanager
    def open_engine(place: ClusterPlace, _: Callable[[str], None]) -> Iterator[EngineHere]:
        engine = EngineHere(place, Random(len(seen)))
        seen.append(engine)
        yield engine

    return open_engine
