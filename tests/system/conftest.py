"""A folder to run the program in, and a sandbox that remembers what it received."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.system.program import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A folder with settings."""
    workspace = Workspace(tmp_path)
    yield workspace
    workspace.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox without faults."""
    with Sandbox(SandboxOptions(port=0), keep_requests=True) as sandbox:
        yield sandbox
