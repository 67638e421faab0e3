"""Folders where syncing costs nothing, and the transports under test.

The transports do without whatever the machine's environment says of proxies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest

from convertro_cli.delivery.transport import Transport, TransportOptions
from convertro_cli.delivery.transports import open_transport

Name = Literal["curl", "requests"]
OpenTransport = Callable[..., Transport]

QUICK_DISK = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where syncing costs nothing: what is at stake in this room is the order of things."""


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder for one test, in memory."""
    with TemporaryDirectory(dir=QUICK_DISK) as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)


@pytest.fixture(params=["curl", "requests"])
def name(request: pytest.FixtureRequest) -> Name:
    """The name of each real transport in turn."""
    if request.param == "curl":
        pytest.importorskip("pycurl", reason="pycurl is not installed")
    chosen: Name = request.param
    return chosen


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """What is to be closed when the test is over."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def transport_of(name: Name, opened: ExitStack) -> OpenTransport:
    """Opens the transport with other options than the usual ones."""

    def open_one(
        *, timeout: float = 5.0, connections: int = 8, ca_bundle: Path | None = None
    ) -> Transport:
        transport = open_transport(name, TransportOptions(timeout, connections, ca_bundle))
        opened.callback(transport.close)
        return transport

    return open_one


@pytest.fixture
def transport(transport_of: OpenTransport) -> Transport:
    """The transport with the usual options."""
    return transport_of()
