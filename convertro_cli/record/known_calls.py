"""What earlier runs settled, for a run that only looks: the ledger is read and never written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record.ledger import Settled

if TYPE_CHECKING:
    from convertro_cli.record.earlier_runs import EarlierRuns
    from convertro_cli.record.open_letters import Target


class KnownCalls(Protocol):
    """The calls of a ledger: those that are settled, and those that may have arrived."""

    def look_up(self, keys: Sequence[bytes]) -> dict[bytes, Settled]:
        """Tell which of these calls are settled, and how. Raises ConvertroError."""

    @property
    def has_doubts(self) -> bool:
        """Whether any call may have arrived."""

    def is_in_doubt(self, key: bytes, order_key: bytes = b"") -> bool:
        """Whether a call may have arrived, or one for the same order."""

    def earlier_runs(self, target: Target) -> EarlierRuns:
        """Give what is known of earlier runs to a target."""

    def is_finished(self, identity: FileIdentity, settings: bytes) -> bool:
        """Whether this very file was replayed to its end under these settings."""

    def find_finished(self, paths: Sequence[str], settings: bytes) -> dict[str, FileIdentity]:
        """Give those of these files that were replayed to their end so, each as it was then."""
