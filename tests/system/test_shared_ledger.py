"""Two machines with one ledger: whatever befalls them and the database, all adds up."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from convertro_cli.sandbox.options import SandboxOptions
from tests.exports import write_export
from tests.postgres import PostgresServer
from tests.system.other_side import OtherSide
from tests.system.program import Running, Workspace, wait_until
from tests.system.receiving import accepted, expected_calls
from tests.system.shared_ordeal import SETTINGS, SharedOrdeal

SEED = 7
EVENTS = 3_000


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[tuple[Workspace, Workspace]]:
    """Two folders to run the program in."""
    folders = (tmp_path / "one", tmp_path / "two")
    for folder in folders:
        folder.mkdir()
    one, two = map(Workspace, folders)
    yield one, two
    one.close()
    two.close()


def test_whatever_befalls_two_machines_and_their_database(
    machines: tuple[Workspace, Workspace],
    mortal_postgres: PostgresServer,
    record_property: Callable[[str, object], None],
) -> None:
    """A kill -9, a sleep past the lease, the database killed: 0 lost, only doubts repeat."""
    options = SandboxOptions(port=0, latency_s=0.01, fail_rate=0.05, fail_status=500, seed=SEED)
    with OtherSide(options) as side:
        url = mortal_postgres.create_database()
        ordeal = SharedOrdeal(machines, mortal_postgres, url, side, Random(SEED))
        ordeal.go_through(events=EVENTS)
    assert ordeal.figures.lost == 0
    assert (ordeal.figures.kills, ordeal.figures.database_kills) == (1, 1)
    record_property(f"two machines, seed {SEED}", str(ordeal.figures))


def test_a_run_waits_for_a_database_that_comes_back_and_sends_no_call_twice(
    machines: tuple[Workspace, Workspace], mortal_postgres: PostgresServer
) -> None:
    """Away for less than ledger_timeout: the run says so, waits, goes on, and all adds up."""
    with losing_its_database(machines[0], mortal_postgres, timeout="30s") as underway:
        underway.run.wait_for_err("is away")
        mortal_postgres.start()
        ended = underway.run.end()
        assert ended.code == 0, ended.err
        assert ended.summary["calls"]["delivered"] == underway.side.requests() == ALL_CALLS


def test_a_run_ends_when_its_database_stays_away_and_the_next_one_goes_on(
    machines: tuple[Workspace, Workspace], mortal_postgres: PostgresServer
) -> None:
    """Away for longer: 75, and why; later the same command delivers what is left."""
    with losing_its_database(machines[0], mortal_postgres, timeout="1s") as underway:
        ended = underway.run.end()
        ended.assert_told(75, "cannot be reached", "Nothing is lost")
        mortal_postgres.start()
        resumed = start(machines[0], underway.side, underway.url, timeout="30s").end()
        assert resumed.code == 0, resumed.err
        underway.side.wait_for_quiet()
        arrived = accepted(underway.side.received())
        assert len(arrived) == ALL_CALLS
        assert arrived.total() - ALL_CALLS <= resumed.summary["calls"]["possibly_repeated"] <= 256


def test_an_interrupt_ends_a_run_that_waits_for_its_database(
    machines: tuple[Workspace, Workspace], mortal_postgres: PostgresServer
) -> None:
    """Nobody has to wait for ledger_timeout to end after Ctrl-C."""
    with losing_its_database(machines[0], mortal_postgres, timeout="1h") as underway:
        underway.run.wait_for_err("is away")
        underway.run.send(signal.SIGINT)
        underway.run.end(within=20).assert_told(75, "cannot be reached")


def test_a_run_that_sleeps_past_its_lease_sends_nothing_when_it_wakes(
    machines: tuple[Workspace, Workspace], mortal_postgres: PostgresServer
) -> None:
    """The other has delivered all by then; the sleeper is told, and not one request follows."""
    url = mortal_postgres.create_database()
    with slow_side() as side:
        sleeper = start(machines[0], side, url)
        wait_until(lambda: side.requests() > 100, "requests")
        sleeper.send(signal.SIGSTOP)
        other = start(machines[1], side, url, export=machines[0].folder / "export.ndjson").end()
        assert other.code == 0, other.err
        seen = side.requests()
        sleeper.send(signal.SIGCONT)
        sleeper.end(within=30).assert_told(75, "took over")
        side.wait_for_quiet()
        assert side.requests() == seen
        assert set(accepted(side.received())) == set(
            expected_calls(machines[0], side.url, machines[0].folder / "export.ndjson").values()
        )


ALL_CALLS = 600


def slow_side() -> OtherSide:
    """An other side that takes its time, so that there is something to interrupt."""
    return OtherSide(SandboxOptions(port=0, latency_s=0.01))


class Underway(NamedTuple):
    """A run that is under way, the other side that it sends to, and its ledger's URL."""

    run: Running
    side: OtherSide
    url: str


@contextmanager
def losing_its_database(
    machine: Workspace, server: PostgresServer, *, timeout: str
) -> Iterator[Underway]:
    """A run whose database is killed in the midst of it."""
    url = server.create_database()
    with slow_side() as side:
        running = start(machine, side, url, timeout=timeout)
        wait_until(lambda: side.requests() > 100, "requests")
        server.kill()
        yield Underway(running, side, url)


def start(
    machine: Workspace,
    side: OtherSide,
    url: str,
    *,
    timeout: str = "30s",
    export: Path | None = None,
) -> Running:
    """Start a replay of an export of so many calls, four at a time."""
    settings = SETTINGS.replace('ledger_timeout = "30s"', f'ledger_timeout = "{timeout}"')
    machine.config.write_text(settings)
    if export is None:
        export = machine.folder / "export.ndjson"
        if not export.exists():
            write_export(export, 2_000)
    return machine.start(
        *("replay", export, "--json", "--base-url", side.url, "--ledger", url, "--workers", "1")
    )
