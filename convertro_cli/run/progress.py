"""What a run tells while it goes on, to whoever watches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from convertro_cli.reading.export_set import ExportSet
from convertro_cli.record.tally import Tally

if TYPE_CHECKING:  # who only reads exports need not load what delivers
    from convertro_cli.delivery.delivery import DeliveryState

_WORTH_TELLING = 5.0


class ClusterProgress(Struct, frozen=True):
    """Where a cluster is: bundles that are done and known, None while more are being found.

    ``rates`` has the calls a second of each process that is at it now, by its machine and number.
    """

    done: int
    bundles: int | None
    rates: Mapping[str, float] = field(default_factory=dict)

    @property
    def calls_per_s(self) -> float:
        """The calls a second of all of them."""
        return sum(self.rates.values())


class Progress(Struct):
    """Where a run is. ``trouble`` says in a few words what holds it up, if anything does.

    ``rate`` is the most calls a second that may start, None for no limit. ``retries`` counts what
    was to be tried again, by why; ``held_back_by`` names what keeps the pace down. ``listed``
    counts the files found so far, None once all are. ``cluster`` is there for a run on one.
    """

    tally: Tally
    total_bytes: int | None
    trouble: str | None = None
    in_flight: int = 0
    concurrency: int | None = None
    rate: float | None = None
    retries: Mapping[str, int] = field(default_factory=dict)
    held_back_by: str = ""
    listed: int | None = None
    cluster: ClusterProgress | None = None
    is_outage: bool = False

    def count_files(self, exports: ExportSet) -> None:
        """Take in how many files were found so far, if there are more to find."""
        self.listed = None if exports.is_whole else exports.listed.count

    def follow(self, state: DeliveryState, *, stopping: bool) -> None:
        """Take in where the delivery is; ``stopping`` after an interrupt."""
        self.in_flight = state.in_flight
        self.concurrency = state.concurrency
        self.rate = state.rate
        self.retries = state.retries
        self.held_back_by = state.held_back_by
        self.trouble = None
        self.is_outage = state.outage is not None
        if stopping:
            self.trouble = f"stopping: waiting for {state.in_flight} requests under way"
        elif state.outage is not None:
            self.trouble = (
                f"Convertro unreachable for {state.outage:.0f} s ({state.reason}), "
                f"next try in {state.next_try:.0f} s, waits {state.patience:.0f} s more at most"
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


def tell_of_list(watcher: Watcher) -> Callable[[int], None]:
    """Let a watcher see how many files were found, while a run waits for the first of them."""
    progress = Progress(Tally(), None)

    def tell(count: int) -> None:
        progress.listed = count
        watcher.tick(progress)

    return tell
