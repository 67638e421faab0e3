"""The files of all runs: which are done, and which run holds which."""

from __future__ import annotations

import time
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from psycopg import Connection

from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record.ledger import FileClaim, FinishedFile
from convertro_cli.record.postgres import lease as leases
from convertro_cli.record.postgres.session import Session

_LOOKS_FOR_LOST_EVERY = 1.0

_IS_FINISHED = "SELECT FROM files WHERE file = %s"
_FINISHED = """
SELECT file FROM files WHERE file = ANY (%(files)s::bytea[])
AND (NOT %(again)s OR finished_at >= %(began)s)
"""
# Not for a run that was taken over itself. What another one holds is left out beforehand: to be
# refused a row is to lock it.
_HOLD = """
INSERT INTO held_files (file, path, run)
SELECT wanted.file, wanted.path, ours.run
FROM unnest(%(files)s::bytea[], %(paths)s::text[]) AS wanted (file, path)
JOIN leases AS ours ON ours.run = %(run)s
LEFT JOIN held_files AS held ON held.file = wanted.file
LEFT JOIN leases AS theirs ON theirs.run = held.run
WHERE (held.run = ours.run OR theirs.run IS NULL)
AND NOT EXISTS (
    SELECT FROM files
    WHERE files.file = wanted.file AND (NOT %(again)s OR finished_at >= %(began)s))
ORDER BY wanted.file
ON CONFLICT (file) DO UPDATE SET run = EXCLUDED.run, path = EXCLUDED.path
WHERE held_files.run = EXCLUDED.run
OR NOT EXISTS (SELECT FROM leases WHERE leases.run = held_files.run)
RETURNING file
"""
_LET_GO = "DELETE FROM held_files WHERE file = ANY (%(files)s::bytea[]) AND run = %(run)s"
# In an order that keeps runs from waiting for each other.
_ALL = """
unnest(%(files)s::bytea[], %(names)s::bytea[], %(paths)s::text[], %(sizes)s::bigint[],
    %(times)s::bigint[], %(edges)s::bytea[]) AS one (file, name, path, size, mtime_ns, edges)
"""
_FINISH = f"""
INSERT INTO files (file, name, path, size, mtime_ns, edges, run)
SELECT file, name, path, size, mtime_ns, edges, %(run)s FROM {_ALL}
ON CONFLICT (file) DO UPDATE SET run = EXCLUDED.run, finished_at = EXCLUDED.finished_at
"""  # noqa: S608 - nothing but what stands above
_FINISH_BEFORE = f"""
INSERT INTO files (file, name, path, size, mtime_ns, edges, run, finished_at)
SELECT file, name, path, size, mtime_ns, edges, %(run)s, %(at)s::timestamptz FROM {_ALL}
ON CONFLICT (file) DO NOTHING
"""  # noqa: S608
_FIND_FINISHED = """
SELECT DISTINCT ON (name) path, size, mtime_ns, edges
FROM unnest(%s::bytea[]) AS wanted (name) JOIN files USING (name)
ORDER BY name, finished_at DESC
"""


class HeldFiles:
    """Asks for files; what is asked for twice is still held once."""

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

    def find_finished(self, paths: Sequence[str], settings: bytes) -> dict[str, FileIdentity]:
        """Give those of these files that were replayed to their end so, each as it was then."""
        return self._session.do(lambda connection: find_finished(connection, paths, settings))

    def claim(self, files: Sequence[tuple[FileIdentity, bytes]], *, again: bool) -> list[FileClaim]:
        """Ask for files: each is this run's now, or was replayed to its end, or is another's.

        With ``again`` only what was replayed since this run began counts.
        """
        digests = [digest_of(identity, settings) for identity, settings in files]
        paths = {digest: file.path for digest, (file, _) in zip(digests, files, strict=True)}
        parameters = {
            "files": list(paths),
            "paths": list(paths.values()),
            "run": self._run,
            "again": again,
            "began": self._began,
        }

        def claim(connection: Connection) -> tuple[set[bytes], set[bytes]]:
            ours = {file for (file,) in connection.execute(_HOLD, parameters, binary=True)}
            done = {file for (file,) in connection.execute(_FINISHED, parameters, binary=True)}
            if both := ours & done:  # it was finished while this run asked for it
                connection.execute(_LET_GO, {"files": list(both), "run": self._run})
            return ours, done

        ours, done = self._session.do(claim)
        if any(digest not in ours and digest not in done for digest in digests):
            self._look_for_lost_runs()
        return [
            FileClaim.FINISHED
            if digest in done
            else FileClaim.GRANTED
            if digest in ours
            else FileClaim.HELD
            for digest in digests
        ]

    def release(self, files: Sequence[tuple[FileIdentity, bytes]]) -> None:
        """Leave files to whoever wants them. Nothing happens to what is not this run's."""
        parameters = {"files": [digest_of(*file) for file in files], "run": self._run}
        self._session.do(lambda connection: connection.execute(_LET_GO, parameters))

    def _look_for_lost_runs(self) -> None:
        now = time.monotonic()
        if now - self._looked_at >= _LOOKS_FOR_LOST_EVERY:
            self._looked_at = now
            leases.bury_lost_runs(self._session, self._run)


def is_finished(connection: Connection, identity: FileIdentity, settings: bytes) -> bool:
    """Whether this very file was replayed to its end under these settings."""
    row = connection.execute(_IS_FINISHED, (digest_of(identity, settings),)).fetchone()
    return row is not None


def find_finished(
    connection: Connection, paths: Sequence[str], settings: bytes
) -> dict[str, FileIdentity]:
    """Look files up by their paths; of one that was replayed so in several states, the latest."""
    names = [_name_of(path, settings) for path in paths]
    rows = connection.execute(_FIND_FINISHED, (names,), binary=True)
    return {path: FileIdentity(path, *rest) for path, *rest in rows}


def finish_files(connection: Connection, run: int, finished: Sequence[FinishedFile]) -> None:
    """Note that files were replayed to their end, and let go of them, as part of a transaction."""
    parameters = {"run": run, **_columns(finished)}
    connection.execute(_FINISH, parameters)
    connection.execute(_LET_GO, parameters)


def finish_before(connection: Connection, run: int, finished: FinishedFile, at: str) -> None:
    """Note that a file was replayed to its end at another time (ISO 8601), unless that is known."""
    connection.execute(_FINISH_BEFORE, {"run": run, "at": at, **_columns([finished])})


def _columns(finished: Sequence[FinishedFile]) -> dict[str, Any]:
    rows = {digest_of(identity, settings): (identity, settings) for identity, settings in finished}
    digests = sorted(rows)
    identities = [rows[digest][0] for digest in digests]
    return {
        "files": digests,
        "names": [_name_of(rows[digest][0].path, rows[digest][1]) for digest in digests],
        "paths": [identity.path for identity in identities],
        "sizes": [identity.size for identity in identities],
        "times": [identity.mtime_ns for identity in identities],
        "edges": [identity.edges for identity in identities],
    }


def digest_of(identity: FileIdentity, settings: bytes) -> bytes:
    """Give the 16 bytes that a file is known by, under some settings."""
    parts = (identity.path, str(identity.size), str(identity.mtime_ns))
    text = "\0".join(parts).encode() + b"\0" + identity.edges + settings
    return blake2b(text, digest_size=16).digest()


def _name_of(path: str, settings: bytes) -> bytes:
    """Give the 16 bytes for a file of this name, whatever is in it, under some settings."""
    return blake2b(path.encode() + b"\0" + settings, digest_size=16).digest()
