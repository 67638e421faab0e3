"""What a run tells while it goes on, to whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from convertro_cli.record.tally import Tally


@dataclass(slots=True)
class Progress:
    """Where a run is. ``trouble`` says in a few words what holds it up, if anything does.

    ``rate`` is the most calls a second that may start, None for no limit.
    """

    tally: Tally
    total_bytes: int | None
    trouble: str | None = None
    in_flight: int = 0
    concurrency: int | None = None
    rate: float | None = None


class Watcher(Protocol):
    """Watches a run. ``tick`` is called often, and must return at once when it is too soon."""

    def tick(self, progress: Progress) -> None:
        """Look at where the run is."""

    def notice(self, text: str) -> None:
        """Take note of something that a person should know now."""


class NobodyWatches:
    """For runs that nobody watches."""

    def tick(self, progress: Progress) -> None:
        """Look away."""

    def notice(self, text: str) -> None:
        """Let it pass."""
