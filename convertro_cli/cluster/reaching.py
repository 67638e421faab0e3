"""Reaching a scheduler of Dask, before anything is left to its client.

The client waits without end for whoever takes a connection and then says nothing, and when it could
not connect it takes as long again to close. So somebody knocks first, for a while that is bounded.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any, Final
from urllib.parse import urlsplit

from distributed.comm.core import FatalCommClosedError
from distributed.core import rpc
from distributed.security import Security

from convertro_cli.cluster.place import ClusterPlace
from convertro_cli.errors import ConvertroError, ExitCode

CONNECT_WITHIN: Final = 5.0
"""Seconds. A cluster that is being started may need some of them."""

_ANSWER_WITHIN: Final = 5.0
_LOOK_WITHIN: Final = 2.0
_SCHEDULER: Final = "Scheduler"


def reach(place: ClusterPlace) -> None:
    """Return once the scheduler has answered. Raises ConvertroError after a few seconds."""
    address = place.scheduler or ""
    arguments = _security_of(address)
    try:
        who = asyncio.run(_ask_who_is_there(address, arguments))
    except TimeoutError:
        raise _no_scheduler(place, "something listens there, and does not answer") from None
    except (ssl.SSLError, FatalCommClosedError) as error:
        raise _no_scheduler(place, first_line(error.__cause__ or error)) from None
    except OSError:
        raise cannot_be_reached(place, _why_nobody_answers(address)) from None
    except Exception:  # what others say is read as if Dask had said it, with any outcome
        raise _no_scheduler(place, "something else answers there") from None
    if who != _SCHEDULER:
        raise ConvertroError(
            f"At {address} there is no scheduler of Dask, but a {str(who).lower()}.",
            hint="Give the address of the scheduler: workers print it when they start.",
        )


async def _ask_who_is_there(address: str, arguments: dict[str, Any]) -> str | None:
    there = rpc(address, connection_args=arguments, timeout=CONNECT_WITHIN)
    try:
        answer = await asyncio.wait_for(there.identity(), CONNECT_WITHIN + _ANSWER_WITHIN)
        name: str | None = answer.get("type")
    finally:
        await there.close_rpc()
    return name


def _security_of(address: str) -> dict[str, Any]:
    """Give what a connection needs. Raises ConvertroError where certificates are missing."""
    try:
        arguments: dict[str, Any] = Security().get_connection_args("client")
    except (OSError, ValueError) as error:
        raise ConvertroError(
            f"The certificates for Dask's TLS cannot be loaded: {first_line(error)}.",
            hint="Look at distributed.comm.tls in Dask's configuration, or in its environment "
            "variables, which begin with DASK_DISTRIBUTED__COMM__TLS__.",
        ) from None
    if address.startswith("tls:") and arguments.get("ssl_context") is None:
        raise ConvertroError(
            f"{address} needs certificates, and Dask knows none here.",
            hint="Set DASK_DISTRIBUTED__COMM__TLS__CA_FILE, and CERT and KEY after "
            "DASK_DISTRIBUTED__COMM__TLS__CLIENT__, to the files that the cluster uses.",
        )
    return arguments


def cannot_be_reached(place: ClusterPlace, why: str) -> ConvertroError:
    """Give the error for a scheduler that is not there, or not yet, or a cluster not made."""
    if place.scheduler is None:
        return ConvertroError(
            f"{place.title} cannot be started: {why}.",
            hint="Try fewer processes: each needs memory, files and a port of its own.",
            exit_code=ExitCode.TRY_LATER,
        )
    return ConvertroError(
        f"{place.title} cannot be reached: {why}.",
        hint="Check the address, and that `dask scheduler` runs there. Nothing was done: the same "
        "command may be run again.",
        exit_code=ExitCode.TRY_LATER,
    )


def _no_scheduler(place: ClusterPlace, why: str) -> ConvertroError:
    return ConvertroError(
        f"No scheduler of Dask answers at {place.scheduler}: {why}.",
        hint="Check the address and its port: `dask scheduler` prints both, and tcp:// or tls://.",
        exit_code=ExitCode.TRY_LATER,
    )


def _why_nobody_answers(address: str) -> str:
    """Say it in the system's own words: what Dask says is that it tried for a while."""
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), _LOOK_WITHIN).close()
    except OSError as error:
        return error.strerror or f"nothing came back within {CONNECT_WITHIN:g} s"
    return "what listens there ends a connection at once, as where tcp:// meets tls://"


def first_line(error: BaseException) -> str:
    """Give the first line of what an error says, without a full stop."""
    return str(error).partition("\n")[0].strip().rstrip(".") or type(error).__name__
