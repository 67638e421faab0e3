"""Starts programs at once: a process that has loaded Convertro already, and splits them off.

A fresh interpreter spends most of a short run on loading, and the tests start hundreds of them.
What splits off here is a process like any other, with its own id, memory and descriptors: it can be
killed, and it ends as an interpreter ends. What it has not gone through is its start, so tests of
that, of the memory, and a soak have fresh ones.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import pickle
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO, Any

_LONGEST_ORDER = 1 << 20
_LOADED = (
    "cli.app",
    "cli.dry_run",
    "cli.open_letters",
    "cli.replay_watch",
    "cli.selection",
    "cli.summary",
    "cli.watching",
    "delivery.curl_transport",
    "delivery.requests_transport",
    "dry_run",
    "replay",
    "review.diff.run",
    "review.inspect.run",
)
_FOR_A_CLUSTER = frozenset({"--cluster", "--scheduler"})
"""The options with which a program needs Dask, too, which takes longer to load than all else."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run: the words after the interpreter's name, where, in which environment."""

    words: Sequence[str]
    folder: str
    environ: Mapping[str, str]


class Forked:
    """A program that was split off, with what the tests use of a ``subprocess.Popen``.

    Its standard input may be ``subprocess.PIPE``.
    """

    stdout = None

    def __init__(self, order: Order, stdin: int, stdout: int, stderr: int) -> None:
        self.stdin: IO[bytes] | None = None
        self._state, theirs = socket.socketpair()
        with ExitStack() as passed_on:
            passed_on.enter_context(theirs)
            if stdin == subprocess.PIPE:
                stdin, ours = os.pipe()
                passed_on.callback(os.close, stdin)
                self.stdin = os.fdopen(ours, "wb")
            _server().send(order, [stdin, stdout, stderr, theirs.fileno()])
        self.returncode: int | None = None
        self.pid = self._receive()

    def poll(self) -> int | None:
        """Give how it ended, if it has."""
        if self.returncode is None and select.select([self._state], [], [], 0)[0]:
            self.returncode = self._receive()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._state], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self.returncode = self._receive()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it by SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Let go of it; until then its id is nobody else's."""
        self._state.close()

    def _receive(self) -> int:
        content = self._state.recv(8)
        assert content, "the fork server is gone"
        return int.from_bytes(content, signed=True)


class _Server:
    """The process that has loaded everything. It ends with this one."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=Path(__file__).parents[2],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self.owner = os.getpid()
        atexit.register(self.close)

    def send(self, order: Order, descriptors: list[int]) -> None:
        """Have it carry out an order, with these for input, output, errors, and its state."""
        socket.send_fds(self._orders, [pickle.dumps(order)], descriptors)

    def close(self) -> None:
        """End it."""
        if self.owner == os.getpid():
            self._orders.close()
            self._process.wait()


_servers: list[_Server] = []


def _server() -> _Server:
    if not _servers:
        _servers.append(_Server())
    return _servers[0]


def serve(orders: socket.socket) -> Order | None:
    """Split off a program for each order. Gives the order in the program, None at the end."""
    for name in _LOADED:
        import_module(f"convertro_cli.{name}")
    gc.collect()
    gc.freeze()  # or the first collection of each program would copy all of it
    while True:
        content, descriptors, *_ = socket.recv_fds(orders, _LONGEST_ORDER, 4)
        if not content:
            _let_go_of_ended()
            return None
        order: Order = pickle.loads(content)
        if _FOR_A_CLUSTER.intersection(order.words):
            import_module("distributed")
        if os.fork() == 0:
            orders.close()
            return _split_off(order, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _let_go_of_ended()


def _let_go_of_ended() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _split_off(order: Order, stdin: int, stdout: int, stderr: int, state: int) -> Order:
    """Become the program; its parent stays, to tell how it ends and to keep its id for it."""
    program = os.fork()
    if program == 0:
        os.close(state)
        for number, descriptor in enumerate((stdin, stdout, stderr)):
            os.dup2(descriptor, number)
            os.close(descriptor)
        return order
    for descriptor in (0, 1, 2, stdin, stdout, stderr):
        os.close(descriptor)
    with suppress(OSError), socket.socket(fileno=state) as told:
        told.send(program.to_bytes(8))
        end = os.waitid(os.P_PID, program, os.WEXITED | os.WNOWAIT)
        assert end is not None
        code = end.si_status if end.si_code == os.CLD_EXITED else -end.si_status
        told.send(code.to_bytes(8, signed=True))
        told.recv(1)
    with suppress(ChildProcessError):
        os.waitpid(program, os.WNOHANG)
    os._exit(0)


def become(order: Order) -> None:
    """Do what the interpreter does with these words, from here on."""
    os.environ.clear()
    os.environ.update(order.environ)
    time.tzset()
    os.chdir(order.folder)
    _open_streams()
    what, *rest = order.words
    if what == "-m":
        sys.path[0] = order.folder
        sys.argv[:] = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif what == "-c":
        sys.path[0] = ""
        sys.argv[:] = ["-c", *rest[1:]]
        sys.modules["__main__"] = main = ModuleType("__main__")
        exec(rest[0], main.__dict__)
    else:
        sys.path[0] = str(Path(what).parent)
        sys.argv[:] = order.words
        runpy.run_path(what, run_name="__main__")


def _open_streams() -> None:
    """Open the standard streams anew: what they lead to decides how they are buffered."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        old: Any = getattr(sys, name)
        raw = io.FileIO(number, "wb" if number else "rb", closefd=False)
        buffered = io.BufferedWriter(raw) if number else io.BufferedReader(raw)
        stream = io.TextIOWrapper(
            buffered,
            encoding=old.encoding,
            errors=old.errors,
            line_buffering=number == 2 or raw.isatty(),
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        found = serve(connection)
    if found is not None:
        become(found)
