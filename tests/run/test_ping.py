"""Pings: what the service gets, and what nobody else gets to know."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from convertro_cli.run.ping import Ping

SECRET = "0d1c2b3a-secret"


class _Service(BaseHTTPRequestHandler):
    paths: ClassVar[list[str]] = []
    status: ClassVar[int] = 200

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.send_response(self.status)
        self.send_header("Location", "https://elsewhere.example.com/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    """A service on this machine; gives its address."""
    _Service.paths = []
    _Service.status = 200
    server = HTTPServer(("127.0.0.1", 0), _Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{SECRET}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("code", "signal"), [(0, ""), (1, "/1"), (75, "/75"), (130, "/130")])
def test_a_run_is_a_start_and_an_end(service: str, code: int, signal: str) -> None:
    """The address with /start, then as it is for success, or with the exit code."""
    warnings: list[str] = []
    ping = Ping(service, "run-1", warnings.append)
    ping.start()
    ping.end(code)
    assert _Service.paths == [f"/{SECRET}/start?rid=run-1", f"/{SECRET}{signal}?rid=run-1"]
    assert not warnings


def test_a_query_stays(service: str) -> None:
    """An address with a query keeps it behind the path."""
    Ping(f"{service}?create=1", "run-1", print).start()
    assert _Service.paths == [f"/{SECRET}/start?create=1&rid=run-1"]


def test_without_an_address_nobody_is_told() -> None:
    """No setting, no ping."""
    Ping(None, "run-1", pytest.fail).end(0)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_the_service_refuses_is_a_warning(service: str, status: int) -> None:
    """It names the host and the answer, not the address; a redirection is not followed."""
    _Service.status = status
    warnings: list[str] = []
    Ping(service, "run-1", warnings.append).start()
    (warning,) = warnings
    assert str(status) in warning
    assert "127.0.0.1" in warning
    assert SECRET not in warning


def test_a_service_that_is_not_there_is_a_warning() -> None:
    """It ends no run, and gives no more of the address away."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        warnings: list[str] = []
        Ping(f"http://127.0.0.1:{taken.getsockname()[1]}/{SECRET}", "r", warnings.append).end(0)
    (warning,) = warnings
    assert "no connection" in warning
    assert SECRET not in warning
