"""The files of a run that shares its ledger: one after the other, each only while no other has it.

What another run holds is left for later, and asked for again until that run is done with it or is
lost. So all runs that were given the same exports share them out between them, and none of them
ends before all is done.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from convertro_cli.reading.export_set import ExportFile, ExportSet, total_size
from convertro_cli.reading.identity import FileIdentity, identify
from convertro_cli.reading.unread import Unread
from convertro_cli.record.ledger import FileClaim, FileClaims

_MOST_AT_ONCE = 16
_BYTES_AT_ONCE = 1 << 20


class ClaimedFiles:
    """Gives files to read; each is this run's until it is released by its place among them.

    ``digest_for`` gives the digest of the settings under which a path counts as replayed. Walking
    through it is a pass: it gives what no other run holds, and never waits. ``is_done`` says that
    nothing is left after it; else ``has_news`` tells when another pass is worth it. A pass is
    walked through by one thread, and its files are released by another. What was replayed to its
    end meanwhile is counted among the files that are left unread.

    Small files are asked for together, the longer a run goes on: each question takes a round trip
    and a write to the disk. What is asked for early is kept from the others.
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
        self._released: deque[tuple[FileIdentity, bytes]] = deque()

    def __iter__(self) -> Iterator[ExportFile]:
        asked, self._not_asked, self._left = self._not_asked, (), []
        place = 0
        for group in _grouped(asked):
            if self._stopped.is_set():
                return
            for file, identity, found in self._ask(group):
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
            ((file, _, found),) = self._ask(self._left[:1])
            if found is FileClaim.GRANTED:
                self._not_asked, self._total_bytes = self._left, total_size(self._left)
                return True
            self._left.pop(0)
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
        """Leave a file to the others, before the next one is asked for: it is read and settled.

        ``finished`` is what is about to be noted as replayed to its end, and let go of by that.
        """
        identity = self._held.pop(place, None)
        if identity is not None and identity != finished:
            self._released.append((identity, self._digest_for(identity.path)))

    def _leave_unread(self) -> None:
        self._exports.unread[Unread.ALREADY_REPLAYED] += 1

    def _ask(
        self, files: Sequence[ExportFile]
    ) -> list[tuple[ExportFile, FileIdentity | None, FileClaim]]:
        """Ask for files; give with each what it is known by. What has no identity is nobody's."""
        if self._released:
            self._claims.release([self._released.popleft() for _ in range(len(self._released))])
        identities = [_identity_of(file) for file in files]
        known = [(each, self._digest_for(each.path)) for each in identities if each is not None]
        found = iter(self._claims.claim(known, again=self._again) if known else ())
        return [
            (file, identity, FileClaim.GRANTED if identity is None else next(found))
            for file, identity in zip(files, identities, strict=True)
        ]


def _grouped(files: Iterable[ExportFile]) -> Iterator[list[ExportFile]]:
    """Put small files together: first one, then two, and so on, so that a short list is shared."""
    group: list[ExportFile] = []
    size, most = 0, 1
    for file in files:
        if group and (len(group) >= most or size + (file.size or 0) > _BYTES_AT_ONCE):
            yield group
            group, size, most = [], 0, min(_MOST_AT_ONCE, 2 * most)
        group.append(file)
        size += file.size or 0
    if group:
        yield group


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
