"""The files of a run: how far each is read, and when it is done with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from convertro_cli.delivery.pending import PendingFile
from convertro_cli.reading.batch import LineBatch
from convertro_cli.reading.export_set import ExportSet
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record.tally import Tally

_NAMED = 5


class RunFiles:
    """Follows the batches of a run's files, and counts files and bytes.

    ``notice`` is told in a sentence of each file that is damaged. Of the ``exports`` those that
    are left unread are counted at once, and told of where a user would miss them.
    """

    def __init__(
        self, tally: Tally, notice: Callable[[str], None], exports: ExportSet | None = None
    ) -> None:
        self._tally = tally
        self._notice = notice
        self._positions: dict[int, int] = {}
        self._pending: dict[int, PendingFile] = {}
        self._identities: dict[int, FileIdentity] = {}
        self._exports = exports
        self._notes_told = 0
        self._with_content: set[int] = set()
        self._empty: list[str] = []
        self._empty_files = 0
        self.tell_of_unread()

    def tell_of_unread(self) -> None:
        """Count what is left unread, as far as that is known; tell of what a user would miss."""
        if self._exports is not None:
            self._tally.leave_unread(dict(self._exports.unread))  # it grows in another thread
            for note in self._exports.notes[self._notes_told :]:
                self._notice(note)
            self._notes_told = len(self._exports.notes)

    def follow(self, batch: LineBatch) -> PendingFile:
        """Note a batch; give its file, for messages to be counted in."""
        read = batch.position - self._positions.get(batch.file, 0)
        self._positions[batch.file] = batch.position
        self._tally.bytes_read += read
        file = self._pending.setdefault(batch.file, PendingFile())
        if batch.data and not batch.data.isspace():
            self._with_content.add(batch.file)
        if batch.end is not None:
            self._end(batch, file)
        return file

    def notes(self) -> list[str]:
        """Say which files hold nothing at all: somebody may expect something of them."""
        if not self._empty:
            return []
        named = ", ".join(self._empty)
        more = self._empty_files - len(self._empty)
        if self._empty_files == 1:
            return [f"There is nothing in {named}: it is empty."]
        return [
            f"There is nothing in {self._empty_files:,} of the files, which are empty: {named}"
            + (f" and {more:,} more." if more else ".")
        ]

    def completed(self) -> Iterator[tuple[int, FileIdentity | None]]:
        """Give the files that were read to their end and whose messages are all settled.

        With each file's place among them goes its identity; None where it has to be read again.
        """
        for index, file in list(self._pending.items()):
            if file.ended and file.open_messages == 0:
                del self._pending[index]
                identity = self._identities.pop(index, None)
                yield index, identity if file.clean else None

    def _note_empty(self, name: str) -> None:
        self._empty_files += 1
        if len(self._empty) < _NAMED:
            self._empty.append(name)

    def _end(self, batch: LineBatch, file: PendingFile) -> None:
        assert batch.end is not None
        file.ended = True
        del self._positions[batch.file]
        if batch.end.damage is not None:
            self._with_content.discard(batch.file)
            self._tally.files["damaged"] += 1
            self._notice(batch.end.damage)
            return
        self._tally.files["read"] += 1
        if batch.file in self._with_content:
            self._with_content.remove(batch.file)
        else:
            self._note_empty(batch.source)
        if batch.end.identity is not None:
            self._identities[batch.file] = batch.end.identity
