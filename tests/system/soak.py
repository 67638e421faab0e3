"""The crash test for as long as one likes: ``python -m tests.system.soak --minutes 10 --seed 1``.

Round after round: another export, other faults, kills, interrupts, and absences of the other side,
over both transports. Everything is checked after every run; the same seed draws the same rounds,
as far as the machine's timing allows.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from convertro_cli.sandbox.options import PlannedOutage, SandboxOptions
from tests.system.endings import Count, Ending, draw_ending, wait_for_requests
from tests.system.ordeal import Figures, Ordeal
from tests.system.other_side import OtherSide
from tests.system.program import PROGRAM, Running, Workspace

_ABSENCES = 0.15


@dataclass(frozen=True, slots=True)
class Absence:
    """The other side goes away once so many requests have arrived, cutting off what is under way.

    It comes back after some seconds; the run may have been killed meanwhile.
    """

    side: OtherSide
    options: SandboxOptions
    count: int
    seconds: float
    kill: bool

    def program(self) -> Sequence[str | Path]:
        """The program as it is."""
        return PROGRAM

    def bring(self, running: Running, requests: Count) -> None:
        """Go away and come back."""
        wait_for_requests(running, requests, self.count)
        if running.process.poll() is not None:
            return
        self.side.go_away()
        time.sleep(self.seconds)
        if self.kill:
            running.process.kill()
        self.side.come_back(self.options)


def draw_options(random: Random) -> SandboxOptions:
    """Draw an other side: its speed and its faults."""
    outage = (
        PlannedOutage(random.uniform(1, 12), random.uniform(0, 20))
        if random.random() < 0.2
        else None
    )
    return SandboxOptions(
        port=0,
        latency_s=random.choice((0.0, 0.002, 0.01, 0.03)),
        fail_rate=random.choice((0.0, 0.05, 0.2)),
        fail_status=random.choice((500, 500, 503)),
        rate_limit=random.choice((None, None, None, 300.0)),
        outage=outage,
        seed=random.getrandbits(16),
    )


def go_one_round(folder: Path, random: Random) -> Figures:
    """One export and its dead letters, with all that comes between."""
    options = draw_options(random)

    with OtherSide(options) as side:

        def draw(random: Random, letters: bool) -> Ending:
            if random.random() >= _ABSENCES:
                return draw_ending(random, letters)
            length, kill = random.uniform(0.1, 10), random.random() < 0.3
            return Absence(side, options, random.randint(1, 150), length, kill)

        workspace = Workspace(folder)
        ordeal = Ordeal(workspace, side, random, draw)
        try:
            ordeal.go_through(kills=random.randint(4, 16), events=random.randint(500, 4_000))
        finally:
            workspace.close()
    return ordeal.figures


def main() -> None:
    """Go round after round until the time is over, then print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    end = time.monotonic() + arguments.minutes * 60
    random, total, rounds = Random(arguments.seed), Figures(), 0
    while time.monotonic() < end:
        rounds += 1
        seed = random.getrandbits(32)
        folder = Path(tempfile.mkdtemp(prefix="convertro-soak-"))
        print(f"round {rounds} (seed {seed}, {folder}): ", end="", flush=True)
        figures = go_one_round(folder, Random(seed))
        print(figures, flush=True)
        total += figures
        shutil.rmtree(folder)  # after a fault it stays, to be looked at
    print(f"{rounds} rounds: {total}")


if __name__ == "__main__":
    main()
