"""The two backends of the ledger, each behind the same functions; only the one used is imported."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from msgspec import Struct

from convertro_cli.errors import ConvertroError
from convertro_cli.record.place import LedgerPlace

if TYPE_CHECKING:
    from convertro_cli.record.dead_letters import DeadLetters
    from convertro_cli.record.earlier_runs import EarlierRuns
    from convertro_cli.record.known_calls import KnownCalls
    from convertro_cli.record.ledger import Ledger
    from convertro_cli.record.lookup import CallRecord
    from convertro_cli.record.open_letters import OpenLetters, Target
    from convertro_cli.record.overview import Overview
    from convertro_cli.record.postgres.address import LedgerUrl
    from convertro_cli.record.postgres.session import Session
    from convertro_cli.record.postgres.taking_over import TakenOver


class SharedOptions(Struct, frozen=True, kw_only=True):
    """How a run shares a database; times are in seconds.

    ``stopped`` says that the run is to end, ``notice`` is told in a sentence of each absence of
    the database. For a run that is one part of a job over many machines there are the numbers of
    the ``job`` and of the ``bundle``, and ``stop``, which hears with which exit code it is to end.
    """

    timeout: float = 60.0
    lease: float = 30.0
    stopped: Callable[[], bool] = lambda: False
    notice: Callable[[str], None] = lambda _: None
    job: int | None = None
    bundle: int = 0
    stop: Callable[[int], None] = lambda _: None


class OpenLedger(Struct, frozen=True):
    """A ledger that a run has open, and the place for its dead letters.

    ``forget`` removes the dead letters of these users, of all runs, and gives how many there were.
    """

    ledger: Ledger
    letters: DeadLetters
    forget: Callable[[Container[str]], int]


@contextmanager
def open_ledger(place: LedgerPlace, command: str, options: SharedOptions) -> Iterator[OpenLedger]:
    """Open a ledger for a run.

    Raises ConvertroError where another run holds a state folder, and where a database cannot be
    used.
    """
    if place.address is None:
        from convertro_cli.record.dead_letters import DeadLetterFile
        from convertro_cli.record.forgetting import forget_suppressed
        from convertro_cli.record.sqlite_ledger import SqliteLedger
        from convertro_cli.record.state import RunLock

        place.state.create()
        with (
            RunLock(place.state.lock, command) as lock,
            SqliteLedger(place.state.ledger, check=lock.check, notice=options.notice) as ledger,
        ):
            yield OpenLedger(
                ledger,
                DeadLetterFile(place.state.dead_letters),
                lambda users: sum(
                    each.removed for each in forget_suppressed(place.state, ledger, users)
                ),
            )
        return
    place.state.create(for_ledger=False)
    need_driver(place.address)
    from convertro_cli.record.postgres.jobs import JobShare
    from convertro_cli.record.postgres.ledger import PostgresLedger
    from convertro_cli.record.postgres.letters import DeadLetterRows
    from convertro_cli.record.postgres.session import ServerPatience

    patience = ServerPatience(options.timeout, options.stopped, options.notice)
    share = JobShare(options.job, options.bundle, options.stop) if options.job else None
    with PostgresLedger(
        place.address, lease_seconds=options.lease, patience=patience, share=share
    ) as shared:
        yield OpenLedger(shared, DeadLetterRows(shared.letters), shared.forget)


def need_driver(address: LedgerUrl) -> None:
    """Raise ConvertroError where psycopg is not installed."""
    if find_spec("psycopg") is None:
        raise ConvertroError(
            f"The ledger is in {address}, but psycopg is not installed.",
            hint="pip install 'convertro[postgres]'",
        )


def read_overview(place: LedgerPlace, *, latest: int) -> Overview | None:
    """Read a ledger in numbers; None where there is none. Raises ConvertroError."""
    if place.address is None:
        from convertro_cli.record import overview

        return overview.read_overview(place.state, latest=latest)
    need_driver(place.address)
    from convertro_cli.record.postgres import overview as shared_overview

    return shared_overview.read_overview(place.address, latest=latest)


def read_open_letters(place: LedgerPlace) -> dict[Target, OpenLetters]:
    """Count the open dead letters of a ledger by target. Raises ConvertroError."""
    if place.address is None:
        from convertro_cli.record import open_letters

        return open_letters.read_open_letters(place.state)
    need_driver(place.address)
    from convertro_cli.record.postgres import overview as shared_overview

    return shared_overview.read_open_letters(place.address)


def read_earlier_runs(
    place: LedgerPlace, target: Target, notice: Callable[[str], None] | None = None
) -> EarlierRuns:
    """Read what a ledger knows of earlier runs to a target. Raises ConvertroError.

    With ``notice`` a file that another program holds is waited for, and that is told there.
    """
    if place.address is None:
        from convertro_cli.record import earlier_runs

        return earlier_runs.read_earlier_runs(place.state, target, notice)
    need_driver(place.address)
    from convertro_cli.record.postgres import reading

    return reading.read_earlier_runs(place.address, target)


def look_up_calls(place: LedgerPlace, keys: Sequence[bytes]) -> dict[bytes, CallRecord] | None:
    """Look calls up by their keys; None where there is no ledger. Raises ConvertroError."""
    if place.address is None:
        from convertro_cli.record import lookup

        return lookup.look_up_calls(place.state, keys)
    need_driver(place.address)
    from convertro_cli.record.postgres import reading

    return reading.look_up_calls(place.address, keys)


@contextmanager
def open_known_calls(place: LedgerPlace) -> Iterator[KnownCalls | None]:
    """Open a ledger to look into it; None where there is none. Not a byte of it changes."""
    if place.address is None:
        from convertro_cli.record import sqlite_calls

        with sqlite_calls.open_known_calls(place.state) as known:
            yield known
        return
    need_driver(place.address)
    from convertro_cli.record.postgres import reading

    with reading.open_known_calls(place.address) as shared:
        yield shared


def import_ledger(place: LedgerPlace) -> TakenOver | None:
    """Take over the ledger of the state folder into the database; None where there is none."""
    with connected(place, create=True) as session:
        from convertro_cli.record.postgres.taking_over import TakingOver
        from convertro_cli.record.state import RunLock

        if not place.state.ledger.exists():
            return None
        with RunLock(place.state.lock, "ledger import"):
            return session.do(lambda connection: TakingOver(place.state, connection).carry_out())


def migrate_ledger(place: LedgerPlace) -> tuple[int, int]:
    """Bring the ledger in a database to this version; give the version before, and after."""
    assert place.address is not None
    need_driver(place.address)
    from convertro_cli.record.postgres.schema import MIGRATIONS, migrate
    from convertro_cli.record.postgres.session import ServerPatience, Session

    address = place.address
    session = Session(address, ServerPatience())
    try:
        return session.do(lambda connection: migrate(connection, address)), len(MIGRATIONS)
    finally:
        session.close()


@contextmanager
def connected(
    place: LedgerPlace, *, create: bool, options: SharedOptions | None = None
) -> Iterator[Session]:
    """Connect to a ledger in a database; where there is none, it is made if told to."""
    assert place.address is not None
    need_driver(place.address)
    from convertro_cli.record.postgres.schema import migrate
    from convertro_cli.record.postgres.session import ServerPatience, Session

    address = place.address
    patience = ServerPatience()
    if options is not None:
        patience = ServerPatience(options.timeout, options.stopped, options.notice)
    session = Session(address, patience)
    try:
        if create:
            session.do(lambda connection: migrate(connection, address, create_only=True))
        yield session
    finally:
        session.close()
