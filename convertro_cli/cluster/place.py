"""Where the work is to be done: on a cluster of Dask that is there, or on one made here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from convertro_cli.errors import ConvertroError


@dataclass(frozen=True, slots=True)
class ClusterPlace:
    """A scheduler's address, or the number of ``processes`` to start on this machine."""

    scheduler: str | None = None
    processes: int | None = None

    def __str__(self) -> str:
        if self.scheduler is not None:
            return f"the scheduler at {self.scheduler}"
        return f"a cluster of {self.processes} on this machine"

    @property
    def title(self) -> str:
        """Name it at the beginning of a sentence."""
        name = str(self)
        return name[0].upper() + name[1:]

    def check(self) -> None:
        """Raise ConvertroError where Dask is not installed."""
        if find_spec("distributed") is None:
            option = "--cluster" if self.scheduler is None else "--scheduler"
            raise ConvertroError(
                f"{option} needs Dask, which is not installed.",
                hint="pip install 'convertro[dask]'",
            )
