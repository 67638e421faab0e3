"""Which files were replayed to their end before, asked for many at a time."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Protocol

from convertro_cli.reading.export_set import ExportFile
from convertro_cli.reading.identity import FileIdentity, is_still, real_path
from convertro_cli.record.dead_letters import ASIDE_SETTINGS
from convertro_cli.record.state import StateFolder


class FinishedFiles(Protocol):
    """Knows the files that were replayed to their end: a ledger, open to write or to look."""

    def is_finished(self, identity: FileIdentity, settings: bytes) -> bool:
        """Whether this very file was replayed to its end under these settings."""

    def find_finished(self, paths: Sequence[str], settings: bytes) -> Mapping[str, FileIdentity]:
        """Give those of these paths that were replayed so, each as it was then."""


class ReplayedFiles:
    """Tells the files that need not be read again under the settings of this ``digest``.

    A file of this machine is opened only where all that a list shows of it is as it was.
    """

    def __init__(self, finished: FinishedFiles, state: StateFolder, digest: bytes) -> None:
        self._finished = finished
        self._state = os.path.realpath(state.path)
        self._digest = digest

    def digest_for(self, path: str) -> bytes:
        """Give the digest of the settings under which a file counts as replayed.

        Dead letters that were set aside are tried once, whatever the settings are.
        """
        return ASIDE_SETTINGS if path.rpartition("/")[0] == self._state else self._digest

    def unread_of(self, files: Sequence[ExportFile]) -> list[ExportFile]:
        """Give those of these files that were not replayed to their end."""
        names = [_name_of(file) for file in files]
        by_digest: defaultdict[bytes, list[str]] = defaultdict(list)
        for name in filter(None, names):
            by_digest[self.digest_for(name)].append(name)
        known: dict[str, FileIdentity] = {}
        for digest, some in by_digest.items():
            known.update(self._finished.find_finished(some, digest))
        return [
            file
            for file, name in zip(files, names, strict=True)
            if name is None or not _is_still(file, known.get(name))
        ]


def _name_of(file: ExportFile) -> str | None:
    """What the ledger knows a file by, if it can know it."""
    if file.place is not None:
        identity = file.place.identity
        return identity.path if identity is not None else None
    return real_path(file.path) if file.path is not None and file.size is not None else None


def _is_still(file: ExportFile, then: FileIdentity | None) -> bool:
    if then is None:
        return False
    if file.place is not None:
        return file.place.identity == then
    if file.path is None or (file.size, file.mtime_ns) != (then.size, then.mtime_ns):
        return False
    try:
        return is_still(file.path, then)
    except OSError:
        return False  # reading it will tell what is wrong
