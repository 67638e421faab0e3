"""Small batches, many at a time: what it costs to hand a batch on does not depend on its size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Generic, TypeVar

from msgspec import Struct

from convertro_cli.reading.batch import LineBatch

Result = TypeVar("Result")

_BYTES: Final = 256 << 10
_MOST: Final = 64


class Each(Struct, Generic[Result], frozen=True):
    """The job that does another one for each batch of a group."""

    job: Callable[[LineBatch], Result]

    def __call__(self, group: Sequence[LineBatch]) -> list[Result]:
        return [self.job(batch) for batch in group]


def grouped(batches: Iterable[LineBatch]) -> Iterator[list[LineBatch]]:
    """Give small batches together, as long as the next one can be had without waiting.

    The beginning of an overlong line is alone.
    """
    group: list[LineBatch] = []
    size = 0
    for batch in batches:
        if batch.overlong and group:
            yield group
            group, size = [], 0
        group.append(batch)
        size += len(batch.data)
        if not batch.is_followed or size >= _BYTES or len(group) >= _MOST:
            yield group
            group, size = [], 0
    if group:
        yield group
