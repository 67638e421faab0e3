"""What a ledger in a state folder holds, for a run that only looks. Changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from convertro_cli.errors import ConvertroError
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record import schema
from convertro_cli.record.earlier_runs import EarlierRuns, find_earlier_runs
from convertro_cli.record.known_calls import KnownCalls
from convertro_cli.record.ledger import Settled, split_keys
from convertro_cli.record.open_letters import Target
from convertro_cli.record.settled_calls import RecentReader, find_settled
from convertro_cli.record.sqlite_ledger import find_finished, is_finished
from convertro_cli.record.state import StateFolder


class EmbeddedCalls:
    """The calls of a ledger in a state folder, as ``KnownCalls`` has them."""

    def __init__(self, database: sqlite3.Connection, state: StateFolder) -> None:
        self._database = database
        self._state = state
        rows = database.execute("SELECT keys, orders FROM sending").fetchall()
        self._in_doubt = frozenset(key for row in rows for key in split_keys(row[0]))
        self._orders_in_doubt = frozenset(key for row in rows for key in split_keys(row[1]))
        self._recent = RecentReader(database)

    def close(self) -> None:
        """Let go of the ledger."""
        self._database.close()

    def look_up(self, keys: Sequence[bytes]) -> dict[bytes, Settled]:
        """Tell which of these calls are settled, and how. Raises ConvertroError."""
        with _told(self._state):
            self._recent.read_on()  # before the table: what is merged after this is in both
            return find_settled(self._database, keys, self._recent.runs)

    def earlier_runs(self, target: Target) -> EarlierRuns:
        """Give what is known of earlier runs to a target."""
        with _told(self._state):
            return find_earlier_runs(self._database, target)

    @property
    def has_doubts(self) -> bool:
        """Whether any call may have arrived."""
        return bool(self._in_doubt or self._orders_in_doubt)

    def is_in_doubt(self, key: bytes, order_key: bytes = b"") -> bool:
        """Whether a call may have arrived, or one for the same order."""
        return key in self._in_doubt or order_key in self._orders_in_doubt

    def is_finished(self, identity: FileIdentity, settings: bytes) -> bool:
        """Whether this very file was replayed to its end under these settings."""
        with _told(self._state):
            return is_finished(self._database, identity, settings)

    def find_finished(self, paths: Sequence[str], settings: bytes) -> dict[str, FileIdentity]:
        """Give those of these files that were replayed to their end so, each as it was then."""
        with _told(self._state):
            return find_finished(self._database, paths, settings)


@contextmanager
def open_known_calls(state: StateFolder) -> Iterator[KnownCalls | None]:
    """Open the ledger of a state folder to look into it; None where there is none.

    Not a byte of it changes. Raises ConvertroError where it cannot be read: what a dry run says
    without it would not be what the run does.
    """
    with _told(state):
        known = _open(state)
    if known is None:
        yield None
        return
    try:
        yield known
    finally:
        known.close()


def _open(state: StateFolder) -> EmbeddedCalls | None:
    if not schema.check_header(state.ledger):
        return None
    schema.check_content(state.ledger)
    uri = schema.uri_to_read(state.ledger)
    # Files are looked for in the thread that finds them, calls in another.
    database = sqlite3.connect(
        uri, uri=True, isolation_level=None, timeout=10, check_same_thread=False
    )
    try:
        return EmbeddedCalls(database, state)
    except BaseException:
        database.close()
        raise


@contextmanager
def _told(state: StateFolder) -> Iterator[None]:
    try:
        yield
    except ConvertroError as error:
        raise _with_a_way_out(error) from None
    except sqlite3.DatabaseError as error:
        damaged = "malformed" in str(error) or "not a database" in str(error)
        what = "is damaged" if damaged else f"cannot be read: {error}"
        raise _with_a_way_out(schema.refuse(state.ledger, what)) from None


def _with_a_way_out(error: ConvertroError) -> ConvertroError:
    return ConvertroError(
        error.message,
        hint=f"{error.hint} A dry run can leave it aside: --no-ledger.",
        exit_code=error.exit_code,
    )
