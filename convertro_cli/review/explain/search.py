"""Goes through exports for the messages to explain, and stops when it has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from convertro_cli.errors import ExitCode
from convertro_cli.reading.batch import LineBatch
from convertro_cli.reading.sources import ExportFile
from convertro_cli.review.explain.find import FindJob, FoundLine
from convertro_cli.run.input import RunInput
from convertro_cli.run.interrupts import Interrupts

LOOKED_ON = 64 << 20
"""The bytes that are read for others of the kind once enough was found: a second or so."""

_PLACES = 5


@dataclass(slots=True)
class Search:
    """What was found. ``lines`` counts those of the file that was read last.

    ``others`` counts more of the kind, and ``places`` names the first of them; ``saw_all`` says
    whether all was looked at for these.
    """

    found: list[FoundLine] = field(default_factory=list)
    others: int = 0
    places: list[str] = field(default_factory=list)
    saw_all: bool = True
    damage: list[str] = field(default_factory=list)
    lines: int = 0
    interrupted: ExitCode | None = None


def search(
    files: Iterable[ExportFile],
    job: FindJob,
    *,
    most: int,
    workers: int,
    watch: Callable[[int], None],
    look_on: int = 0,
) -> Search:
    """Look for lines until there are ``most``. ``watch`` is told the bytes read so far.

    Then so many bytes more are looked through for others, which are only counted.
    """
    result = Search()
    done = position = 0
    with Interrupts() as interrupts, RunInput(files, job, workers=workers) as batches:
        while not batches.is_finished and (len(result.found) < most or look_on > 0):
            if interrupts.stop_requested:
                break
            taken = batches.take(timeout=0.1)
            if taken is not None:
                batch, found = taken
                if len(result.found) >= most:
                    look_on -= len(batch.data)
                _take(result, found, most)
                _follow(batch, result)
                position = batch.position
                if batch.end is not None:
                    done, position = done + batch.position, 0
            watch(done + position)
        result.interrupted = interrupts.exit_code
        result.saw_all = batches.is_finished
    return result


def _take(result: Search, found: Sequence[FoundLine], most: int) -> None:
    """Take in what was found in a batch, as much as is wanted; count the others."""
    room = most - len(result.found)
    result.found += found[:room]
    for other in found[room:]:
        result.others += 1
        if len(result.places) < _PLACES:
            result.places.append(other.place)


def _follow(batch: LineBatch, result: Search) -> None:
    result.lines = batch.last_line
    if batch.end is not None and batch.end.damage is not None:
        result.damage.append(batch.end.damage)
