"""A replay that is spread over a cluster, as the ledger has it: a job, and runs in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from convertro_cli.record.backends import connected
from convertro_cli.record.place import LedgerPlace
from convertro_cli.record.postgres.address import LedgerUrl
from convertro_cli.record.postgres.jobs import JobShare, SharedJob
from convertro_cli.record.postgres.ledger import PostgresLedger
from convertro_cli.record.postgres.session import Session
from convertro_cli.record.state import StateFolder
from tests.postgres import PostgresServer
from tests.record.machine import Machine, key, keys


@pytest.fixture
def session(postgres: PostgresServer, tmp_path: object) -> Iterator[Session]:
    """A driver's connection."""
    place = LedgerPlace(StateFolder(tmp_path), postgres.new_address())  # type: ignore[arg-type]
    with connected(place, create=True) as session:
        yield session


class Part:
    """A run that is part of a job; ``heard`` has what it was told to end with."""

    def __init__(self, address: LedgerUrl, job: int, bundle: int, lease: float = 30.0) -> None:
        self.heard: list[int] = []
        share = JobShare(job, bundle, self.heard.append)
        self.ledger = PostgresLedger(address, lease_seconds=lease, share=share)
        self.run, _ = self.ledger.begin_run("https://sp1.convertro.com")

    def commit(self, counts: bytes = b"", *sent: int) -> None:
        if counts:
            self.ledger.note_counts(counts)
        self.ledger.commit(self.run, sending=b"", sent=[key(number) for number in sent])


def address_of(session: Session) -> LedgerUrl:
    return session._address


def test_a_job_that_is_stopped_is_heard_of_by_each_part_with_its_next_commit(
    session: Session,
) -> None:
    """Those of other jobs, and runs by themselves, hear nothing; the first word counts."""
    job, other = SharedJob(session), SharedJob(session)
    address = address_of(session)
    parts = [Part(address, job.number, 0), Part(address, other.number, 0)]
    alone = Machine(address)
    job.stop(130)
    job.stop(75)
    for part in parts:
        part.commit()
    alone.settle(1)
    assert [part.heard for part in parts] == [[130], []]
    late = Part(address, job.number, 1)
    late.commit()
    assert late.heard == [130]
    for each in (*parts, late):
        each.ledger.close()
    alone.die()


def test_counts_are_those_of_a_commit(session: Session) -> None:
    """What a part has noted since is not there yet: a crash would have undone it."""
    job = SharedJob(session)
    part = Part(address_of(session), job.number, 7)
    assert [(each.bundle, each.counts) for each in job.parts([])] == [(7, None)]
    part.commit(b'{"calls":1}', 1)
    part.ledger.note_counts(b'{"calls":2}')
    (found,) = job.parts([])
    assert (found.counts, found.is_over, found.is_live) == ('{"calls":1}', False, True)
    part.ledger.end_run(part.run, b"{}", exit_code=0)
    (found,) = job.parts([])
    assert (found.counts, found.is_over, found.is_live) == ('{"calls":2}', True, False)
    assert job.parts([part.run]) == []
    part.ledger.close()


def test_a_part_that_another_run_took_over_is_over_with_the_counts_of_its_last_commit(
    session: Session,
) -> None:
    """Until then it is only silent: it may come back."""
    job = SharedJob(session)
    part = Part(address_of(session), job.number, 0, lease=0.2)
    part.commit(b'{"calls":1}', 1)
    with session._lock:
        session.do(lambda each: each.execute("SELECT pg_sleep(0.25)"))
    (found,) = job.parts([])
    assert (found.is_over, found.is_live) == (False, False)
    session.do(lambda each: each.execute("DELETE FROM leases WHERE run = %s", (part.run,)))
    (found,) = job.parts([])
    assert (found.counts, found.is_over, found.is_live) == ('{"calls":1}', True, False)
    part.ledger.close()


def test_marks_are_as_in_any_run(session: Session) -> None:
    """To be part of a job changes nothing of what a call is marked and settled by."""
    job = SharedJob(session)
    address = address_of(session)
    one, two = Part(address, job.number, 0), Part(address, job.number, 1)
    assert not one.ledger.commit(one.run, sending=keys(1)).refused
    assert two.ledger.commit(two.run, sending=keys(1)).refused == {key(1): None}
    one.ledger.close()
    two.ledger.close()
