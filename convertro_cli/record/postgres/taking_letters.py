"""Taking over the dead letters that lie beside a ledger of SQLite, each of them once."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from psycopg import Connection

from convertro_cli.mapping.dead_letter import LETTER_START
from convertro_cli.reading.identity import identify
from convertro_cli.record.dead_letters import ASIDE_SETTINGS, aside_files
from convertro_cli.record.open_letters import LetterRuns, facts_of
from convertro_cli.record.postgres.letters import NumberedLetter, insert_letters
from convertro_cli.record.sqlite_ledger import is_finished
from convertro_cli.record.state import StateFolder

_TAKEN = "SELECT run, number, sha256(letter) FROM dead_letters WHERE run = ANY (%s::integer[])"


def take_letters(
    connection: Connection, state: StateFolder, other: sqlite3.Connection, runs: Mapping[int, int]
) -> int:
    """Take the letters that no run has tried again yet, in one transaction; give how many.

    ``runs`` has the numbers here of the other ledger's runs. What was taken earlier is known by
    its content: its place among the others changes once some were tried.
    """
    writers = LetterRuns(other)
    lines = [line for path in _letter_files(state, other) for line in _letters_of(path)]
    letters: list[NumberedLetter] = []
    with connection.transaction():
        taken, next_numbers = _taken_before(connection, runs.values())
        for line in lines:
            digest = sha256(line).digest()
            if taken[digest]:
                taken[digest] -= 1
                continue
            facts = facts_of(line)
            run = runs.get(writers.find(facts.source, facts.at), 0)
            letters.append(NumberedLetter(run, next_numbers[run], line))
            next_numbers[run] += 1
        insert_letters(connection, letters)
    return len(lines)


def _taken_before(
    connection: Connection, runs: Collection[int]
) -> tuple[Counter[bytes], Counter[int]]:
    """Count the letters of these runs by their digests, and give the next number of each run."""
    digests: Counter[bytes] = Counter()
    numbers: Counter[int] = Counter()
    for run, number, digest in connection.execute(_TAKEN, ([*runs],)):
        digests[digest] += 1
        numbers[run] = max(numbers[run], number + 1)
    return digests, numbers


def _letter_files(state: StateFolder, other: sqlite3.Connection) -> Iterator[Path]:
    for path in aside_files(state.dead_letters):
        if not is_finished(other, identify(path), ASIDE_SETTINGS):
            yield path
    if state.dead_letters.exists():
        yield state.dead_letters


def _letters_of(path: Path) -> list[bytes]:
    lines = path.read_bytes().split(b"\n")[:-1]  # what a crash tore has no newline
    return [line for line in lines if line.startswith(LETTER_START)]
