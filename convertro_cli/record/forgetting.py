"""Takes suppressed users' events out of the dead letters, for good."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import Struct
from msgspec.structs import replace

from convertro_cli.mapping.dead_letter import unwrap
from convertro_cli.reading.identity import identify
from convertro_cli.record.dead_letters import ASIDE_SETTINGS, aside_files, told
from convertro_cli.record.postgres.address import LedgerUrl
from convertro_cli.record.sqlite_ledger import SqliteLedger
from convertro_cli.record.state import StateFolder, open_private
from convertro_cli.segment.ids import read_id
from convertro_cli.segment.json_text import read_json_exactly


class Forgotten(Struct):
    """What was found in a place of dead letters, in lines. ``unreadable`` ones are among the kept.

    Their user cannot be told: they are no JSON, or no dead letters. The place is a file, or a
    ledger in a database.
    """

    where: Path | LedgerUrl
    removed: int = 0
    kept: int = 0
    unreadable: int = 0


def dead_letter_files(state: StateFolder) -> list[Path]:
    """Give the files of dead letters: those set aside, oldest first, and the current one."""
    current = [state.dead_letters] if state.dead_letters.exists() else []
    return aside_files(state.dead_letters) + current


def count_suppressed(state: StateFolder, suppressed: Container[str]) -> list[Forgotten]:
    """Count the lines that ``forget_suppressed`` would remove. Changes nothing."""
    return [_look_at(path, suppressed)[0] for path in dead_letter_files(state)]


def forget_suppressed(
    state: StateFolder, ledger: SqliteLedger | None, suppressed: Container[str]
) -> list[Forgotten]:
    """Remove the lines of suppressed users from all files of dead letters.

    A file is replaced by one without them, whole and on disk, so that a crash leaves the one or
    the other; one without such lines stays as it is. One that was tried to its end is noted as
    such again, for it is another file now. The caller holds the run's lock. Raises ConvertroError
    with exit code 74 where a file cannot be written.
    """
    partial = state.dead_letters.with_suffix(".partial")
    with told(partial):
        partial.unlink(missing_ok=True)  # a crash may have left one
    return [_forget_in(path, partial, ledger, suppressed) for path in dead_letter_files(state)]


def _look_at(path: Path, suppressed: Container[str]) -> tuple[Forgotten, bool]:
    """Count a file's lines; give whether it has any that must go."""
    count = Forgotten(path)
    with told(path), path.open("rb") as letters:
        kept = sum(map(len, _kept_lines(letters, suppressed, count)))
        return count, kept != letters.tell()


def _forget_in(
    path: Path, partial: Path, ledger: SqliteLedger | None, suppressed: Container[str]
) -> Forgotten:
    count, must_change = _look_at(path, suppressed)
    if must_change:
        with told(path):
            try:
                with path.open("rb") as letters, _open_new(partial) as kept:
                    kept.writelines(_kept_lines(letters, suppressed, Forgotten(path)))
                    kept.flush()
                    os.fsync(kept.fileno())
                _replace(path, partial, ledger)
            finally:
                partial.unlink(missing_ok=True)
    return count


def _replace(path: Path, partial: Path, ledger: SqliteLedger | None) -> None:
    if not partial.stat().st_size:
        path.unlink()
    else:
        before = identify(path)
        if ledger is not None and ledger.is_finished(before, ASIDE_SETTINGS):
            after = replace(identify(partial), path=before.path)
            ledger.refinish_file(after, ASIDE_SETTINGS)
        partial.replace(path)
    _sync_folder(path.parent)


def _kept_lines(letters: BinaryIO, suppressed: Container[str], count: Forgotten) -> Iterator[bytes]:
    """Give the lines to keep, and count. Half a line that a crash left at the end is none."""
    for line in letters:
        if stays(line, suppressed, count):
            yield line


def stays(line: bytes, suppressed: Container[str], count: Forgotten) -> bool:
    """Whether a line is to be kept; it is counted. One without an end that is no event is not."""
    event = _event_of(line)
    user_id = read_id(event.get("userId")) if event is not None else None
    if user_id is not None and user_id in suppressed:
        count.removed += 1
        return False
    if event is None and not line.endswith(b"\n"):
        return False
    count.unreadable += event is None and not line.isspace()
    count.kept += not line.isspace()
    return True


def _event_of(line: bytes) -> dict[str, Any] | None:
    """Give the event in a dead letter; None where the line or the event in it is no JSON object."""
    candidate = _read_object(line)
    if candidate is None or "type" in candidate:
        return candidate  # an event as it is, which a replay of this file takes, too
    if "reason" in candidate and isinstance(candidate.get("event"), dict):
        event: dict[str, Any] = candidate["event"]
        return event
    letter = unwrap(candidate, line)
    return None if letter is None else _read_object(letter.original)


def _read_object(content: bytes) -> dict[str, Any] | None:
    """Read a JSON object with all the digits of its numbers, and with halves of characters."""
    try:
        value = read_json_exactly(content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


@contextmanager
def _open_new(path: Path) -> Iterator[BinaryIO]:
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    with os.fdopen(descriptor, "wb") as stream:
        yield stream


def _sync_folder(folder: Path) -> None:
    """Have the new name on disk: after a power cut the old file must not be there again."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
