"""Goes through exports for the messages to explain, and stops when it has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from convertro_cli.errors import ExitCode
from convertro_cli.reading.batch import LineBatch
from convertro_cli.reading.sources import ExportFile
from convertro_cli.review.explain.find import FindJob, FoundLine
from convertro_cli.run.input import RunInput
from convertro_cli.run.interrupts import Interrupts


@dataclass(slots=True)
class Search:
    """What was found. ``lines`` counts those of the file that was read last."""

    found: list[FoundLine] = field(default_factory=list)
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
) -> Search:
    """Look for lines until there are ``most``. ``watch`` is told the bytes read so far."""
    result = Search()
    done = position = 0
    with Interrupts() as interrupts, RunInput(files, job, workers=workers) as batches:
        while not batches.is_finished and len(result.found) < most:
            if interrupts.stop_requested:
                break
            taken = batches.take(timeout=0.1)
            if taken is not None:
                batch, found = taken
                result.found += found[: most - len(result.found)]
                _follow(batch, result)
                position = batch.position
                if batch.end is not None:
                    done, position = done + batch.position, 0
            watch(done + position)
        result.interrupted = interrupts.exit_code
    return result


def _follow(batch: LineBatch, result: Search) -> None:
    result.lines = batch.last_line
    if batch.end is not None and batch.end.damage is not None:
        result.damage.append(batch.end.damage)
