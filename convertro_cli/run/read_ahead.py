"""Input that is got ready in the background, so that whoever uses it never waits for a disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

Item = TypeVar("Item")

_LOOK_UP_EVERY = 0.1


class _End:
    """Comes after the last item, so that whoever waits for another one wakes up."""


_END = _End()


class ReadAhead(Generic[Item]):
    """Runs an iterator in a thread, a few items ahead of its user, and no more than a few."""

    def __init__(self, items: Iterator[Item], *, ahead: int = 4) -> None:
        self._items = items
        self._queue: Queue[Item | _End] = Queue(ahead)
        self._stopped = threading.Event()
        self._finished = False
        self._error: BaseException | None = None
        # A daemon: standard input that never ends must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    @property
    def is_finished(self) -> bool:
        """Whether every item was taken."""
        return self._finished and self._error is None

    def take(self, timeout: float) -> Item | None:
        """Give the next item, or None if there is none within ``timeout`` seconds.

        Raises what the iterator raised, once all the items before that are taken.
        """
        if self._finished:
            self._raise_error()
            return None
        try:
            item = self._queue.get(timeout=timeout) if timeout > 0 else self._queue.get_nowait()
        except Empty:
            return None
        if isinstance(item, _End):
            self._finished = True
            self._raise_error()
            return None
        return item

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def stop(self) -> None:
        """Read no further. Waits briefly for the thread, unless it waits for its input."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    break
        except BaseException as error:
            self._error = error
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()
            self._put(_END)

    def _put(self, item: Item | _End) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=_LOOK_UP_EVERY)
            except Full:
                continue
            return True
        return False
