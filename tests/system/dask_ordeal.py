"""The crash test of a cluster: one driver, workers of Dask, one ledger, one other side.

Every event is in two files, so that bundles meet over each call. Workers are killed, and so are the
processes of bundles; one is stopped for longer than its lease, the database is killed, and the
other side goes away for a while. Then export, ledger and the other side are compared.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are no dependency

from convertro_cli.sandbox.options import SandboxOptions
from tests.storage.conftest import Bucket
from tests.system.dask_machines import DaskMachines
from tests.system.program import Running, wait_until
from tests.system.receiving import expected_calls
from tests.system.shared_ordeal import SETTINGS, SharedOrdeal, write_doubled_export


@dataclass(slots=True)
class DaskOrdeal(SharedOrdeal):
    """A cluster, and all that is between its driver and the other side.

    ``port`` is that of an S3 on this machine in which the exports lie, None for files.
    """

    machines: DaskMachines = field(kw_only=True)
    options: SandboxOptions = field(kw_only=True)
    port: int | None = field(default=None, kw_only=True)
    exports: list[str | Path] = field(default_factory=list, init=False)
    driver: Running = field(init=False)

    def go_through(self, *, events: int, files: int = 3) -> None:
        """Replay an export with all that can happen, to the end, and compare."""
        workspace = self.workspaces[0]
        storage = f'[storage]\nendpoint_url = "http://127.0.0.1:{self.port}"\n'
        workspace.config.write_text(SETTINGS + (storage if self.port else ""))
        self.paths = write_doubled_export(workspace.folder, events, files, self.random)
        self.exports = [*self.paths]
        if self.port is not None:
            bucket = Bucket(self.port, f"acme-exports-{self.random.getrandbits(32)}")
            self.exports = [bucket.put(path.name, path.read_bytes()) for path in self.paths]
        expected = expected_calls(workspace, self.side.url, *self.paths)
        self.figures.calls = len(expected)
        self.driver = self._drive()
        self.running = [self.driver]
        troubles: list[Callable[[], None]] = [
            self._kill_worker,
            self._kill_process,
            self._let_one_sleep,
            self._kill_database,
            self._take_other_side_away,
        ]
        self.random.shuffle(troubles)
        steps = len(expected) // (len(troubles) + 2)
        for number, trouble in enumerate(troubles, 1):
            self._wait_for_requests(steps * number + self.random.randrange(max(1, steps // 2)))
            trouble()
        ended = self.driver.end(within=180)
        self._check_end(ended)
        files_told = ended.summary["files"]
        assert files_told == {"read": len(self.paths), "skipped": 0, "damaged": 0}
        again = self._drive().end(within=120)
        assert again.code == 0, again.err
        assert again.summary["calls"]["attempts"] == 0
        self._compare(expected)

    def _drive(self) -> Running:
        return self.workspaces[0].start(
            "replay",
            *self.exports,
            *("--json", "--scheduler", self.machines.address),
            *("--base-url", self.side.url, "--ledger", self.url),
        )

    def _victim(self) -> psutil.Process | None:
        """Choose a process that is at a bundle now; None where the driver has ended."""
        found: list[psutil.Process] = []

        def finds_some() -> bool:
            found[:] = [
                each
                for each in self.machines.bundle_processes()
                if self._live_run(each.pid) is not None
            ]
            return bool(found) or self._is_over(self.driver)

        wait_until(finds_some, "process of a bundle", within=60)
        return self.random.choice(found) if found else None

    def _kill_worker(self) -> None:
        """Kill a worker: the process of its bundle ends what is under way by itself."""
        victim = self._victim()
        if victim is not None:
            self.machines.kill_worker_of(victim)
            self.machines.add_worker()
            self.figures.kills += 1

    def _kill_process(self) -> None:
        victim = self._victim()
        if victim is None:
            return
        victim.suspend()  # so that what it has marked stays what it is
        run = self._live_run(victim.pid)
        victim.kill()
        self.figures.kills += 1
        self._note_doubts(run)

    def _let_one_sleep(self) -> None:
        """Stop a process until another has its bundle, then let it wake up.

        Its worker sleeps as well, now and then: so does a machine whose lid is shut.
        """
        victim = self._victim()
        if victim is None:
            return
        worker = self.machines.worker_of(victim) if self.random.random() < 0.5 else None
        if worker is not None:
            worker.send_signal(signal.SIGSTOP)
        victim.suspend()
        run = self._live_run(victim.pid)
        self._note_doubts(run)
        if run is not None:
            wait_until(
                lambda: self._is_lost(run) or self._is_over(self.driver),
                "takeover of a bundle whose process sleeps",
                within=60,
            )
            self.figures.fenced += 1
        victim.resume()
        if worker is not None:
            worker.send_signal(signal.SIGCONT)

    def _take_other_side_away(self) -> None:
        self.side.go_away()
        time.sleep(self.random.uniform(0.2, 1.0))  # an absence has to last for a while
        self.side.come_back(self.options)

    def _live_run(self, process: int) -> int | None:
        rows = self._query(
            "SELECT id FROM runs JOIN leases ON leases.run = runs.id WHERE process = %s", process
        )
        return int(rows[0][0]) if rows else None
