"""The files of a run that shares its ledger: one after the other, each only while no other has it.

What another run holds is left for later, and asked for again until that run is done with it or is
lost. So all runs that were given the same exports share them out between them, and none of them
ends before all is done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from convertro_cli.reading.identity import FileIdentity, identify
from convertro_cli.reading.sources import ExportFile
from convertro_cli.record.ledger import FileClaim, FileClaims


class ClaimedFiles:
    """Gives files to read; each is this run's until it is released by its place among them.

    ``digest_for`` gives the digest of the settings under which a path counts as replayed. Walking
    through it is a pass: it gives what no other run holds, and never waits. ``is_done`` says that
    nothing is left after it; else ``has_news`` tells when another pass is worth it. A pass is
    walked through by one thread, and its files are released by another.
    """

    def __init__(
        self,
        files: Sequence[ExportFile],
        claims: FileClaims,
        digest_for: Callable[[str], bytes],
        *,
        again: bool,
    ) -> None:
        self.skipped = 0
        self._left = list(files)
        self._claims = claims
        self._digest_for = digest_for
        self._again = again
        self._stopped = threading.Event()
        self._held: dict[int, FileIdentity] = {}

    def __iter__(self) -> Iterator[ExportFile]:
        asked, self._left = self._left, []
        place = 0
        for file in asked:
            if self._stopped.is_set():
                return
            identity, found = self._ask(file)
            if found is FileClaim.HELD:
                self._left.append(file)
            elif found is FileClaim.FINISHED:
                self.skipped += 1
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

    def has_news(self) -> bool:
        """Whether another pass would give anything, or nothing is left."""
        while self._left:
            _, found = self._ask(self._left[0])
            if found is FileClaim.GRANTED:
                return True
            file = self._left.pop(0)
            if found is FileClaim.HELD:
                self._left.append(file)
                return False
            self.skipped += 1
        return True

    def stop(self) -> None:
        """Give no more files."""
        self._stopped.set()

    def release(self, place: int) -> None:
        """Leave a file to the others: it was read, and all of it is settled."""
        identity = self._held.pop(place, None)
        if identity is not None:
            self._claims.release(identity, self._digest_for(identity.path))

    def _ask(self, file: ExportFile) -> tuple[FileIdentity | None, FileClaim]:
        identity = _identity_of(file)
        if identity is None:
            return None, FileClaim.GRANTED
        digest = self._digest_for(identity.path)
        return identity, self._claims.claim(identity, digest, again=self._again)


def _identity_of(file: ExportFile) -> FileIdentity | None:
    """Give what a file is known by; None for what is no file, which no other run can have."""
    if file.path is None or file.size is None:
        return None
    try:
        return identify(file.path)
    except OSError:
        return None  # reading it will tell what is wrong
