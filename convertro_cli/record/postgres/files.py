"""The files of all runs: which are done, and which run holds which."""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import Any

from psycopg import Connection

from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record.ledger import FileClaim
from convertro_cli.record.postgres import lease as leases
from convertro_cli.record.postgres.session import Session

_LOOKS_FOR_LOST_EVERY = 1.0

_FINISHED = "SELECT finished_at FROM files WHERE file = %s"
# Not for a run that was taken over itself.
_HOLD = """
INSERT INTO held_files (file, path, run)
SELECT %(file)b, %(path)s, run FROM leases WHERE run = %(run)s
ON CONFLICT (file) DO UPDATE SET run = EXCLUDED.run, path = EXCLUDED.path
WHERE held_files.run = EXCLUDED.run
OR NOT EXISTS (SELECT FROM leases WHERE leases.run = held_files.run)
RETURNING run
"""
_LET_GO = "DELETE FROM held_files WHERE file = %s AND run = %s"
_FINISH = """
INSERT INTO files (file, path, size, run)
SELECT %(file)b, %(path)s, %(size)s, run FROM leases WHERE run = %(run)s
ON CONFLICT (file) DO UPDATE SET run = EXCLUDED.run, finished_at = EXCLUDED.finished_at
"""


class HeldFiles:
    """Asks for files, one at a time; what is asked for twice is still held once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._run = 0
        self._began: Any = None
        self._looked_at = float("-inf")

    def begin(self, run: int, began: object) -> None:
        """Ask in the name of a run, which began at a moment of the database's clock."""
        self._run, self._began = run, began

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def claim(self, identity: FileIdentity, settings: bytes, *, again: bool) -> FileClaim:
        """Ask for a file: it is this run's now, or was replayed to its end, or is another's.

        With ``again`` only what was replayed since this run began counts.
        """
        file = digest_of(identity, settings)
        parameters = {"file": file, "path": identity.path, "run": self._run}

        def claim(connection: Connection) -> FileClaim:
            with connection.transaction():
                if self._is_done(connection, file, again=again):
                    return FileClaim.FINISHED
                if connection.execute(_HOLD, parameters).fetchone() is None:
                    return FileClaim.HELD
            # It may have been finished between the one look and the other.
            if self._is_done(connection, file, again=again):
                connection.execute(_LET_GO, (file, self._run))
                return FileClaim.FINISHED
            return FileClaim.GRANTED

        found = self._session.do(claim)
        if found is FileClaim.HELD:
            self._look_for_lost_runs()
        return found

    def release(self, identity: FileIdentity, settings: bytes) -> None:
        """Leave a file to whoever wants it. Nothing happens where it is not this run's."""
        parameters = (digest_of(identity, settings), self._run)
        self._session.do(lambda connection: connection.execute(_LET_GO, parameters))

    def _is_done(self, connection: Connection, file: bytes, *, again: bool) -> bool:
        row = connection.execute(_FINISHED, (file,)).fetchone()
        return row is not None and (not again or row[0] >= self._began)

    def _look_for_lost_runs(self) -> None:
        now = time.monotonic()
        if now - self._looked_at >= _LOOKS_FOR_LOST_EVERY:
            self._looked_at = now
            leases.bury_lost_runs(self._session, self._run)


def is_finished(connection: Connection, identity: FileIdentity, settings: bytes) -> bool:
    """Whether this very file was replayed to its end under these settings."""
    row = connection.execute(_FINISHED, (digest_of(identity, settings),)).fetchone()
    return row is not None


def finish_file(connection: Connection, run: int, identity: FileIdentity, settings: bytes) -> None:
    """Note that a file was replayed to its end, and let go of it."""
    file = digest_of(identity, settings)
    parameters = {"file": file, "path": identity.path, "size": identity.size, "run": run}
    with connection.transaction():
        connection.execute(_FINISH, parameters)
        connection.execute(_LET_GO, (file, run))


def digest_of(identity: FileIdentity, settings: bytes) -> bytes:
    """Give the 16 bytes that a file is known by, under some settings."""
    parts = (identity.path, str(identity.size), str(identity.mtime_ns))
    text = "\0".join(parts).encode() + b"\0" + identity.edges + settings
    return blake2b(text, digest_size=16).digest()
