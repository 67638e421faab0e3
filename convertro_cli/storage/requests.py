"""Requests that are under way beside each other, while somebody waits for the first of them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, Generic, TypeVar, TypeVarTuple

_MOST: Final = 32

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class Reply(Generic[Result]):
    """What a request is answered with, or what was raised in place of one.

    A lock, and no future of the standard library: there is one for each of a hundred thousand
    small objects, and to make it takes a tenth of what the request does.
    """

    __slots__ = ("_error", "_is_there", "_result", "is_wanted")

    def __init__(self) -> None:
        self._is_there = threading.Lock()
        self._is_there.acquire()
        self._result: Any = None
        self._error: BaseException | None = None
        self.is_wanted = True

    def result(self) -> Result:
        """Wait for the answer, and give it. Raises what the request raised."""
        with self._is_there:
            if self._error is not None:
                raise self._error
            result: Result = self._result
            return result

    def cancel(self) -> None:
        """Do without it; a request that has not begun is not made."""
        self.is_wanted = False

    def take(self, request: Callable[..., Result], arguments: tuple[Any, ...]) -> None:
        """Make the request, and keep its answer."""
        try:
            self._result = request(*arguments)
        except BaseException as error:
            self._error = error
        self._is_there.release()


_Request = tuple[Reply[Any], Callable[..., Any], tuple[Any, ...]]


class Requests:
    """Carries out up to 32 requests at once, each in a thread, in the order they came.

    Of the threads that wait the one that has waited least is the next to do something, so where
    answers come quickly a few do all the work, and their caches stay warm. The threads keep no
    program from ending: an interrupted run waits for no answer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Request] = deque()
        self._idle: list[SimpleQueue[_Request]] = []  # the inbox of each thread that waits
        self._threads = 0

    def submit(
        self, request: Callable[[*Arguments], Result], *arguments: *Arguments
    ) -> Reply[Result]:
        """Have a request carried out; its answer, or what it raises, is there later."""
        answer: Reply[Result] = Reply()
        with self._lock:
            if not self._idle and self._threads < _MOST:
                inbox: SimpleQueue[_Request] = SimpleQueue()
                threading.Thread(
                    target=self._run, args=(inbox,), name="storage", daemon=True
                ).start()
                self._threads += 1
                self._idle.append(inbox)
            if self._idle:
                self._idle.pop().put((answer, request, arguments))
            else:
                self._waiting.append((answer, request, arguments))
        return answer

    def _run(self, inbox: SimpleQueue[_Request]) -> None:
        while True:
            waiting: _Request | None = inbox.get()
            while waiting is not None:
                answer, request, arguments = waiting
                if answer.is_wanted:
                    answer.take(request, arguments)
                del answer, request, arguments, waiting  # a part takes room
                with self._lock:
                    waiting = self._waiting.popleft() if self._waiting else None
                    if waiting is None:
                        self._idle.append(inbox)
