"""A cluster of Dask as others run it: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import orjson
import psutil  # type: ignore[import-untyped]  # its stubs are no dependency

from tests.system.program import wait_until


class DaskMachines:
    """A scheduler on loopback, and workers of one thread; all are gone with this.

    They run in a folder of their own, with nothing in it; ``environ`` is what they find in their
    environment besides.
    """

    def __init__(self, workers: int, environ: Mapping[str, str] | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="convertro-dask-"))
        self._environ = os.environ | dict(environ or {})
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start(
            *("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", self._file)
        )
        wait_until(self._has_address, "address of a scheduler", within=60)
        self.address: str = orjson.loads(self._file.read_bytes())["address"]
        for _ in range(workers):
            self.add_worker()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add_worker(self) -> None:
        """Start another worker."""
        worker = self._start(
            *("worker", self.address, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1"),
            *("--local-directory", self._folder),
        )
        self.workers.append(worker)

    def bundle_processes(self) -> list[psutil.Process]:
        """Give the processes that are at bundles now, on all workers."""
        found = []
        for worker in self.workers:
            try:
                found += psutil.Process(worker.pid).children()
            except psutil.NoSuchProcess:
                continue
        return found

    def worker_of(self, process: psutil.Process) -> subprocess.Popen[bytes]:
        """Give the worker that started the process of a bundle."""
        (worker,) = (each for each in self.workers if each.pid == process.ppid())
        return worker

    def kill_worker_of(self, process: psutil.Process) -> None:
        """Kill the worker that started the process of a bundle; the process itself lives on."""
        worker = self.worker_of(process)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        self.workers.remove(worker)

    def logs(self) -> str:
        """What scheduler and workers have said."""
        return "\n".join(path.read_text() for path in sorted(self._folder.glob("*.log")))

    def _has_address(self) -> bool:
        return self._file.exists() and self._file.read_bytes().strip().endswith(b"}")

    @property
    def _file(self) -> Path:
        return self._folder / "scheduler.json"

    def _start(self, role: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        number = len(list(self._folder.glob("*.log")))
        with (self._folder / f"{number}-{role}.log").open("wb") as log:
            return subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    f"distributed.cli.dask_{role}",
                    *arguments,
                    "--no-dashboard",
                ],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=self._environ,
            )
