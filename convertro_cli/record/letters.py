"""The dead letters of a ledger as a whole, in files or in a database: exported, or forgotten."""

from __future__ import annotations

from collections.abc import Callable, Container
from contextlib import ExitStack

from convertro_cli.record import forgetting
from convertro_cli.record.backends import connected, need_driver
from convertro_cli.record.dead_letters import aside_files
from convertro_cli.record.forgetting import Forgotten
from convertro_cli.record.place import LedgerPlace
from convertro_cli.record.sqlite_ledger import SqliteLedger
from convertro_cli.record.state import RunLock


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


def count_suppressed(place: LedgerPlace, suppressed: Container[str]) -> list[Forgotten]:
    """Count the letters that ``forget_suppressed`` would remove. Changes nothing."""
    counts = forgetting.count_suppressed(place.state, suppressed)
    if place.address is None:
        return counts
    need_driver(place.address)
    from convertro_cli.record.postgres.forgetting import count_rows
    from convertro_cli.record.postgres.reading import open_for_reading

    with open_for_reading(place.address) as connection:
        if connection is not None:
            counts.append(count_rows(connection, place.address, suppressed))
    return counts


def forget_suppressed(
    place: LedgerPlace, suppressed: Container[str], *, command: str
) -> list[Forgotten]:
    """Remove the letters of suppressed users from the state folder, and from the database.

    Raises ConvertroError with exit code 75 where a run holds the folder.
    """
    counts: list[Forgotten] = []
    if place.state.path.is_dir():
        with ExitStack() as opened:
            opened.enter_context(RunLock(place.state.lock, command))
            ledger = None
            if place.state.ledger.exists():
                ledger = opened.enter_context(SqliteLedger(place.state.ledger))
            counts += forgetting.forget_suppressed(place.state, ledger, suppressed)
    if place.address is None:
        return counts
    address = place.address
    with connected(place, create=False) as session:
        from convertro_cli.record.postgres.forgetting import forget_rows
        from convertro_cli.record.postgres.schema import check_version

        if session.do(lambda connection: check_version(connection, address)):
            counts.append(session.do(lambda each: forget_rows(each, address, suppressed)))
    return counts
