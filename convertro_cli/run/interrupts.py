"""SIGINT, SIGTERM and SIGHUP: the first asks for a clean end, the second for one at once."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from convertro_cli.errors import ExitCode

_CODES = {
    signal.SIGHUP: ExitCode.HUNG_UP,
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
}


class Interrupts:
    """While it is entered, signals are counted instead of ending the program.

    A SIGHUP that is ignored stays so: that is what ``nohup`` is for.
    """

    def __init__(self) -> None:
        self._count = 0
        self._first: signal.Signals | None = None
        self._asked_for: ExitCode | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        for number in _CODES:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def stop_requested(self) -> bool:
        """Whether to start nothing more."""
        return self._count > 0

    @property
    def stop_at_once(self) -> bool:
        """Whether not to wait for what is under way either."""
        return self._count > 1

    @property
    def exit_code(self) -> ExitCode | None:
        """The exit code that the first signal asks for."""
        return _CODES[self._first] if self._first is not None else self._asked_for

    def stop(self, exit_code: int) -> None:
        """Ask for a clean end as the signal of this exit code does; a signal goes before it.

        It may be called from any thread.
        """
        if self._count == 0:
            self._count, self._asked_for = 1, ExitCode(exit_code)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._count += 1
        if self._first is None:
            self._first = signal.Signals(number)
