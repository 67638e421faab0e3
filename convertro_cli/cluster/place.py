"""Where the work is to be done: on a cluster of Dask that is there, or on one made here."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from convertro_cli.errors import ConvertroError

_SCHEMES: Final = frozenset({"tcp", "tls"})
_WANTED: Final = "Give what `dask scheduler` prints as its address, such as tcp://scheduler:8786."


class ClusterPlace(Struct, frozen=True):
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
        """Raise ConvertroError where Dask is not installed, or the address is none."""
        if find_spec("distributed") is None:
            option = "--cluster" if self.scheduler is None else "--scheduler"
            raise ConvertroError(
                f"{option} needs Dask, which is not installed.",
                hint="pip install 'convertro[dask]'",
            )
        fault = None if self.scheduler is None else _fault_of(self.scheduler)
        if fault is not None:
            raise ConvertroError(
                f"--scheduler {self.scheduler!r} is no address of a scheduler: {fault}.",
                hint=_WANTED,
            )


def _fault_of(address: str) -> str | None:
    """Say what is wrong with the address of a scheduler: Dask itself waits for most of it."""
    scheme, found, rest = address.partition("://")
    if not found:
        return "it does not begin with tcp:// or tls://"
    if scheme not in _SCHEMES:
        return f"it begins with {scheme}:// and not with tcp:// or tls://"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is no number or above 65,535, or half a bracket
        return "after tcp:// or tls:// it has no host and port, such as scheduler:8786"
    if not host or not port:
        return "it lacks the host" if not host else "it lacks the port"
    if rest != parts.netloc or "@" in rest:
        return "there is more in it than a host and a port"
    return None
