"""A folder to run the program in, and a sandbox that remembers what it received."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.postgres import PostgresServer, server_or_skip
from tests.system.program import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A folder with settings."""
    workspace = Workspace(tmp_path)
    yield workspace
    workspace.close()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of PostgreSQL that is a file's own."""
    with server_or_skip() as server:
        yield server


@pytest.fixture
def mortal_postgres(server: PostgresServer) -> PostgresServer:
    """A server that a test may kill: the next one starts it again."""
    return server if server.process is not None else server.start()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox without faults."""
    with Sandbox(SandboxOptions(port=0), keep_requests=True) as sandbox:
        yield sandbox
