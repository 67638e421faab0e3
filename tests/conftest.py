"""What all tests share: how property tests are run, and that programs start as for users."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import HealthCheck, settings

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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have recorded, such as those of the crash test."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")
