"""Timing of whole processes, the sides in turn, so that a noisy minute hits all of them."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


class BenchFailedError(Exception):
    """A side did not do its work, so its time means nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: two figures, their ratio, and what the ratio should be."""

    name: str
    ours: float
    theirs: float
    unit: str
    goal: float
    sense: Literal["at least", "at most"]
    against: str
    runs: int = 1
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    @property
    def met(self) -> bool:
        if self.sense == "at least":
            return self.ratio >= self.goal
        return self.ratio <= self.goal


def seconds(command: Sequence[str | Path]) -> float:
    """Wall time of one process, its output thrown away; fails if the process does."""
    began = time.perf_counter()
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    took = time.perf_counter() - began
    if done.returncode:
        tail = done.stderr.decode(errors="replace")[-2000:]
        raise BenchFailedError(f"exit {done.returncode} of {' '.join(map(str, command))}\n{tail}")
    return took


def alternate(runs: int, *sides: Callable[[], float]) -> tuple[float, ...]:
    """The median of each side over ``runs`` rounds, in each of which every side runs once.

    Odd rounds go backwards, so that no side always profits from what the one before it warmed.
    """
    figures: list[list[float]] = [[] for _ in sides]
    for round_ in range(runs):
        order = range(len(sides)) if round_ % 2 == 0 else reversed(range(len(sides)))
        for index in order:
            figures[index].append(sides[index]())
    return tuple(statistics.median(side) for side in figures)


def warm(path: Path) -> None:
    """Read the file once, so that no side pays for the disk."""
    with path.open("rb", buffering=0) as file:
        while file.read(1 << 20):
            pass
