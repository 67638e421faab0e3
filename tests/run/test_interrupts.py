"""Interrupts, with real signals."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from convertro_cli.errors import ExitCode
from convertro_cli.run.interrupts import Interrupts


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        assert signal.getsignal(number) is handler


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def test_without_a_signal_nothing_is_asked_for() -> None:
    """A run that nobody interrupts has no exit code from here."""
    with Interrupts() as interrupts:
        assert not interrupts.stop_requested
        assert not interrupts.stop_at_once
        assert interrupts.exit_code is None


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)],
)
def test_the_first_signal_asks_for_a_clean_end(number: signal.Signals, code: ExitCode) -> None:
    """One signal raises nothing: it asks to stop, and says which exit code is due."""
    with Interrupts() as interrupts:
        send(number)

        assert interrupts.stop_requested
        assert not interrupts.stop_at_once
        assert interrupts.exit_code is code


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_asks_for_an_end_at_once(second: signal.Signals) -> None:
    """Whichever comes second, it ends the waiting; the first decides the exit code."""
    with Interrupts() as interrupts:
        send(signal.SIGTERM)
        send(second)

        assert interrupts.stop_at_once
        assert interrupts.exit_code is ExitCode.TERMINATED


def test_afterwards_signals_do_what_they_did_before() -> None:
    """When the run is over an interrupt ends the program again, even after an error."""
    with pytest.raises(ZeroDivisionError), Interrupts():
        raise ZeroDivisionError

    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGINT)
