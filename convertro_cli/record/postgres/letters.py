"""Dead letters as rows: they are written in the transaction that marks their calls as failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from psycopg import Connection

from convertro_cli.record.dead_letters import CollectedLetters
from convertro_cli.record.open_letters import facts_of
from convertro_cli.record.postgres.statements import without_nul

_WRITE = """
INSERT INTO dead_letters (run, number, letter, reason, source, at)
SELECT * FROM unnest(%(runs)s::integer[], %(numbers)s::integer[], %(letters)s::bytea[],
    %(reasons)s::text[], %(sources)s::text[], %(times)s::text[])
ON CONFLICT (run, number) DO NOTHING
"""


class NumberedLetter(NamedTuple):
    """A dead letter, with its run and its number there."""

    run: int
    number: int
    line: bytes


def insert_letters(connection: Connection, letters: Sequence[NumberedLetter]) -> None:
    """Write letters; those that are there stay."""
    if not letters:
        return
    facts = [facts_of(letter.line) for letter in letters]
    parameters = {
        "runs": [letter.run for letter in letters],
        "numbers": [letter.number for letter in letters],
        "letters": [letter.line for letter in letters],
        "reasons": [without_nul(each.reason) for each in facts],
        "sources": [each.source and without_nul(each.source) for each in facts],
        "times": [each.at and without_nul(each.at) for each in facts],
    }
    connection.execute(_WRITE, parameters)


class LetterBox:
    """The dead letters of a run on their way to the database, numbered from 0 on."""

    def __init__(self) -> None:
        self._run = 0
        self._number = 0
        self._waiting: list[bytes] = []

    def begin(self, run: int) -> None:
        """Number the letters of this run."""
        self._run, self._number = run, 0

    def put(self, lines: bytes) -> None:
        """Keep lines of a dead-letter file for the next commit."""
        self._waiting += lines.split(b"\n")[:-1]

    def write(self, connection: Connection) -> None:
        """Write what waits, as part of a transaction; the same once more does no harm."""
        numbered = enumerate(self._waiting, self._number)
        letters = [NumberedLetter(self._run, number, line) for number, line in numbered]
        insert_letters(connection, letters)

    def written(self) -> None:
        """Note that what waited is in the database."""
        self._number += len(self._waiting)
        self._waiting = []


class DeadLetterRows(CollectedLetters):
    """Collects dead letters as ``DeadLetterFile`` does; they are written by the next commit."""

    def __init__(
        self, box: LetterBox, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(now)
        self._box = box

    def append(self, lines: bytes) -> None:
        """Give lines to the next commit, which is a part of the same step."""
        self._box.put(lines)

    def close(self) -> None:
        """Nothing is open."""


_UNTRIED = """
SELECT run, number, letter FROM dead_letters WHERE tried_by IS NULL OR %(all)s ORDER BY run, number
"""
_TRIED = """
UPDATE dead_letters SET tried_by = %(by)s
FROM unnest(%(runs)s::integer[], %(numbers)s::integer[]) AS read_up_to (run, number)
WHERE dead_letters.run = read_up_to.run AND dead_letters.number <= read_up_to.number
AND dead_letters.tried_by IS NULL
"""


def write_letters(
    connection: Connection, write: Callable[[bytes], object], *, tried_too: bool = False
) -> dict[int, int]:
    """Write dead letters as lines; give the last number of each run among them.

    Those that a run tried again are left out, unless asked for.
    """
    reached: dict[int, int] = {}
    with connection.transaction(), connection.cursor("letters", binary=True) as cursor:
        cursor.itersize = 1000
        cursor.execute(_UNTRIED, {"all": tried_too})
        for run, number, letter in cursor:
            write(letter + b"\n")
            reached[run] = number
    return reached


def mark_tried(connection: Connection, run: int, reached: Mapping[int, int]) -> None:
    """Note that a run tried these letters again, each run's up to a number."""
    parameters = {"by": run, "runs": list(reached), "numbers": list(reached.values())}
    connection.execute(_TRIED, parameters)
