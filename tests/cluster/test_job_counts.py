"""The counts of a job, added up over its parts."""

from __future__ import annotations

from collections.abc import Collection

import pytest

pytest.importorskip("psycopg", reason="the extra 'postgres' is not installed")

from convertro_cli.cluster import job_counts
from convertro_cli.cluster.job_counts import JobCounts
from convertro_cli.record.counts import RunCounts, write_counts
from convertro_cli.record.postgres.jobs import JobPart
from convertro_cli.record.tally import Tally


class Job:
    """A job whose parts are what the test says; ``asked`` counts what was given."""

    def __init__(self) -> None:
        self.all: dict[int, JobPart] = {}
        self.given: list[int] = []

    def put(
        self,
        run: int,
        bundle: int,
        *,
        over: bool,
        live: bool = False,
        lost: bool = False,
        **counts: int,
    ) -> None:
        tally = Tally()
        files = {name: counts.pop(name) for name in ("read", "damaged") if name in counts}
        tally.files.update(files)
        tally.calls.update(counts)
        content = write_counts(RunCounts(tally, {3: 1}, "curl")).decode()
        self.all[run] = JobPart(run, bundle, f"host:{run}", content, over, live, lost)

    def parts(self, known: Collection[int], *, behind: int = 0) -> list[JobPart]:
        found = [self.all[run] for run in sorted(self.all) if run > behind and run not in known]
        self.given = [part.run for part in found]
        return found


def test_each_part_counts_once_however_often_it_is_looked_at() -> None:
    """Those that are over are taken in for good, the others as they are now."""
    job = Job()
    counts = JobCounts(job)  # type: ignore[arg-type]
    job.put(1, 0, over=True, delivered=5)
    job.put(2, 1, over=False, live=True, delivered=1)
    for _ in range(3):
        counts.look()
    assert counts.tally({}, set()).calls["delivered"] == 6
    job.put(2, 1, over=True, delivered=4)
    counts.look()
    counts.look()
    assert counts.tally({}, set()).calls["delivered"] == 9
    assert job.given == []
    assert counts.latency.percentile(0.5) is not None


def test_a_file_counts_once_however_many_parts_read_it() -> None:
    """Of a bundle that is done, what none of its parts read was replayed by somebody else."""
    job = Job()
    counts = JobCounts(job)  # type: ignore[arg-type]
    job.put(1, 0, over=True, read=3)
    job.put(2, 0, over=True, read=2, damaged=1)
    job.put(3, 1, over=True, read=1)
    counts.look()
    sizes = {0: 4, 1: 3, 2: 9}
    tally = counts.tally(sizes, {0, 1})
    assert dict(tally.files) == {"read": 4, "damaged": 1}
    assert dict(tally.unread) == {"already_replayed": 2}
    assert counts.tally(sizes, {0}).unread.total() == 0
    assert counts.begun_anew == 1


def test_doubts_are_those_of_the_latest_part_of_a_bundle() -> None:
    """It takes up what the ones before it left."""
    job = Job()
    counts = JobCounts(job)  # type: ignore[arg-type]
    job.put(1, 0, over=True, in_doubt=33)
    job.put(2, 0, over=True, in_doubt=0)
    job.put(3, 1, over=True, in_doubt=4)
    counts.look()
    assert counts.tally({}, set()).calls["in_doubt"] == 4


def test_of_many_parts_only_the_latest_and_the_open_ones_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that began long ago and is not over keeps its place; nothing counts twice."""
    monkeypatch.setattr(job_counts, "_STILL_TO_COME", 10)
    job = Job()
    counts = JobCounts(job)  # type: ignore[arg-type]
    for run in range(1, 101):
        job.put(run, run, over=run != 40, live=run == 40, delivered=1)
        counts.look()
    assert counts.tally({}, set()).calls["delivered"] == 100
    job.put(40, 40, over=True, delivered=2)
    for run in range(101, 151):
        job.put(run, run, over=True, delivered=1)
        counts.look()
    assert counts.tally({}, set()).calls["delivered"] == 151
    assert len(counts._known) <= 12


def test_a_part_is_silent_only_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the database was away all leases have run out, and are about to be renewed."""
    now = [100.0]
    monkeypatch.setattr("convertro_cli.cluster.job_counts.monotonic", lambda: now[0])
    job = Job()
    counts = JobCounts(job)  # type: ignore[arg-type]
    job.put(1, 7, over=False, live=False)
    counts.look()
    assert counts.silent() == {}
    now[0] += 2.9
    counts.look()
    assert counts.silent() == {}
    now[0] += 0.2
    counts.look()
    assert counts.silent() == {1: 7}
    job.put(1, 7, over=False, live=True)
    counts.look()
    assert (counts.silent(), counts.live) == ({}, 1)


def test_a_part_that_was_lost_is_silent_unless_a_later_one_has_its_bundle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another run may find out that it sleeps before the driver does; Dask may begin it anew."""
    now = [100.0]
    monkeypatch.setattr("convertro_cli.cluster.job_counts.monotonic", lambda: now[0])
    job = Job()
    counts = JobCounts(job)  # type: ignore[arg-type]
    job.put(1, 7, over=True, lost=True)
    job.put(2, 8, over=True, lost=True)
    job.put(3, 9, over=True)
    counts.look()
    assert counts.silent() == {}
    job.put(4, 8, over=False, live=True)
    now[0] += 3.2
    counts.look()
    assert counts.silent() == {1: 7}
    now[0] += 60
    counts.look()
    assert counts.silent() == {1: 7}


def test_a_job_is_idle_for_as_long_as_no_part_is_live(monkeypatch: pytest.MonkeyPatch) -> None:
    """From its begin on, and since somebody did something about it."""
    now = [100.0]
    monkeypatch.setattr("convertro_cli.cluster.job_counts.monotonic", lambda: now[0])
    job = Job()
    counts = JobCounts(job)  # type: ignore[arg-type]
    for live, idle in ((False, 5.0), (True, 0.0), (False, 5.0), (False, 10.0)):
        now[0] += 5
        job.put(1, 7, over=False, live=live)
        counts.look()
        assert counts.idle_for() == idle
    counts.wait_anew()
    now[0] += 5
    counts.look()
    assert counts.idle_for() == 5.0
