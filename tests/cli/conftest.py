"""A command line to try in a folder of its own, and a sandbox that remembers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine


@pytest.fixture
def convertro(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Iterator[CommandLine]:
    """The command line, in a folder with settings."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("CONVERTRO_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    command_line = CommandLine(tmp_path, capfdbinary)
    yield command_line
    command_line.workspace.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox without faults."""
    with Sandbox(SandboxOptions(port=0), keep_requests=True) as sandbox:
        yield sandbox
