"""The ledger: what became of every call, so that none is lost and none knowingly sent twice.

A key is marked *sending* before its request starts and settled (*sent* or *failed*) after its
answer, many in one transaction. Each transaction is on the disk before the next step is taken:
after a crash, only calls still marked *sending* are in doubt. Two backends keep it so: a file of
SQLite for one run at a time, and PostgreSQL for any number of runs at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, IntEnum
from typing import NamedTuple, Protocol

from msgspec import Struct

from convertro_cli.mapping.ledger_key import KEY_BYTES
from convertro_cli.reading.identity import FileIdentity


class CallState(IntEnum):
    """How a call was settled."""

    SENT = 1
    FAILED = 2


class Settled(NamedTuple):
    """A settled call: how, and by which run."""

    state: CallState
    run: int


class Failure(Struct, frozen=True):
    """A call or a line that failed for good: its key, why, and its place in an export."""

    key: bytes
    reason: str
    source: str


FinishedFile = tuple[FileIdentity, bytes]
"""A file that was replayed to its end, and the digest of the settings under which it was."""


class Marked(NamedTuple):
    """What came of marking calls.

    ``refused`` are the keys that were not marked, since another run settled them meanwhile, or
    is sending them now (None). ``doubtful`` are among those that were marked: a run that was
    lost had them, and they may have arrived.
    """

    refused: Mapping[bytes, Settled | None]
    doubtful: frozenset[bytes]


ALL_MARKED = Marked({}, frozenset())
"""All calls were marked, and none of them may have arrived."""


class Lease(Protocol):
    """The right of a run to send, which it must renew: every commit does."""

    def is_held(self) -> bool:
        """Whether nobody else can have taken over what this run was doing."""

    def is_due(self) -> bool:
        """Whether a commit should be made for the sake of the lease alone."""


class FileClaim(Enum):
    """What came of asking for a file."""

    GRANTED = 1
    FINISHED = 2
    HELD = 3


class FileClaims(Protocol):
    """Sees to it that no two live runs hold one file."""

    def claim(
        self, files: Sequence[tuple[FileIdentity, bytes]], *, again: bool
    ) -> Sequence[FileClaim]:
        """Ask for files: each is this run's now, or was replayed to its end, or is another's.

        With each goes the digest of the settings. With ``again`` only what was replayed since
        this run began counts.
        """

    def release(self, files: Sequence[tuple[FileIdentity, bytes]]) -> None:
        """Leave files to whoever wants them. Nothing happens to what is not this run's."""


class Bucket(Protocol):
    """A rate in calls a second, over all who draw on it."""

    rate: float

    def available(self, now: float) -> int:
        """Give how many calls may start."""

    def take(self, calls: int) -> None:
        """Use up the right to start calls."""

    def wait(self, now: float) -> float:
        """Give the seconds until a call may start, or until it is worth asking."""


class Ledger(Protocol):
    """The ledger, open for one run.

    Every method raises ConvertroError with exit code 74 where it cannot be read or written, and
    with 75 where it is away, or was taken over by another run; what was committed before stays.
    ``lease``, ``files`` and a shared rate are None where there can be no other run.
    """

    lease: Lease | None = None
    files: FileClaims | None = None

    @property
    def trouble(self) -> str | None:
        """Say in a few words what the ledger waits for; None while it does not."""
        return None

    def begin_run(
        self, target: str, *, account: str = "", site_id: str = ""
    ) -> tuple[int, frozenset[bytes]]:
        """Note that a run begins; give its number, and the calls in doubt that are its own now."""

    def orders_in_doubt(self) -> frozenset[bytes]:
        """Give the orders, likewise, whose calls are in doubt, whichever messages bring them."""

    def end_run(self, run: int, summary: bytes, *, exit_code: int | None = None) -> None:
        """Note how a run ended."""

    def share_rate(self, rate: float) -> Bucket | None:
        """Give the bucket from which all runs draw, at so many calls a second."""
        return None

    def note_counts(self, counts: bytes) -> None:
        """Have the next commit write the counts of a run that is part of a job, as JSON.

        Not while a commit is under way.
        """
        return

    def while_away(self, meanwhile: Callable[[float], object]) -> None:
        """Say what to do in each pause of a look-up that waits for its database."""
        return

    def look_up(self, keys: Sequence[bytes]) -> dict[bytes, Settled]:
        """Tell which of these calls are settled, and how."""

    def commit(
        self,
        run: int,
        *,
        sending: bytes,
        orders: bytes = b"",
        sent: Sequence[bytes] = (),
        failed: Sequence[Failure] = (),
        finished: Sequence[FinishedFile] = (),
        again: Mapping[bytes, int] | None = None,
    ) -> Marked:
        """Write what happened and what comes next, in one transaction that is on disk after.

        ``sending`` has, end to end, all the keys that are marked from now on, in place of those
        that were before; ``orders`` likewise those of the orders among them. ``finished`` are the
        files that were replayed to their end. ``again`` has those of the marked keys that are to
        be sent although a run settled them, with the number of that run.
        """

    def letters_tried(self, reached: Mapping[int, int]) -> None:
        """Note that the dead letters in a database were tried again, each run's up to a number."""
        return

    def is_finished(self, identity: FileIdentity, settings: bytes) -> bool:
        """Whether this very file was replayed to its end under these settings."""

    def find_finished(self, paths: Sequence[str], settings: bytes) -> Mapping[str, FileIdentity]:
        """Give those of these files that were replayed to their end so, each as it was then.

        It may be called from a thread of its own, beside all else.
        """


def split_keys(keys: bytes) -> list[bytes]:
    """Take apart keys that were stored end to end."""
    return [keys[start : start + KEY_BYTES] for start in range(0, len(keys), KEY_BYTES)]
