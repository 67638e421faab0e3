"""Do a job for every batch, in order, on as many processes as wanted.

Workers are plain subprocesses that import only what mapping needs: they cost little memory,
share no locks or sockets with this process, and never outlive it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

import convertro_cli
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.workers.frames import pack, receive, send, send_packed

Batch = TypeVar("Batch")
Result = TypeVar("Result")

_AHEAD = 2  # batches given out for each worker: one being worked on, one waiting for it

# The C library gives the memory of one batch back before it asks for that of the next, and a fresh
# page costs more than a copy of its content. It is told to keep what one batch takes.
_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(32 << 20), "MALLOC_MMAP_THRESHOLD_": str(32 << 20)}

# A worker knows a call again that another one met, by Python's own hash of it.
_SEED = {"PYTHONHASHSEED": str(secrets.randbelow(1 << 32))}


def run_in_order(
    job: Callable[[Batch], Result], batches: Iterable[Batch], *, workers: int
) -> Iterator[tuple[Batch, Result]]:
    """Yield each batch with the job's result, in the order of the batches.

    With one worker the job runs in this process. At most a few batches are under way at once,
    so memory does not grow with the input. Raises ConvertroError when a worker dies.
    """
    if workers <= 1:
        for batch in batches:
            yield batch, job(batch)
        return
    with _Processes(job, workers) as processes, ThreadPoolExecutor(workers) as threads:
        under_way: deque[tuple[Batch, Future[Result]]] = deque()
        for batch in batches:
            under_way.append((batch, threads.submit(processes.do, batch)))
            if len(under_way) >= _AHEAD * workers:
                done, future = under_way.popleft()
                yield done, future.result()
        for done, future in under_way:
            yield done, future.result()


class _Processes(Generic[Batch, Result]):
    """Worker processes; each does one batch at a time."""

    def __init__(self, job: Callable[[Batch], Result], count: int) -> None:
        content, descriptors = pack(job)
        self._all = [_start(descriptors) for _ in range(count)]
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for process in self._all:
            with contextlib.suppress(OSError):  # one that died already is told of when it is used
                send_packed(_pipe(process.stdin), content)
            self._idle.put(process)

    def __enter__(self) -> _Processes[Batch, Result]:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._all:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                _close(pipe)

    def do(self, batch: Batch) -> Result:
        """Have an idle worker do the job for a batch, and wait for its result."""
        process = self._idle.get()
        try:
            send(_pipe(process.stdin), batch)
            result: Result = receive(_pipe(process.stdout))
        except (EOFError, OSError):
            raise ConvertroError(
                f"A mapping process ended unexpectedly ({_ending(process)}).",
                hint="Nothing is lost: run the same command again. If it recurs, try --workers 1.",
                exit_code=ExitCode.TRY_LATER,
            ) from None
        finally:
            self._idle.put(process)
        return result


def _start(descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
    package_home = str(Path(convertro_cli.__file__).parent.parent)
    paths = [package_home, os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        # -P: a file beside the export must not be taken for a module.
        [sys.executable, "-P", "-m", "convertro_cli.workers"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=descriptors,
        env=_MEMORY | os.environ | _SEED | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        start_new_session=True,  # Ctrl-C in a terminal is for the parent alone
    )


def _pipe(pipe: Any) -> Any:
    assert pipe is not None
    return pipe


def _close(pipe: Any) -> None:
    with contextlib.suppress(OSError):  # what was still buffered for a worker that is gone
        _pipe(pipe).close()


def _ending(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return "its pipe closed"
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
