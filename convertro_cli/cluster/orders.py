"""What is to be done with each bundle: an order is packed once, and carried out wherever it gets.

Nothing in it is a secret: the ledger's address has no password, and a worker has its own
credentials in its own environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from convertro_cli.cluster.bundles import Bundle
from convertro_cli.reading.batch import LineBatch
from convertro_cli.reading.exports import read_exports
from convertro_cli.storage.options import StorageOptions
from convertro_cli.workers.groups import Each, grouped


class Order(Protocol):
    """What is to be done with each bundle."""

    @property
    def storage(self) -> StorageOptions | None:
        """How to reach what lies in buckets."""

    def carry_out(self, bundle: Bundle) -> Iterator[Any]:
        """Do it with one bundle; give what comes of it, part by part. Raises ConvertroError."""


class LookOrder(Struct, frozen=True):
    """Read a bundle, and do a job for each of its batches: the work of a dry run and the like.

    ``spare`` leaves of each batch what is needed once the job is done.
    """

    job: Callable[[LineBatch], Any]
    spare: Callable[[LineBatch, Any], LineBatch]
    storage: StorageOptions | None = None

    def carry_out(self, bundle: Bundle) -> Iterator[tuple[list[LineBatch], list[Any]]]:
        """Give groups of batches with their results, in order, as one process has them."""
        each = Each(self.job)
        for group in grouped(read_exports(bundle.files, recognise=False)):
            results = each(group)
            spared = [self.spare(*one) for one in zip(group, results, strict=True)]
            yield [replace(one, file=bundle.first + one.file) for one in spared], results
