"""The state folder: private to its owner, and used by one run at a time."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from msgspec import Struct

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record.claim import FolderClaim
from convertro_cli.record.held import HeldFile, identity_of
from convertro_cli.record.mounts import refuse_remote

FOLDER_MODE = 0o700
FILE_MODE = 0o600

LETTERS_AGAIN = "letters-again-"
"""How the names of files begin in which dead letters of a database are tried again."""

_PREFIXES = ("ledger.db", "dead-letters.", "waiting.db", LETTERS_AGAIN)
_NAMED_WITHIN = 1.0


class StateFolder(Struct, frozen=True):
    """Where a replay keeps its state. Exports hold personal data, so only the owner may look."""

    path: Path

    @property
    def ledger(self) -> Path:
        """The file of the ledger."""
        return self.path / "ledger.db"

    @property
    def dead_letters(self) -> Path:
        """The file of the dead letters."""
        return self.path / "dead-letters.ndjson"

    @property
    def lock(self) -> Path:
        """The file that a run holds locked."""
        return self.path / "lock"

    def files(self) -> list[Path]:
        """Give the files of the state, those that are there and those that may come."""
        try:
            there = [path for path in self.path.iterdir() if _is_ours(path)]
        except OSError:
            there = []
        return [self.ledger, self.dead_letters, self.lock, *there]

    def create(self, *, for_ledger: bool = True) -> None:
        """Make the folder, or close one that others could look into.

        One with anything else in it stays as it is: it is not ours alone, and the files that are
        ours are closed anyway. One ``for_ledger`` must be on a disk of this machine.
        """
        try:
            for folder in reversed([self.path, *self.path.parents]):
                folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            mode = self.path.stat().st_mode
            if mode & ~FOLDER_MODE & 0o777 and all(map(_is_ours, self.path.iterdir())):
                self.path.chmod(mode & FOLDER_MODE)
        except OSError as error:
            raise ConvertroError(
                f"The state folder {self.path} cannot be used: {error.strerror}.",
                hint="Mend it, or name another folder with --state.",
                exit_code=ExitCode.CANNOT_WRITE_STATE,
            ) from None
        if for_ledger:
            refuse_remote(self.ledger)


def _is_ours(path: Path) -> bool:
    return path.name == "lock" or path.name.startswith(_PREFIXES)


def open_private(path: Path, flags: int) -> int:
    """Open a file of the state folder, made readable for its owner only."""
    return os.open(path, flags | os.O_CLOEXEC, FILE_MODE)


class RunLock:
    """Held while a run uses the state folder; the kernel lets go of it however the run ends.

    What is locked is a file, which can name its holder, and the folder, which outlives the file.
    """

    def __init__(self, path: Path, command: str) -> None:
        self._path = path
        self._command = command
        self._descriptor: int | None = None
        self._claim = FolderClaim(path.parent)
        self._held: HeldFile | None = None

    def __enter__(self) -> RunLock:
        try:
            descriptor = open_private(self._path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise ConvertroError(
                f"The lock {self._path} cannot be opened: {error.strerror}.",
                exit_code=ExitCode.CANNOT_WRITE_STATE,
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = _describe(_read_holder(descriptor))
            os.close(descriptor)
            raise ConvertroError(
                f"Another run holds {self._path}: {holder}.",
                hint="Two runs on one ledger would send events twice. Try again when it has ended.",
                exit_code=ExitCode.TRY_LATER,
            ) from None
        if not self._claim.take():
            os.close(descriptor)
            raise ConvertroError(
                f"Another run holds {self._path.parent}, although its lock file was removed.",
                hint="Two runs on one ledger would send events twice. Try again when it has ended.",
                exit_code=ExitCode.TRY_LATER,
            )
        self._descriptor = descriptor
        self._held = HeldFile("The lock", self._path, identity_of(os.fstat(descriptor)))
        self._write_holder(descriptor)
        return self

    def check(self) -> None:
        """Raise ConvertroError with exit code 74 where the lock file was removed or replaced."""
        if self._held is not None:
            self._held.check()

    def __exit__(self, *_: object) -> None:
        self._claim.release()  # before the file: whoever gets that one finds all else free
        if self._descriptor is not None:
            with suppress(OSError):  # the next run must not be taken for this one
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def _write_holder(self, descriptor: int) -> None:
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": self._command,
        }
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, orjson.dumps(holder), 0)
        except OSError:  # a full disk: the lock holds all the same, it only names nobody
            return


def is_under_way(lock: Path) -> bool:
    """Whether a run seems to hold the lock, as far as its file tells; the lock is left alone."""
    try:
        holder = orjson.loads(lock.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return False
    return isinstance(holder, dict) and not _is_gone(holder)


def _read_holder(descriptor: int) -> dict[str, Any]:
    """Read who holds the lock. A run that has only just begun is given a moment to write it."""
    until = time.monotonic() + _NAMED_WITHIN
    while True:
        with suppress(orjson.JSONDecodeError):
            holder = orjson.loads(os.pread(descriptor, 4096, 0))
            if isinstance(holder, dict) and not _is_gone(holder):
                return holder
        if time.monotonic() > until:
            return {}
        time.sleep(0.01)


def _is_gone(holder: dict[str, Any]) -> bool:
    """Whether this is what a run left behind that was killed on this machine."""
    if holder.get("host") != socket.gethostname() or not isinstance(holder.get("pid"), int):
        return False
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return True
    except OSError:  # there, but another user's
        return False
    return False


def _describe(holder: dict[str, Any]) -> str:
    try:
        return (
            f"process {holder['pid']} on {holder['host']}, "
            f"since {holder['since']} (convertro {holder['command']})"
        )
    except KeyError:
        return "a process that did not leave its name"
