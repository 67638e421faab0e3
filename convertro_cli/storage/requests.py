"""Requests that are under way beside each other, while somebody waits for the first of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Final, ParamSpec, TypeVar

_MOST: Final = 32

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


class Requests:
    """Carries out up to 32 requests at once, each in a thread, in the order they came.

    The threads keep no program from ending: an interrupted run waits for no answer.
    """

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._threads = 0
        self._idle = threading.Semaphore(0)

    def submit(
        self,
        request: Callable[Arguments, Result],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Future[Result]:
        """Have a request carried out; its answer, or what it raises, is the future's."""
        future: Future[Result] = Future()

        def carry_out() -> None:
            if future.set_running_or_notify_cancel():
                _settle(future, lambda: request(*arguments, **named))

        self._waiting.put(carry_out)
        if not self._idle.acquire(blocking=False) and self._threads < _MOST:
            self._threads += 1
            threading.Thread(target=self._run, name="storage", daemon=True).start()
        return future

    def _run(self) -> None:
        while True:
            self._waiting.get()()
            self._idle.release()


def _settle(future: Future[Any], request: Callable[[], Any]) -> None:
    try:
        future.set_result(request())
    except BaseException as error:
        future.set_exception(error)
