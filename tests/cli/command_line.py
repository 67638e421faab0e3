"""The command line, called in this process: quick, for all that needs no process of its own."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from convertro_cli.cli.app import run
from tests.system.program import Ended, Workspace


class CommandLine:
    """Runs command lines in a folder with a convertro.toml."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[bytes]) -> None:
        self.workspace = Workspace(folder)
        self._capture = capture

    def __call__(self, *arguments: str | Path) -> Ended:
        """Run one; give its exit code and what it printed."""
        self._capture.readouterr()
        started = time.monotonic()
        code = run([str(argument) for argument in arguments])
        sys.stdout.flush()
        out, err = self._capture.readouterr()
        return Ended(code, out, err.decode(), time.monotonic() - started)

    def replay(self, url: str, *arguments: str | Path) -> Ended:
        """Replay to a sandbox, with the summary on standard output."""
        return self("replay", *arguments, "--base-url", url, "--json")
