"""The counts of a job: those that its parts wrote into the ledger, added up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Mapping
from time import monotonic

from convertro_cli.delivery.latency import LatencyHistogram
from convertro_cli.reading.unread import Unread
from convertro_cli.record.counts import read_counts
from convertro_cli.record.postgres.jobs import JobPart, SharedJob
from convertro_cli.record.postgres.lease import SILENCE
from convertro_cli.record.tally import Tally

_STILL_TO_COME = 500


class _Sums:
    """What some parts come to."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.latency = LatencyHistogram()
        self.transports: dict[str, None] = {}
        self.files: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self.in_doubt: dict[int, tuple[int, int]] = {}
        self.parts: Counter[int] = Counter()

    def add(self, part: JobPart) -> int:
        """Take in a part; give how many requests it has made."""
        if part.counts is None:
            return 0
        tally, latency, transport = read_counts(part.counts)
        self.transports[transport] = None
        self.parts[part.bundle] += 1
        self.files[part.bundle].update(tally.files)
        self._note_doubts(part.bundle, part.run, tally.calls.pop("in_doubt", 0))
        self.tally.add(tally)
        self.latency.update(latency)
        return tally.calls["attempts"]

    def update(self, other: _Sums) -> None:
        """Take in what other parts come to."""
        self.tally.add(other.tally)
        self.latency.update(other.latency.buckets)
        self.transports.update(other.transports)
        self.parts.update(other.parts)
        for bundle, files in other.files.items():
            self.files[bundle].update(files)
        for bundle, (run, count) in other.in_doubt.items():
            self._note_doubts(bundle, run, count)

    def _note_doubts(self, bundle: int, run: int, count: int) -> None:
        """Keep those of a bundle's latest part, which takes up what the others left."""
        self.in_doubt[bundle] = max(self.in_doubt.get(bundle, (0, 0)), (run, count))


class JobCounts:
    """Looks at the parts of a job from time to time, and adds them up.

    A part that was lost counts as of its last commit. What it had read of a file is read again by
    whoever takes over, and counted there as already delivered.
    """

    def __init__(self, job: SharedJob) -> None:
        self._job = job
        self._over = _Sums()
        self._known: set[int] = set()
        self._behind = 0
        self._all = _Sums()
        self._attempts: dict[int, int] = {}
        self._looked_at = monotonic()
        self._silent_since: dict[int, tuple[float, int]] = {}
        self._lost_since: dict[int, tuple[float, int]] = {}
        self._latest: dict[int, int] = {}
        self._live_at = self._looked_at
        self.live = 0
        self.rates: dict[str, float] = {}

    def look(self) -> None:
        """Look at the parts now. Raises ConvertroError."""
        parts = self._job.parts(self._known, behind=self._behind)
        now, self._all = monotonic(), _Sums()
        elapsed, self._looked_at = now - self._looked_at, now
        self.live, self.rates, attempts, silent = 0, {}, {}, {}
        for part in parts:
            self._latest[part.bundle] = max(part.run, self._latest.get(part.bundle, 0))
            if part.is_lost:
                self._lost_since[part.run] = now, part.bundle
            if part.is_over:
                self._known.add(part.run)
                self._over.add(part)
                continue
            attempts[part.run] = self._all.add(part)
            if part.is_live:
                self.live += 1
                new = attempts[part.run] - self._attempts.get(part.run, 0)
                self.rates[part.process] = new / elapsed if elapsed > 0 else 0.0
            else:
                since, _ = self._silent_since.get(part.run, (now, 0))
                silent[part.run] = since, part.bundle
        self._attempts, self._silent_since = attempts, silent
        if self.live:
            self._live_at = now
        self._forget_known({*attempts}, max((part.run for part in parts), default=0))
        self._all.update(self._over)

    def _forget_known(self, open_parts: set[int], latest: int) -> None:
        """Ask no more for what is far behind: of ten thousand parts only some are still open.

        A number is taken a little before its run can be seen, so the latest ones are asked for.
        """
        self._behind = max(self._behind, min([latest - _STILL_TO_COME, *open_parts]) - 1)
        self._known = {run for run in self._known if run > self._behind}

    def silent(self) -> dict[int, int]:
        """Give the bundles of parts that have no lease, by run: they were asleep for that long.

        Or they were killed. Not at once: where the database was away, they may be about to renew
        it. And not where a later part is at the same bundle.
        """
        before = self._looked_at - SILENCE
        return {
            run: bundle
            for run, (since, bundle) in (self._silent_since | self._lost_since).items()
            if since <= before and self._latest[bundle] == run
        }

    def idle_for(self) -> float:
        """Give the seconds for which no part has been live, or since ``wait_anew``."""
        return self._looked_at - self._live_at

    def wait_anew(self) -> None:
        """Count from now on how long no part has been live."""
        self._live_at = self._looked_at

    @property
    def latency(self) -> LatencyHistogram:
        """How long all answers took."""
        return self._all.latency

    @property
    def transport(self) -> str | None:
        """The transport of all; several where the workers do not have the same."""
        return ", ".join(self._all.transports) or None

    @property
    def begun_anew(self) -> int:
        """How many bundles more than one part was at."""
        return sum(parts > 1 for parts in self._all.parts.values())

    def tally(self, sizes: Mapping[int, int], done: Container[int]) -> Tally:
        """Give the counts of all parts.

        ``sizes`` has the number of files of each bundle, ``done`` the bundles that are done with.
        Each file counts once, however many parts read it; of a bundle that is done, those that
        none of its parts read were replayed by somebody else.
        """
        tally, files, others = self._all.tally, Counter[str](), 0
        tally.calls["in_doubt"] = sum(count for _, count in self._all.in_doubt.values())
        for bundle, size in sizes.items():
            found = self._all.files.get(bundle, Counter())
            damaged = min(found["damaged"], size)
            read = min(found["read"], size - damaged)
            files.update(damaged=damaged, read=read)
            if bundle in done:
                others += size - damaged - read
        tally.files = files
        tally.unread = Counter({Unread.ALREADY_REPLAYED.value: others} if others else {})
        return tally
