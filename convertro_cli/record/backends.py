"""The two backends of the ledger, each behind the same functions; only the one used is imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from convertro_cli.errors import ConvertroError
from convertro_cli.record import known_calls, lookup, overview
from convertro_cli.record.dead_letters import DeadLetterFile, DeadLetters, aside_files
from convertro_cli.record.known_calls import KnownCalls
from convertro_cli.record.ledger import Ledger
from convertro_cli.record.lookup import CallRecord
from convertro_cli.record.overview import Overview
from convertro_cli.record.place import LedgerPlace
from convertro_cli.record.postgres.address import Address
from convertro_cli.record.sqlite_ledger import SqliteLedger
from convertro_cli.record.state import RunLock

if TYPE_CHECKING:
    from convertro_cli.record.postgres.session import Session
    from convertro_cli.record.postgres.taking_over import TakenOver


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedOptions:
    """How a run shares a database; times are in seconds.

    ``stopped`` says that the run is to end, ``notice`` is told in a sentence of each absence of
    the database.
    """

    timeout: float = 60.0
    lease: float = 30.0
    stopped: Callable[[], bool] = lambda: False
    notice: Callable[[str], object] = lambda _: None


@contextmanager
def open_ledger(
    place: LedgerPlace, command: str, options: SharedOptions
) -> Iterator[tuple[Ledger, DeadLetters]]:
    """Open a ledger for a run, with the place for its dead letters.

    Raises ConvertroError where another run holds a state folder, and where a database cannot be
    used.
    """
    place.state.create()
    if place.address is None:
        with RunLock(place.state.lock, command), SqliteLedger(place.state.ledger) as ledger:
            yield ledger, DeadLetterFile(place.state.dead_letters)
        return
    need_driver(place.address)
    from convertro_cli.record.postgres.ledger import PostgresLedger
    from convertro_cli.record.postgres.letters import DeadLetterRows
    from convertro_cli.record.postgres.session import Patience

    patience = Patience(options.timeout, options.stopped, options.notice)
    with PostgresLedger(place.address, lease_seconds=options.lease, patience=patience) as shared:
        yield shared, DeadLetterRows(shared.letters)


def need_driver(address: Address) -> None:
    """Raise ConvertroError where psycopg is not installed."""
    if find_spec("psycopg") is None:
        raise ConvertroError(
            f"The ledger is in {address}, but psycopg is not installed.",
            hint="pip install 'convertro[postgres]'",
        )


def read_overview(place: LedgerPlace, *, latest: int) -> Overview | None:
    """Read a ledger in numbers; None where there is none. Raises ConvertroError."""
    if place.address is None:
        return overview.read_overview(place.state, latest=latest)
    need_driver(place.address)
    from convertro_cli.record.postgres import reading

    return reading.read_overview(place.address, latest=latest)


def look_up_calls(place: LedgerPlace, keys: Sequence[bytes]) -> dict[bytes, CallRecord] | None:
    """Look calls up by their keys; None where there is no ledger. Raises ConvertroError."""
    if place.address is None:
        return lookup.look_up_calls(place.state, keys)
    need_driver(place.address)
    from convertro_cli.record.postgres import reading

    return reading.look_up_calls(place.address, keys)


@contextmanager
def open_known_calls(place: LedgerPlace) -> Iterator[KnownCalls | None]:
    """Open a ledger to look into it; None where there is none. Not a byte of it changes."""
    if place.address is None:
        with known_calls.open_known_calls(place.state) as known:
            yield known
        return
    need_driver(place.address)
    from convertro_cli.record.postgres import reading

    with reading.open_known_calls(place.address) as shared:
        yield shared


def import_ledger(place: LedgerPlace) -> TakenOver | None:
    """Take over the ledger of the state folder into the database; None where there is none."""
    with _shared(place) as session:
        from convertro_cli.record.postgres.taking_over import TakingOver

        if not place.state.ledger.exists():
            return None
        with RunLock(place.state.lock, "ledger import"):
            return session.do(lambda connection: TakingOver(place.state, connection).carry_out())


def migrate_ledger(place: LedgerPlace) -> tuple[int, int]:
    """Bring the ledger in a database to this version; give the version before, and after."""
    assert place.address is not None
    need_driver(place.address)
    from convertro_cli.record.postgres.schema import MIGRATIONS, migrate
    from convertro_cli.record.postgres.session import Patience, Session

    address = place.address
    session = Session(address, Patience())
    try:
        return session.do(lambda connection: migrate(connection, address)), len(MIGRATIONS)
    finally:
        session.close()


def export_letters(
    place: LedgerPlace, write: Callable[[bytes], object], *, tried_too: bool = False
) -> dict[int, int]:
    """Write the dead letters as lines; from a database give how far those of each run went."""
    if place.address is None:
        paths = [*aside_files(place.state.dead_letters)] if tried_too else []
        for path in (*paths, place.state.dead_letters):
            if path.exists():
                with path.open("rb") as stream:
                    for line in stream:
                        write(line)
        return {}
    need_driver(place.address)
    from convertro_cli.record.postgres.letters import write_letters
    from convertro_cli.record.postgres.reading import open_for_reading

    with open_for_reading(place.address) as connection:
        return write_letters(connection, write, tried_too=tried_too) if connection else {}


@contextmanager
def _shared(place: LedgerPlace) -> Iterator[Session]:
    """Connect to a ledger in a database, which is made where there is none."""
    assert place.address is not None
    need_driver(place.address)
    from convertro_cli.record.postgres.schema import migrate
    from convertro_cli.record.postgres.session import Patience, Session

    address = place.address
    session = Session(address, Patience())
    try:
        session.do(lambda connection: migrate(connection, address, create_only=True))
        yield session
    finally:
        session.close()
