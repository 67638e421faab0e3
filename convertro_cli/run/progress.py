"""What a run tells while it goes on, to whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from convertro_cli.record.tally import Tally

if TYPE_CHECKING:  # who only reads exports need not load what delivers
    from convertro_cli.delivery.delivery import DeliveryState

_WORTH_TELLING = 5.0


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

    def follow(self, state: DeliveryState, *, stopping: bool) -> None:
        """Take in where the delivery is; ``stopping`` after an interrupt."""
        self.in_flight = state.in_flight
        self.concurrency = state.concurrency
        self.rate = state.rate
        self.trouble = None
        if stopping:
            self.trouble = f"stopping: waiting for {state.in_flight} requests under way"
        elif state.outage is not None:
            self.trouble = (
                f"Convertro unreachable for {state.outage:.0f} s ({state.reason}), "
                f"next try in {state.next_try:.0f} s"
            )
        elif state.only_waits and state.next_try >= _WORTH_TELLING:
            self.trouble = f"all that is left waits for its next try, in {state.next_try:.0f} s"


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
