"""The dead-letter file: the events that failed for good, with their original bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Protocol

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.mapping.dead_letter import wrap
from convertro_cli.record.state import open_private

ASIDE_SETTINGS = b""
"""What stands in the ledger for the settings under which dead letters set aside were tried.

They are tried once, whatever the settings are.
"""

_BLOCK = 64 * 1024


class DeadLetters(Protocol):
    """Where dead letters go: ``add`` collects them, ``append`` keeps what ``take`` gave."""

    def add(
        self,
        original: bytes,
        *,
        reason: str,
        detail: str,
        source: str,
        answer: tuple[int, str] | None = None,
        length: int = 0,
    ) -> None:
        """Keep an event to be written; see ``wrap`` for what is kept of it."""

    def take(self) -> bytes:
        """Give the lines of all that was added since the last time."""

    def append(self, lines: bytes) -> None:
        """Keep lines for good, all of them or nothing. Raises ConvertroError."""

    def close(self) -> None:
        """Let go of what was opened."""


class CollectedLetters:
    """Collects dead letters as lines until they are taken.

    The two may be done in different threads; what is handed over is what ``take`` gives.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._waiting: list[bytes] = []

    def add(
        self,
        original: bytes,
        *,
        reason: str,
        detail: str,
        source: str,
        answer: tuple[int, str] | None = None,
        length: int = 0,
    ) -> None:
        """Keep an event to be written; see ``wrap`` for what is kept of it."""
        at = self._now().isoformat(timespec="seconds")
        line = wrap(
            original,
            reason=reason,
            detail=detail,
            source=source,
            at=at,
            answer=answer,
            length=length,
        )
        self._waiting.append(line)

    def take(self) -> bytes:
        """Give the lines of all that was added since the last time."""
        lines, self._waiting = self._waiting, []
        return b"".join(lines)


class DeadLetterFile(CollectedLetters):
    """Appends dead letters: ``add`` collects them, ``append`` puts them on disk."""

    def __init__(
        self, path: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(now)
        self.path = path
        self._descriptor: int | None = None

    def append(self, lines: bytes) -> None:
        """Put lines on disk, all of them or nothing.

        Raises ConvertroError with exit code 74 where the file cannot be written.
        """
        if not lines:
            return
        with told(self.path):
            if self._descriptor is not None and not _is_at(self.path, self._descriptor):
                self.close()  # somebody took the file away: what fails now goes into a new one
            if self._descriptor is None:
                self._descriptor = open_private(self.path, os.O_RDWR | os.O_CREAT)
                _drop_torn_line(self._descriptor)
            end = os.lseek(self._descriptor, 0, os.SEEK_END)
            try:
                _write_all(self._descriptor, lines)
                os.fsync(self._descriptor)
            except OSError:
                os.ftruncate(self._descriptor, end)
                raise

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def set_aside(path: Path, *, now: datetime) -> Path | None:
    """Rename a dead-letter file with a time stamp, so that it can be replayed.

    What fails once more goes into a new file. Gives the new name; None where there is no file.
    """
    with told(path):
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            _drop_torn_line(descriptor)
        finally:
            os.close(descriptor)
        aside = _free_name(path, now.strftime("%Y%m%dT%H%M%SZ"))
        path.rename(aside)
        return aside


def _free_name(path: Path, stamp: str) -> Path:
    """Give a name with the stamp that no file has yet."""
    suffixes = (f"-{number}" if number else "" for number in count())
    names = (path.with_name(f"{path.stem}.{stamp}{end}{path.suffix}") for end in suffixes)
    return next(name for name in names if not name.exists())


def aside_files(path: Path) -> list[Path]:
    """Give the dead-letter files that were set aside before, oldest first."""
    files = path.parent.glob(f"{path.stem}.*{path.suffix}")
    return sorted(files, key=lambda file: file.stem)


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is still the one that others find."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _drop_torn_line(descriptor: int) -> None:
    """Cut off the half of a line that a crash left at the end.

    Its event is not marked as failed in the ledger, which is written after the letter: it will
    be tried again.
    """
    end = os.lseek(descriptor, 0, os.SEEK_END)
    position = end
    while position > 0:
        start = max(0, position - _BLOCK)
        newline = os.pread(descriptor, position - start, start).rfind(b"\n")
        if newline >= 0:
            position = start + newline + 1
            break
        position = start
    if position < end:
        os.ftruncate(descriptor, position)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Tell in a sentence of a dead-letter file that cannot be written."""
    try:
        yield
    except OSError as error:
        raise ConvertroError(
            f"The dead-letter file {path} cannot be written: {error.strerror}.",
            hint="Nothing is lost. Mend it (free some space?) and run the same command again.",
            exit_code=ExitCode.CANNOT_WRITE_STATE,
        ) from None
