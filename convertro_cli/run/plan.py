"""What a replay is to do: which files it reads, under which rules, and when a file is done."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.export_set import ExportSet
from convertro_cli.reading.identity import identify
from convertro_cli.reading.listed import TellCount
from convertro_cli.reading.paths import is_address
from convertro_cli.reading.unread import Unread
from convertro_cli.record.dead_letters import ASIDE_SETTINGS, aside_files, set_aside
from convertro_cli.record.ledger import Ledger
from convertro_cli.record.state import StateFolder
from convertro_cli.run.failures import FailureLimit
from convertro_cli.run.replayed import FinishedFiles, ReplayedFiles
from convertro_cli.run.selected import find_selected, own_files
from convertro_cli.settings.compile import compile_loaded
from convertro_cli.settings.load import LoadedSettings

if TYPE_CHECKING:  # a dry run need not load what delivers
    from convertro_cli.delivery.canary import CanaryOptions


class ReplayOptions(Struct, frozen=True):
    """How to replay. ``workers`` is None for the default, ``command`` what the user typed.

    With ``dead_letters`` those of the ledger are tried again, wherever they are kept.
    """

    workers: int | None = None
    limit: int | None = None
    resend: bool = False
    reread: bool = False
    at_most_once: bool = False
    max_failed: FailureLimit | None = None
    canary: CanaryOptions | None = None
    dead_letters: bool = False
    command: str = "replay"


class JobBundle(Struct, frozen=True):
    """Some of the exports of a replay that is spread over a cluster, for one run to replay.

    ``job`` is the replay's number in the ledger, ``bundle`` that of these exports in it;
    ``settings`` the digest of the settings, some of which may lie in files that are not here.
    ``begun`` is when the replay began, in Unix seconds.
    """

    job: int
    bundle: int
    exports: ExportSet
    settings: bytes
    begun: float


class Plan:
    """What a run is to do: which files, under which rules, and whether they count as whole.

    ``settings`` is the digest of the settings that it does it under. A ``bundle`` has its files
    with it.
    """

    def __init__(
        self,
        loaded: LoadedSettings,
        state: StateFolder,
        ledger: Ledger,
        selection: Selection,
        options: ReplayOptions,
        bundle: JobBundle | None = None,
    ) -> None:
        begun = bundle.begun if bundle is not None else None
        self.rules = compile_loaded(loaded, selection, begun=begun)
        self.options = options
        self.takes_whole_files = not selection and options.limit is None
        self._filters = selection
        self._own = own_files(loaded)
        self._state = state
        self._ledger = ledger
        self._storage = loaded.storage
        self._bundle = bundle
        self.settings = digest_settings(loaded) if bundle is None else bundle.settings
        self._replayed = ReplayedFiles(ledger, state, self.settings)
        self._letters: list[Path] = []

    def digest_for(self, path: str) -> bytes:
        """Give the digest of the settings under which a file counts as replayed."""
        return self._replayed.digest_for(path)

    def find(self, arguments: Sequence[str], tell: TellCount | None = None) -> ExportSet:
        """Find the files to read. Dead letters are set aside first, so that new ones can come.

        ``tell`` hears how many were found so far.
        """
        if self._bundle is not None:
            return self._bundle.exports
        paths: list[str] = []
        letters = self._state.dead_letters.resolve()
        for argument in arguments:
            if _is_file(argument) and Path(argument).resolve() == letters:
                self._letters = self._dead_letter_files()
                paths += [str(path) for path in self._letters]
            else:
                paths.append(argument)
        if not paths:
            return ExportSet(())
        found = find_selected(paths, self._filters, own=self._own, storage=self._storage, tell=tell)
        if self.options.reread or self.options.resend:
            return found
        return found.sifted(self._replayed.unread_of, Unread.ALREADY_REPLAYED)

    def notes(self, skipped: int) -> list[str]:
        """Say where dead letters are that this run read and skipped: no later one comes to them."""
        if not (self._letters and skipped):
            return []
        command = shlex.join(["convertro", "replay", "--reread", *map(str, self._letters)])
        return [
            f"{skipped:,} of what was read {'was' if skipped == 1 else 'were'} skipped under these "
            "settings. A dead letter that is skipped is open no more, and is kept only in the file "
            f"set aside; under other settings, try it again with: {command}"
        ]

    def _dead_letter_files(self) -> list[Path]:
        letters = self._state.dead_letters
        set_aside(letters, now=datetime.now(UTC))
        return [
            path
            for path in aside_files(letters)
            if not self._ledger.is_finished(identify(path), ASIDE_SETTINGS)
        ]


def letters_in_place(
    arguments: Sequence[str], state: StateFolder, ledger: FinishedFiles | None
) -> list[str]:
    """Give the files that a replay would read, dead letters where they are.

    A replay sets them aside first, and reads those that were set aside before and are not done.
    """
    paths: list[str] = []
    letters = state.dead_letters.resolve()
    for argument in arguments:
        if _is_file(argument) and Path(argument).resolve() == letters:
            aside = aside_files(state.dead_letters)
            paths += [
                str(path)
                for path in aside
                if ledger is None or not ledger.is_finished(identify(path), ASIDE_SETTINGS)
            ]
        paths.append(argument)
    return paths


def _is_file(argument: str) -> bool:
    return argument != "-" and not is_address(argument)


def digest_settings(loaded: LoadedSettings) -> bytes:
    """Give a digest of all settings that decide what is sent, and where to.

    Raises ConvertroError where a file that they name has gone since it was read.
    """
    digest = blake2b(digest_size=16)
    digest.update(loaded.settings.model_dump_json(exclude={"delivery", "storage"}).encode())
    for part in loaded.digest_parts():
        digest.update(part)
    return digest.digest()
