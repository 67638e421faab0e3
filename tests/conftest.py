"""What all tests share: how property tests are run, how programs start, and in which order."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import PostgresServer, server_or_skip
from tests.review.browser import Browser, open_browser
from tests.soaking import examples

# An installed program has its bytecode beside it. One that may not keep it would be compiled anew
# by each of the hundreds of processes that the tests start, and the tests by each run of them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Started in the background of a shell, a process ignores Ctrl-C, and so would all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    with suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine must not fail a test, and CI must give the same answer twice.
settings.register_profile(
    "convertro",
    max_examples=examples(50),
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("convertro")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server of PostgreSQL that stays up; each test makes a database of its own there."""
    with server_or_skip() as server:
        yield server.start()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One chromium for all tests that look at pages; each view is a page of its own."""
    with open_browser() as opened:
        yield opened


_LONG_ROOMS = ("system", "storage", "delivery", "review", "reading", "cli")
"""Where the files are that take long. They come first, so that no core waits for the last one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the rooms first that take long."""
    rank = {f"tests/{room}/": number for number, room in enumerate(_LONG_ROOMS)}

    def order(item: pytest.Item) -> int:
        return next((n for room, n in rank.items() if item.nodeid.startswith(room)), len(rank))

    items.sort(key=order)


def pytest_collection_finish() -> None:
    """Look no more through what stays to the end: that took an eighth of the time of all tests."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores: some tests wait for a disk, a clock or another program."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file together: what its fixtures prepare is prepared once."""
    if config.getvalue("dist") != "load":
        return None
    config.option.loadscopereorder = False
    return import_module("xdist.scheduler").LoadFileScheduling(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have recorded, such as those of the crash test."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")
