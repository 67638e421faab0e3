"""How a run of the crash test ends: by a kill at some moment, by an interrupt, or by itself."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol

from tests.system.program import PROGRAM, Running

DYING = Path(__file__).with_name("dying.py")

Count = Callable[[], int]
"""The number of requests that have arrived so far."""


def wait_for_requests(running: Running, requests: Count, more: int) -> None:
    """Wait until so many more requests have arrived, or the run has ended."""
    wanted = requests() + more
    while running.process.poll() is None and requests() < wanted:
        time.sleep(0.001)


class Ending(Protocol):
    """Ends a run, unless it ends by itself first."""

    def program(self) -> Sequence[str | Path]:
        """The program to start for it."""

    def bring(self, running: Running, requests: Count) -> None:
        """Wait for the moment, then end the run."""


@dataclass(frozen=True, slots=True)
class ByItself:
    """The run comes to its own end."""

    def program(self) -> Sequence[str | Path]:
        """The program as it is."""
        return PROGRAM

    def bring(self, running: Running, requests: Count) -> None:
        """Let it be."""


@dataclass(frozen=True, slots=True)
class AtRequest:
    """A signal once so many requests have arrived."""

    count: int
    number: signal.Signals = signal.SIGKILL

    def program(self) -> Sequence[str | Path]:
        """The program as it is."""
        return PROGRAM

    def bring(self, running: Running, requests: Count) -> None:
        """Wait for the requests."""
        wait_for_requests(running, requests, self.count)
        running.send(self.number)


@dataclass(frozen=True, slots=True)
class AfterSeconds:
    """A kill some time after the start, wherever that meets the run."""

    seconds: float

    def program(self) -> Sequence[str | Path]:
        """The program as it is."""
        return PROGRAM

    def bring(self, running: Running, requests: Count) -> None:
        """Wait for the time."""
        deadline = time.monotonic() + self.seconds
        while running.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        running.send(signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class FromInside:
    """A kill between two steps of the program itself."""

    moment: str
    count: int

    def program(self) -> Sequence[str | Path]:
        """The program, with its death prepared."""
        return (sys.executable, DYING, self.moment, str(self.count))

    def bring(self, running: Running, requests: Count) -> None:
        """It brings itself."""


def draw_ending(random: Random, letters: bool) -> Ending:
    """Draw an ending; ``letters`` says that dead letters are being replayed."""
    interrupt = random.choice((signal.SIGINT, signal.SIGTERM))
    ways: list[Callable[[], Ending]] = [
        lambda: AtRequest(random.randint(1, 160)),
        lambda: AtRequest(random.randint(1, 160)),
        lambda: AtRequest(random.randint(1, 120), interrupt),
        lambda: AtRequest(random.randint(1, 120), interrupt),
        lambda: AfterSeconds(random.uniform(0.0, 1.2)),
        lambda: FromInside("before-commit", random.randint(1, 10)),
        lambda: FromInside("after-commit", random.randint(1, 10)),
        lambda: FromInside("torn-letter", random.randint(1, 3)),
        lambda: FromInside("after-letter", random.randint(1, 3)),
        lambda: FromInside("request", random.randint(1, 300)),
        lambda: FromInside("opening", random.randint(1, 30)),
    ]
    if letters:
        ways = [
            lambda: FromInside("before-rename", 1),
            lambda: FromInside("after-rename", 1),
            lambda: FromInside("before-commit", random.randint(1, 4)),
            lambda: FromInside("torn-letter", 1),
            lambda: FromInside("after-letter", 1),
            lambda: AtRequest(random.randint(1, 20)),
        ]
    return random.choice(ways)()
