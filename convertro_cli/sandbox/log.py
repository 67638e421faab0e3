"""The sandbox's log: a JSON line for each request, whole in the file before the request is
answered."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

import orjson

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.json_text import harmless

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_START = b'{"at":"'


class Record(TypedDict):
    """A line of the log. ``at`` is an ISO 8601 time in UTC; ``call`` is null for an unknown path;
    ``repeat`` says that the same path and query had been accepted before."""

    at: str
    call: str | None
    path: str
    params: dict[str, str]
    status: int
    repeat: bool


def written_time(unix_s: float) -> str:
    """A moment as ``2024-03-01T10:20:30.500Z``."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class RequestLog:
    """Appends records to a file of mode 0600: they hold whatever the export holds.

    Safe from several threads. Raises ``ConvertroError`` when the file cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            _refuse_other_files(path)
            self._fd = os.dup(1) if str(path) == "-" else os.open(path, _APPEND, 0o600)
        except OSError as error:
            raise ConvertroError(
                f"The log {str(path)!r} cannot be opened: {error.strerror}.",
                hint="Give --log a file in a folder that is there and that you may write to.",
                exit_code=ExitCode.CANNOT_WRITE_STATE,
            ) from error
        self._is_terminal = os.isatty(self._fd)
        self._regular = str(path) != "-" and stat.S_ISREG(os.fstat(self._fd).st_mode)
        if self._regular:
            with contextlib.suppress(OSError):  # not the owner: then the mode is the owner's choice
                os.fchmod(self._fd, 0o600)

    def write(self, record: Record) -> None:
        """Appends one line, whole or not at all."""
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        if self._is_terminal:
            line = harmless(line)
        with self._lock:
            written = 0
            try:
                while written < len(line):
                    written += os.write(self._fd, line[written:])
            except OSError as error:
                self._take_back(written)
                raise ConvertroError(
                    f"The log {str(self._path)!r} cannot be written: {error.strerror}.",
                    hint="Make room, or give --log another file.",
                    exit_code=ExitCode.CANNOT_WRITE_STATE,
                ) from error

    def close(self) -> None:
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def _take_back(self, written: int) -> None:
        """Removes the beginning of a line for whose end there was no room."""
        if self._regular and written:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)


def _refuse_other_files(path: Path) -> None:
    """Raise ConvertroError for a file that is no log: an export, settings or a ledger."""
    if not path.is_file():
        return
    with path.open("rb") as stream:
        start = stream.read(len(_START))
    if start and start != _START:
        raise ConvertroError(
            f"{path} is no log of the sandbox, and is left as it is.",
            hint="Give --log another file.",
        )
