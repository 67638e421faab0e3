"""The files of a run that shares its ledger: one after the other, each only while no other has it.

What another run holds is left for later, and asked for again until that run is done with it or is
lost. So all runs that were given the same exports share them out between them, and none of them
ends before all is done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from convertro_cli.reading.export_set import ExportFile, ExportSet, total_size
from convertro_cli.reading.identity import FileIdentity, identify
from convertro_cli.reading.unread import Unread
from convertro_cli.record.ledger import FileClaim, FileClaims


class ClaimedFiles:
    """Gives files to read; each is this run's until it is released by its place among them.

    ``digest_for`` gives the digest of the settings under which a path counts as replayed. Walking
    through it is a pass: it gives what no other run holds, and never waits. ``is_done`` says that
    nothing is left after it; else ``has_news`` tells when another pass is worth it. A pass is
    walked through by one thread, and its files are released by another. What was replayed to its
    end meanwhile is counted among the files that are left unread.
    """

    def __init__(
        self,
        exports: ExportSet,
        claims: FileClaims,
        digest_for: Callable[[str], bytes],
        *,
        again: bool,
    ) -> None:
        self._exports = exports
        self._not_asked: Iterable[ExportFile] = exports
        self._left: list[ExportFile] = []
        self._total_bytes = exports.total_bytes
        self._claims = claims
        self._digest_for = digest_for
        self._again = again
        self._stopped = threading.Event()
        self._held: dict[int, FileIdentity] = {}

    def __iter__(self) -> Iterator[ExportFile]:
        asked, self._not_asked, self._left = self._not_asked, (), []
        place = 0
        for file in asked:
            if self._stopped.is_set():
                return
            identity, found = self._ask(file)
            if found is FileClaim.HELD:
                self._left.append(file)
            elif found is FileClaim.FINISHED:
                self._leave_unread()
            else:
                if identity is not None:
                    self._held[place] = identity
                yield file
                place += 1

    @property
    def is_done(self) -> bool:
        """Whether nothing is left that another run holds."""
        return not self._left

    @property
    def waits_for(self) -> str:
        """The name of a file that another run holds."""
        return self._left[0].name if self._left else ""

    @property
    def total_bytes(self) -> int | None:
        """The size in bytes of what the next pass may give, None where that is not known."""
        return self._total_bytes

    def has_news(self) -> bool:
        """Whether another pass would give anything, or nothing is left."""
        while self._left:
            _, found = self._ask(self._left[0])
            if found is FileClaim.GRANTED:
                self._not_asked, self._total_bytes = self._left, total_size(self._left)
                return True
            file = self._left.pop(0)
            if found is FileClaim.HELD:
                self._left.append(file)
                return False
            self._leave_unread()
        self._not_asked, self._total_bytes = (), 0
        return True

    def stop(self) -> None:
        """Give no more files."""
        self._stopped.set()

    def release(self, place: int, finished: FileIdentity | None = None) -> None:
        """Leave a file to the others: it was read, and all of it is settled.

        ``finished`` is what is about to be noted as replayed to its end, and let go of by that.
        """
        identity = self._held.pop(place, None)
        if identity is not None and identity != finished:
            self._claims.release(identity, self._digest_for(identity.path))

    def _leave_unread(self) -> None:
        self._exports.unread[Unread.ALREADY_REPLAYED] += 1

    def _ask(self, file: ExportFile) -> tuple[FileIdentity | None, FileClaim]:
        identity = _identity_of(file)
        if identity is None:
            return None, FileClaim.GRANTED
        digest = self._digest_for(identity.path)
        return identity, self._claims.claim(identity, digest, again=self._again)


def _identity_of(file: ExportFile) -> FileIdentity | None:
    """Give what a file is known by; None for what is no file, which no other run can have."""
    if file.place is not None:
        return file.place.identity
    if file.path is None or file.size is None:
        return None
    try:
        return identify(Path(file.path))
    except OSError:
        return None  # reading it will tell what is wrong
