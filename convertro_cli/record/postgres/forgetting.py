"""Takes suppressed users' events out of the dead letters in PostgreSQL, for good."""

from __future__ import annotations

from collections.abc import Container

from psycopg import Connection

from convertro_cli.record.forgetting import Forgotten, stays
from convertro_cli.record.postgres.address import LedgerUrl

_DELETE = """
DELETE FROM dead_letters
USING unnest(%s::integer[], %s::integer[]) AS one (run, number)
WHERE dead_letters.run = one.run AND dead_letters.number = one.number
"""


def count_rows(connection: Connection, address: LedgerUrl, suppressed: Container[str]) -> Forgotten:
    """Count the letters that ``forget_rows`` would remove. Changes nothing."""
    return _look(connection, address, suppressed)[0]


def forget_rows(
    connection: Connection, address: LedgerUrl, suppressed: Container[str]
) -> Forgotten:
    """Remove the letters of suppressed users, those that were tried again, too."""
    count, found = _look(connection, address, suppressed)
    if found:
        runs, numbers = zip(*found, strict=True)
        connection.execute(_DELETE, (list(runs), list(numbers)))
        # What was deleted stays in the table's file until it is vacuumed, by its owner.
        connection.execute("VACUUM dead_letters")
    return count


def _look(
    connection: Connection, address: LedgerUrl, suppressed: Container[str]
) -> tuple[Forgotten, list[tuple[int, int]]]:
    """Count the letters; give the run and the number of each that must go."""
    count = Forgotten(address)
    found: list[tuple[int, int]] = []
    with connection.transaction(), connection.cursor("letters", binary=True) as cursor:
        cursor.itersize = 1000
        cursor.execute("SELECT run, number, letter FROM dead_letters ORDER BY run, number")
        for run, number, letter in cursor:
            if not stays(letter + b"\n", suppressed, count):
                found.append((run, number))
    return count, found
