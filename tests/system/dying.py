"""Runs the program and kills it, from inside, at an exact moment: dying.py MOMENT N ARGUMENT...

A kill from outside comes at some time; this one comes between two particular steps. It is a
SIGKILL all the same, so nothing that the program could do about it is done.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from convertro_cli.__main__ import main
from convertro_cli.delivery.curl_transport import CurlTransport
from convertro_cli.delivery.requests_transport import RequestsTransport

_LETTERS = "dead-letters"


class Death:
    """Comes the ``count``-th time that it is called."""

    def __init__(self, count: int) -> None:
        self._left = count

    def is_due(self) -> bool:
        """Count down; whether this is the time."""
        self._left -= 1
        return self._left == 0

    def __call__(self) -> None:
        """Count down, and die if it is time."""
        if self.is_due():
            self.come()

    def come(self) -> None:
        """Die."""
        os.kill(os.getpid(), signal.SIGKILL)


def at_commit(death: Death, *, after: bool) -> None:
    """Die just before, or just after, a transaction is on disk."""

    class DyingConnection(sqlite3.Connection):
        def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            is_commit = sql == "COMMIT"
            if is_commit and not after:
                death()
            cursor = super().execute(sql, *arguments)
            if is_commit and after:
                death()
            return cursor

    sqlite3.connect = partial(sqlite3.connect, factory=DyingConnection)  # type: ignore[assignment]


def at_letter(death: Death, *, torn: bool) -> None:
    """Die when half of some dead letters is written, or when they are but not yet on disk."""
    open_file, write = os.open, os.write
    letters: set[int] = set()

    def opening(path: Any, *arguments: Any) -> int:
        descriptor = open_file(path, *arguments)
        if _LETTERS in os.fspath(path):
            letters.add(descriptor)
        return descriptor

    def writing(descriptor: int, content: Any) -> int:
        if descriptor in letters and death.is_due():
            write(descriptor, content[: len(content) // 2] if torn else content)
            death.come()
        return write(descriptor, content)

    os.open = opening  # type: ignore[assignment]
    os.write = writing


def at_rename(death: Death, *, after: bool) -> None:
    """Die just before, or just after, the dead letters are set aside."""
    rename = os.rename

    def renaming(source: Any, target: Any) -> None:
        if _LETTERS in os.fspath(source) and not after:
            death()
        rename(source, target)
        if _LETTERS in os.fspath(source) and after:
            death()

    os.rename = renaming  # type: ignore[assignment]


def at_request(death: Death) -> None:
    """Die when a request has been handed to the transport."""
    for transport in (CurlTransport, RequestsTransport):
        transport.start = _then(transport.start, death)  # type: ignore[method-assign]


def at_opening(death: Death) -> None:
    """Die when a file is about to be opened, renamed, removed, cut or made."""
    watched = {"open", "os.rename", "os.remove", "os.truncate", "os.mkdir", "sqlite3.connect"}

    def watch(event: str, _: object) -> None:
        if event in watched:
            death()

    sys.addaudithook(watch)


def _then(function: Callable[..., None], death: Death) -> Callable[..., None]:
    def wrapped(*arguments: Any) -> None:
        function(*arguments)
        death()

    return wrapped


MOMENTS: dict[str, Callable[[Death], None]] = {
    "before-commit": partial(at_commit, after=False),
    "after-commit": partial(at_commit, after=True),
    "torn-letter": partial(at_letter, torn=True),
    "after-letter": partial(at_letter, torn=False),
    "before-rename": partial(at_rename, after=False),
    "after-rename": partial(at_rename, after=True),
    "request": at_request,
    "opening": at_opening,
}

if __name__ == "__main__":
    MOMENTS[sys.argv[1]](Death(int(sys.argv[2])))
    del sys.argv[:3]
    sys.argv.insert(0, "convertro")
    main()
