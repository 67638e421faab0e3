"""The options that have a command use a cluster, and what goes with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from convertro_cli.cli.options import ClusterOptions
from convertro_cli.errors import ConvertroError

if TYPE_CHECKING:
    from convertro_cli.cluster.place import ClusterPlace
    from convertro_cli.run.reading import Spread
    from convertro_cli.settings.load import LoadedSettings
    from convertro_cli.storage.options import StorageOptions

_WHY_NOT = {
    "--limit": "counts messages in their order, which one process can do",
    "--workers": "is about the mapping processes of one machine",
    "--canary": "sends one call after the other, which one process can do",
    "--dead-letters": "are few, and for one process",
    "--against": "reads a saved dry run beside the exports, which one process can do",
}


def choose_cluster(
    options: ClusterOptions, one_process: Mapping[str, object]
) -> ClusterPlace | None:
    """Give the cluster that the options name; None for none, without loading anything.

    ``one_process`` has options with their values that do not go with a cluster. Raises
    ConvertroError.
    """
    if options.scheduler is None and options.cluster is None:
        return None
    name = "--cluster" if options.scheduler is None else "--scheduler"
    if options.scheduler is not None and options.cluster is not None:
        raise ConvertroError(
            "--scheduler names a cluster, and --cluster makes one: give one of them."
        )
    for other, value in one_process.items():
        if value not in (None, False):
            raise ConvertroError(
                f"{other} {_WHY_NOT[other]}: it does not go with {name}.",
                hint=f"Leave out {name}.",
            )
    from convertro_cli.cluster.place import ClusterPlace

    place = ClusterPlace(options.scheduler, options.cluster)
    place.check()
    return place


def check_ledger(place: ClusterPlace, loaded: LoadedSettings) -> None:
    """Raise ConvertroError where the ledger is not one that many machines can share."""
    if loaded.ledger.address is None:
        raise ConvertroError(
            f"A replay on {place} needs a ledger in PostgreSQL: the one in {loaded.ledger} is for "
            "one run at a time.",
            hint="createdb convertro, then --ledger postgresql://HOST/convertro (or "
            "delivery.ledger). `convertro ledger import` takes over what is in the folder.",
        )


@contextmanager
def spread_over(
    place: ClusterPlace | None, storage: StorageOptions | None, notice: Callable[[str], None]
) -> Iterator[Spread | None]:
    """Open a cluster for a command that only looks; None for this process alone."""
    if place is None:
        yield None
        return
    from convertro_cli.cluster.looking import open_spread

    with open_spread(place, storage, notice) as spread:
        yield spread
