"""Waiting for a ledger that another program holds: a backup, or somebody's SQLite shell."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from convertro_cli.errors import ConvertroError, ExitCode

LIMIT = 60.0
"""How long to wait, in seconds: longer than a backup holds it, shorter than anybody's patience."""

_TOLD_AFTER = 1.0
_LOOK_EVERY = 0.05

Result = TypeVar("Result")


class Patience:
    """Tries something again while another program holds the ledger.

    ``notice`` is told in a sentence when that takes more than a moment.
    """

    def __init__(self, path: Path, notice: Callable[[str], None]) -> None:
        self._path = path
        self._notice = notice
        self._since: float | None = None

    @property
    def waited(self) -> float | None:
        """For how many seconds it has been waiting; None while it does not."""
        since = self._since  # another thread may be the one that waits
        return None if since is None else time.monotonic() - since

    def __call__(self, step: Callable[[], Result]) -> Result:
        """Give what a step gives. Raises ConvertroError where it had to wait for too long."""
        told = False
        try:
            while True:
                try:
                    return step()
                except sqlite3.OperationalError as error:
                    if not is_held(error):
                        raise
                if self._since is None:
                    self._since = time.monotonic()
                if (self.waited or 0.0) >= LIMIT:
                    raise held_too_long(self._path)
                if not told and (self.waited or 0.0) >= _TOLD_AFTER:
                    told = True
                    self._notice(
                        f"The ledger {self._path} is held by another program (a backup, an SQLite "
                        f"shell?): waiting for it, {LIMIT:.0f} s at most."
                    )
                time.sleep(_LOOK_EVERY)
        finally:
            self._since = None


def is_held(error: sqlite3.Error) -> bool:
    """Whether SQLite says that another program holds the file."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says more of the same
    return code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def held_too_long(path: Path) -> ConvertroError:
    """Give the error for a ledger that does not come free."""
    return ConvertroError(
        f"The ledger {path} is held by another program, and did not come free.",
        hint=f"End that program (`fuser -v {path}*` names it) and run the same command again. "
        "Nothing is lost.",
        exit_code=ExitCode.CANNOT_WRITE_STATE,
    )
