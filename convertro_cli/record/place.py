"""Where a ledger is kept: in the state folder, or in a database that many machines share."""

from __future__ import annotations

from msgspec import Struct

from convertro_cli.record.postgres.address import LedgerUrl
from convertro_cli.record.state import StateFolder


class LedgerPlace(Struct, frozen=True):
    """The state folder, and the database's address where the ledger is not in the folder."""

    state: StateFolder
    address: LedgerUrl | None = None

    def __str__(self) -> str:
        return str(self.address or self.state.path)
