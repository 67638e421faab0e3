"""Reaching a scheduler: whoever else is there, or nobody, is told soon and in a sentence."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

pytest.importorskip("distributed", reason="the extra 'dask' is not installed")

import dask
from distributed.core import Server

from convertro_cli.cluster import engine, reaching
from convertro_cli.cluster.engine import open_engine
from convertro_cli.cluster.place import ClusterPlace
from convertro_cli.errors import ConvertroError, ExitCode
from tests.storage.servers import free_port


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "CONNECT_WITHIN", 0.4)
    monkeypatch.setattr(reaching, "_ANSWER_WITHIN", 0.2)


def refusal(address: str) -> ConvertroError:
    """Give the error that opening an engine there ends with."""
    with pytest.raises(ConvertroError) as raised, open_engine(ClusterPlace(address), print):
        pass
    assert address in raised.value.message
    assert raised.value.hint
    return raised.value


@contextmanager
def listening(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """Listen at a port, and have each connection answered; give the address as Dask has them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    taken.append(connection)
                    answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    for connection in taken:
        connection.close()


def test_where_nothing_listens_the_system_says_why() -> None:
    """A cluster that is not up yet may be so later: 75."""
    error = refusal(f"tcp://127.0.0.1:{free_port()}")
    assert "cannot be reached: Connection refused" in error.message
    assert error.exit_code == ExitCode.TRY_LATER


def test_a_name_that_nobody_knows_is_told() -> None:
    """By the words of the resolver, whichever it has."""
    error = refusal("tcp://no-such-host.invalid:8786")
    assert "cannot be reached: " in error.message
    assert error.exit_code == ExitCode.TRY_LATER


def test_who_takes_a_connection_and_says_nothing_is_not_waited_for() -> None:
    """Dask's client would, without end: an HTTP server waits for a line, as does this one."""
    with listening(lambda _: None) as address:
        error = refusal(address)
    assert "does not answer" in error.message
    assert error.exit_code == ExitCode.TRY_LATER


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n",
        b"\x00" * 64,
        (16).to_bytes(8, "little") + b"\xff" * 16,
        b"",
    ],
)
def test_who_says_something_else_is_no_scheduler(answer: bytes) -> None:
    """What comes is read as lengths and frames of Dask, and must not end in a traceback."""

    def say(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_RDWR)

    with listening(say) as address:
        error = refusal(address)
    assert error.exit_code == ExitCode.TRY_LATER


def test_the_address_of_a_worker_is_not_that_of_a_scheduler() -> None:
    """It speaks Dask as well, so what it is has to be asked."""

    async def ask() -> ConvertroError:
        async with Server({}) as server:
            await server.listen("tcp://127.0.0.1:0")
            return await asyncio.to_thread(refusal, server.address)

    error = asyncio.run(ask())
    assert "no scheduler of Dask, but a server" in error.message
    assert error.exit_code == ExitCode.USAGE


def test_tls_without_certificates_is_told_with_where_they_are_named() -> None:
    """Nothing is connected to, and the variables for them are named."""
    with dask.config.set(_certificates(None)):
        error = refusal("tls://127.0.0.1:8786")
    assert "needs certificates" in error.message
    assert "DASK_DISTRIBUTED__COMM__TLS__CA_FILE" in str(error.hint)
    assert error.exit_code == ExitCode.USAGE


def test_a_cluster_that_cannot_be_made_here_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Dask raises where a process of its own does not come up is no traceback."""

    def fail(**_: object) -> None:
        raise RuntimeError("Cluster failed to start: [Errno 11] Resource temporarily unavailable")

    monkeypatch.setattr(engine, "LocalCluster", fail)
    with pytest.raises(ConvertroError) as raised, open_engine(ClusterPlace(processes=9), print):
        pass
    assert "A cluster of 9 on this machine cannot be started: " in raised.value.message
    assert "fewer processes" in str(raised.value.hint)
    assert raised.value.exit_code == ExitCode.TRY_LATER


def test_certificates_that_are_not_there_are_told() -> None:
    """They are named in Dask's configuration, which is not this program's."""
    with (
        dask.config.set(_certificates("/nowhere/file.pem")),
        pytest.raises(ConvertroError, match="certificates for Dask's TLS cannot be loaded"),
        open_engine(ClusterPlace("tls://127.0.0.1:8786"), print),
    ):
        pass


def _certificates(path: str | None) -> dict[str, str | None]:
    names = ("ca-file", "client.cert", "client.key")
    return {f"distributed.comm.tls.{name}": path for name in names}
