"""A sandbox on a free port, and clocks that go only when told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox


class FakeClock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds

    def go(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(port=0), keep_requests=True) as sandbox:
        yield sandbox
