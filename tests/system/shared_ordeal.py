"""The crash test for many runs at once: two machines, one ledger in PostgreSQL, one other side.

Every event is in two files, so that the machines meet over each call. They are killed, stopped for
longer than their lease, and the database is killed, too; then export, ledger and the other side
are compared.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from convertro_cli.record.ledger import split_keys
from tests.exports import BENCH_SETTINGS, iter_lines
from tests.postgres import PostgresServer
from tests.system.other_side import OtherSide
from tests.system.program import Ended, Running, Workspace, wait_until
from tests.system.receiving import accepted, expected_calls

LEASE = 2.0
WINDOW = 256
SETTINGS = f"""{BENCH_SETTINGS}
[delivery]
concurrency = 4
outage_timeout = "60s"
ledger_lease = "{LEASE:g}s"
ledger_timeout = "30s"
"""
_STARTED_WITH = frozenset({0, 1})


@dataclass(slots=True)
class SharedFigures:
    """What it came to. ``in_doubt`` sums up what each lost run left in doubt."""

    kills: int = 0
    takeovers: int = 0
    fenced: int = 0
    database_kills: int = 0
    calls: int = 0
    lost: int = 0
    repeated: int = 0
    in_doubt: int = 0
    settled_elsewhere: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:,}" for name, value in asdict(self).items())


def write_doubled_export(folder: Path, events: int, files: int, random: Random) -> list[Path]:
    """Write files of which every two hold the same events, each in an order of its own."""
    lines = list(iter_lines(events, seed=random.getrandbits(16)))
    random.shuffle(lines)
    paths = []
    for copy in range(2):
        for number in range(files):
            some = lines[number::files]
            random.shuffle(some)
            path = folder / f"part-{number}-{copy}.ndjson"
            path.write_bytes(b"".join(some))
            paths.append(path)
    return paths


@dataclass(slots=True)
class SharedOrdeal:
    """Two workspaces, which stand for two machines, and all that is between them."""

    workspaces: tuple[Workspace, Workspace]
    postgres: PostgresServer
    url: str
    side: OtherSide
    random: Random
    figures: SharedFigures = field(default_factory=SharedFigures)
    paths: list[Path] = field(default_factory=list)
    running: list[Running] = field(default_factory=list)
    doubts: set[bytes] = field(default_factory=set)

    def go_through(self, *, events: int, files: int = 3) -> None:
        """Replay an export with all that can happen, to the end, and compare."""
        first = self.workspaces[0]
        for workspace in self.workspaces:
            workspace.config.write_text(SETTINGS)
        self.paths = write_doubled_export(first.folder, events, files, self.random)
        expected = expected_calls(first, self.side.url, *self.paths)
        self.figures.calls = len(expected)
        self.running = [self._start(0), self._start(1)]
        troubles: list[Callable[[], None]] = [
            self._kill_one,
            self._let_one_sleep,
            self._kill_database,
        ]
        self.random.shuffle(troubles)
        steps = len(expected) // (len(troubles) + 2)
        for number, trouble in enumerate(troubles, 1):
            jitter = self.random.randrange(steps // 2)
            self._wait_for_requests(steps * number + jitter)
            trouble()
        for running in self.running:
            self._check_end(running.end(within=60))
        ended = self._start(0).end(within=60)
        assert ended.code == 0, ended.err
        assert ended.summary["calls"]["attempts"] == 0
        self._compare(expected)

    def _start(self, machine: int) -> Running:
        workspace = self.workspaces[machine]
        return workspace.start(
            "replay",
            *self.paths,
            *("--json", "--workers", "1", "--base-url", self.side.url, "--ledger", self.url),
        )

    def _wait_for_requests(self, number: int) -> None:
        wait_until(
            lambda: self.side.requests() >= number or all(self._is_over(r) for r in self.running),
            f"{number} requests",
            within=60,
        )

    def _is_over(self, running: Running) -> bool:
        return running.process.poll() is not None

    def _kill_one(self) -> None:
        victim = self.random.randrange(2)
        number = self._run_of(victim)
        self.running[victim].kill()
        self.figures.kills += 1
        self._note_doubts(number)
        self.running[victim] = self._start(victim)

    def _let_one_sleep(self) -> None:
        """Stop a run until the other has taken over, then let it wake up."""
        victim = self.random.randrange(2)
        number, sleeper = self._run_of(victim), self.running[victim]
        sleeper.send(signal.SIGSTOP)
        self._note_doubts(number)
        other = self.running[1 - victim]
        wait_until(
            lambda: self._is_lost(number) or self._is_over(other),
            "takeover of a run that sleeps",
            within=30,
        )
        is_lost = self._is_lost(number)  # not where the other had nothing to wait for, and ended
        sleeper.send(signal.SIGCONT)
        ended = sleeper.end(within=30)
        if number is not None and is_lost:
            ended.assert_told(75, "took over")
            self.figures.fenced += 1
        self.running[victim] = self._start(victim)

    def _kill_database(self) -> None:
        self.postgres.kill()
        self.figures.database_kills += 1
        time.sleep(self.random.uniform(0.2, 1.5))  # an absence has to last for a while
        self.postgres.start()

    def _check_end(self, ended: Ended) -> None:
        assert ended.code == 0, ended.err
        assert "Traceback" not in ended.err
        self.figures.settled_elsewhere += ended.summary["calls"]["already_delivered"]

    def _run_of(self, machine: int) -> int | None:
        """Give the number of a machine's live run; None where it has not begun or has ended."""
        process = self.running[machine].process.pid
        rows = self._query(
            "SELECT id FROM runs JOIN leases ON leases.run = runs.id WHERE process = %s", process
        )
        return int(rows[0][0]) if rows else None

    def _is_lost(self, run: int | None) -> bool:
        return run is None or not self._query("SELECT 1 FROM leases WHERE run = %s", run)

    def _note_doubts(self, run: int | None) -> None:
        """Note what a run that was just killed or stopped has marked."""
        if run is None:
            return
        rows = self._query("SELECT keys FROM leases WHERE run = %s", run)
        rows += self._query("SELECT keys FROM doubts WHERE run = %s", run)
        keys = {key for (content,) in rows for key in split_keys(content)}
        assert len(keys) <= WINDOW
        self.figures.in_doubt += len(keys)
        self.doubts |= keys

    def _query(self, query: str, *parameters: object) -> list[Any]:
        with psycopg.connect(self.url, options="-c search_path=convertro") as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def _compare(self, expected: dict[bytes, Any]) -> None:
        """Export, ledger and other side agree."""
        self.side.wait_for_quiet()
        arrived = accepted(self.side.received())
        keys = {target: key for key, target in expected.items()}
        ((self.figures.takeovers,),) = self._query(
            "SELECT count(*) FROM runs WHERE lost_at IS NOT NULL"
        )
        self.figures.lost = len(set(keys) - set(arrived))
        repeated = {keys[target] for target, count in arrived.items() if count > 1}
        self.figures.repeated = sum(arrived.values()) - len(arrived)
        assert set(arrived) == set(keys)
        assert repeated <= self.doubts
        assert self.figures.repeated <= self.figures.in_doubt
        sent = {key for (key,) in self._query("SELECT key FROM calls WHERE state = 1")}
        assert sent == set(expected)
        assert not self._query("SELECT 1 FROM calls WHERE claim IS NOT NULL")
        assert not self._query("SELECT 1 FROM held_files")
        assert not self._query("SELECT 1 FROM leases")
        assert len(self._query("SELECT 1 FROM files")) == len(self.paths)
