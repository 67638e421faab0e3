"""One rate for all runs: a token bucket in a row, from which each run draws what it will use."""

from __future__ import annotations

import math
import threading

from convertro_cli.errors import ConvertroError
from convertro_cli.record.postgres.address import LedgerUrl
from convertro_cli.record.postgres.session import ServerPatience, Session

_WORTH_SECONDS = 0.1
_SHORTEST_PAUSE = 0.01
_LONGEST_PAUSE = 0.5

# As many whole tokens as there are, at most as many as are wanted. The row is locked first, so
# that what has come in meanwhile is counted once. No more gather than a twentieth of a second's.
_DRAW = """
WITH before AS MATERIALIZED (SELECT tokens, at FROM rate FOR UPDATE),
refilled AS (
    SELECT least(
        greatest(1, %(rate)s / 20.0),
        tokens + greatest(0, extract(epoch FROM clock_timestamp() - at)) * %(rate)s
    ) AS tokens
    FROM before
), drawn AS (
    SELECT tokens, least(floor(tokens + 1e-9), %(wanted)s) AS granted FROM refilled
)
UPDATE rate SET tokens = drawn.tokens - drawn.granted, at = clock_timestamp() FROM drawn
RETURNING drawn.granted
"""


class SharedBucket:
    """A rate in calls a second over all runs, as ``TokenBucket`` is one for a single run.

    A thread draws tokens ahead, at most a tenth of a second's worth, and only while there is a
    use for them: nobody waits for the database here.
    """

    def __init__(self, address: LedgerUrl, rate: float) -> None:
        self.rate = rate
        self._session = Session(address, ServerPatience(stopped=lambda: self._closed))
        self._stock = 0
        self._lock = threading.Lock()
        self._needed = threading.Event()
        self._closed = False
        self._wakes = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="rate", daemon=True)
        self._thread.start()

    def available(self, now: float) -> int:
        """Give how many calls may start."""
        del now
        if self._stock < self._worth / 2 + 0.5:
            self._needed.set()
        return self._stock

    def take(self, calls: int) -> None:
        """Use up the right to start calls."""
        with self._lock:
            self._stock -= calls

    def wait(self, now: float) -> float:
        """Give the seconds after which to look whether a call may start."""
        return 0.0 if self.available(now) >= 1 else min(0.02, 1 / self.rate)

    def close(self) -> None:
        """Draw no more."""
        self._closed = True
        self._needed.set()
        self._wakes.set()
        self._thread.join(1.0)  # else it might connect once more
        self._session.close()

    @property
    def _worth(self) -> int:
        return max(1, math.ceil(self.rate * _WORTH_SECONDS))

    def _fill(self) -> None:
        pause = min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, 0.5 / self.rate))
        while True:
            self._needed.wait()
            self._needed.clear()
            if self._closed:
                return
            try:
                granted = self._draw(self._worth - self._stock)
            except ConvertroError:  # the commits find it away, too, and end the run
                granted = 0
            with self._lock:
                self._stock += granted
            if not granted and not self._closed:
                self._wakes.wait(pause)
                self._needed.set()

    def _draw(self, wanted: int) -> int:
        if wanted <= 0:
            return 0
        parameters = {"rate": self.rate, "wanted": wanted}
        row = self._session.do(lambda connection: connection.execute(_DRAW, parameters).fetchone())
        return int(row[0]) if row else 0
