"""A machine with a run of its own, for tests of a ledger that several share."""

from __future__ import annotations

from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record.ledger import Failure, FileClaim, Settled
from convertro_cli.record.postgres.address import LedgerUrl
from convertro_cli.record.postgres.ledger import PostgresLedger
from convertro_cli.record.postgres.letters import DeadLetterRows

TARGET = "https://sp1.convertro.com"
FILE = FileIdentity("/exports/a.ndjson", 123, 456, b"e" * 16)


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def keys(*numbers: int) -> bytes:
    return b"".join(map(key, numbers))


class Machine:
    """A run of its own on the shared ledger."""

    def __init__(
        self, address: LedgerUrl, lease_seconds: float = 30.0, *, account: str = "acme"
    ) -> None:
        self.address = address
        self.ledger = PostgresLedger(address, lease_seconds=lease_seconds)
        self.letters = DeadLetterRows(self.ledger.letters)
        self.run, _ = self.ledger.begin_run(TARGET, account=account, site_id="1")

    def mark(self, *numbers: int) -> dict[bytes, Settled | None]:
        """Mark these calls and no others; give those that were refused."""
        return dict(self.ledger.commit(self.run, sending=keys(*numbers)).refused)

    def settle(self, *numbers: int) -> None:
        self.ledger.commit(self.run, sending=b"", sent=[key(number) for number in numbers])

    def fail(self, number: int, source: str, event: bytes = b'{"type":"track"}') -> None:
        """Have a call fail for good, with a dead letter."""
        self.letters.add(event, reason="http_400", detail="", source=source)
        self.letters.append(self.letters.take())
        failed = [Failure(key(number), "http_400", source)]
        self.ledger.commit(self.run, sending=b"", failed=failed)

    def end(self, exit_code: int = 0) -> None:
        """Come to an end as a run does."""
        self.ledger.end_run(self.run, b"{}", exit_code=exit_code)
        self.ledger.close()

    def claim(self, file: FileIdentity = FILE, *, again: bool = False) -> FileClaim:
        (found,) = self.ledger.files.claim([(file, b"s")], again=again)
        return found

    def finish(self) -> None:
        self.ledger.commit(self.run, sending=b"", finished=[(FILE, b"s")])

    def die(self) -> None:
        """Go as a process does that is killed: without a word, but its connections close."""
        self.ledger.close()
