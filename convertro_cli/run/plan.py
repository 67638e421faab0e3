"""What a replay is to do: which files it reads, under which rules, and when a file is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.identity import FileIdentity, identify
from convertro_cli.reading.sources import ExportFile, ExportSet, find_exports
from convertro_cli.record.dead_letters import aside_files, set_aside
from convertro_cli.record.ledger import Ledger
from convertro_cli.record.state import StateFolder
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import LoadedSettings


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How to replay. ``workers`` is None for the default, ``command`` what the user typed.

    With ``dead_letters`` those of the ledger are tried again, wherever they are kept.
    """

    workers: int | None = None
    limit: int | None = None
    resend: bool = False
    reread: bool = False
    at_most_once: bool = False
    dead_letters: bool = False
    command: str = "replay"


class Plan:
    """What a run is to do: which files, under which rules, and whether they count as whole."""

    def __init__(
        self,
        loaded: LoadedSettings,
        state: StateFolder,
        ledger: Ledger,
        selection: Selection,
        options: ReplayOptions,
    ) -> None:
        self.rules = compile_rules(loaded.settings, selection)
        self.options = options
        self.takes_whole_files = not selection and options.limit is None
        self._filters = selection
        self._state = state
        self._ledger = ledger
        self._settings_digest = digest_settings(loaded)

    def digest_for(self, path: str) -> bytes:
        """Give the digest of the settings under which a file counts as replayed."""
        return _digest_for(path, self._state, self._settings_digest)

    def find(self, arguments: Sequence[str]) -> ExportSet:
        """Find the files to read. Dead letters are set aside first, so that new ones can come."""
        paths: list[str] = []
        letters = self._state.dead_letters.resolve()
        for argument in arguments:
            if argument != "-" and Path(argument).resolve() == letters:
                paths += [str(path) for path in self._dead_letter_files()]
            else:
                paths.append(argument)
        if not paths:
            return ExportSet((), 0, 0)
        found = find_exports(paths, since=self._filters.since, until=self._filters.until)
        if self._ledger.files is not None or self.options.reread or self.options.resend:
            return found  # where others share the ledger, each file is asked for in its turn
        files = tuple(file for file in found.files if not self._was_replayed(file))
        sizes = [file.size for file in files]
        total = None if None in sizes else sum(size for size in sizes if size is not None)
        return ExportSet(files, found.skipped + len(found.files) - len(files), total)

    def _dead_letter_files(self) -> list[Path]:
        letters = self._state.dead_letters
        set_aside(letters, now=datetime.now(UTC))
        return [
            path
            for path in aside_files(letters)
            if not self._ledger.is_finished(identify(path), b"")
        ]

    def _was_replayed(self, file: ExportFile) -> bool:
        return was_replayed(file, self._ledger, self._state, self._settings_digest)


class FinishedFiles(Protocol):
    """Knows the files that were replayed to their end: a ledger, open to write or to look."""

    def is_finished(self, identity: FileIdentity, settings: bytes) -> bool:
        """Whether this very file was replayed to its end under these settings."""


def was_replayed(
    file: ExportFile, ledger: FinishedFiles, state: StateFolder, settings: bytes
) -> bool:
    """Whether a file was replayed to its end, and is not read again."""
    if file.path is None or file.size is None:
        return False
    try:
        identity = identify(file.path)
    except OSError:
        return False  # reading it will tell what is wrong
    return ledger.is_finished(identity, _digest_for(identity.path, state, settings))


def letters_in_place(
    arguments: Sequence[str], state: StateFolder, ledger: FinishedFiles | None
) -> list[str]:
    """Give the files that a replay would read, dead letters where they are.

    A replay sets them aside first, and reads those that were set aside before and are not done.
    """
    paths: list[str] = []
    letters = state.dead_letters.resolve()
    for argument in arguments:
        if argument != "-" and Path(argument).resolve() == letters:
            aside = aside_files(state.dead_letters)
            paths += [
                str(path)
                for path in aside
                if ledger is None or not ledger.is_finished(identify(path), b"")
            ]
        paths.append(argument)
    return paths


def _digest_for(path: str, state: StateFolder, settings: bytes) -> bytes:
    """Dead letters that were set aside are tried once, whatever the settings are."""
    return b"" if Path(path).parent == state.path.resolve() else settings


def digest_settings(loaded: LoadedSettings) -> bytes:
    """Give a digest of all settings that decide what is sent, and where to."""
    content = loaded.settings.model_dump_json(exclude={"delivery"})
    return blake2b(content.encode(), digest_size=16).digest()
