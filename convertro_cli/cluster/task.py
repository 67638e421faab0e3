"""The task that a worker of Dask carries out: it has a process deal with a bundle."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from distributed import get_worker

import convertro_cli
from convertro_cli.cluster import frames
from convertro_cli.errors import ConvertroError
from convertro_cli.workers.frames import send

_LOOK_EVERY = 0.25
_PIECE = 1 << 20
_UNWANTED = frozenset({"cancelled", "resumed"})


class BundleProcessError(Exception):
    """The process of a bundle did not come to its end. The engine tries the bundle again."""


def carry_out(order: bytes, bundle: bytes, seed: int, made_by: str) -> bytes:
    """Carry out an order for a bundle, both packed, and give the frames of what came of it.

    ``made_by`` is what ``this_program`` gives where the order is from, ``seed`` that of the
    hashes by which repeats are found over all bundles. Raises BundleProcessError.
    """
    if made_by != this_program():
        return frames.fault(_other_program(made_by))
    process = _start(seed)
    assert process.stdin is not None
    try:
        with contextlib.suppress(OSError):  # one that died is told of below
            send(process.stdin, (order, bundle))
        content = _output_of(process, _watch())
    finally:
        with contextlib.suppress(OSError):
            process.stdin.close()
        code = process.wait()
        assert process.stdout is not None
        process.stdout.close()
    if not frames.is_whole(content):
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        raise BundleProcessError(how)
    return content


def this_program() -> str:
    """Say which program and which Python this is: an order is for the same two."""
    version = ".".join(map(str, sys.version_info[:2]))
    return f"convertro {convertro_cli.__version__} on Python {version}"


def _other_program(made_by: str) -> ConvertroError:
    return ConvertroError(
        f"A worker has {this_program()}, and this is {made_by}.",
        hint="Install the same versions on the workers and here.",
    )


def _start(seed: int) -> subprocess.Popen[bytes]:
    package_home = str(Path(convertro_cli.__file__).parent.parent)
    paths = os.pathsep.join(filter(None, (package_home, os.environ.get("PYTHONPATH", ""))))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "convertro_cli.cluster"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONHASHSEED": str(seed), "PYTHONPATH": paths},
        start_new_session=True,  # Ctrl-C in a terminal is for the driver alone
    )


def _output_of(process: subprocess.Popen[bytes], is_unwanted: Callable[[], bool]) -> bytes:
    """Give all that a process says. Where it is not wanted any more, its input ends."""
    assert process.stdin is not None
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    pieces: list[bytes] = []
    while True:
        ready, _, _ = select.select([descriptor], [], [], _LOOK_EVERY)
        if ready:
            piece = os.read(descriptor, _PIECE)
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
        elif not process.stdin.closed and is_unwanted():
            with contextlib.suppress(OSError):
                process.stdin.close()


def _watch() -> Callable[[], bool]:
    """Give a look at whether this task was cancelled: Dask itself lets a running one run on."""
    try:
        worker = get_worker()
        key = worker.get_current_task()
    except ValueError:  # not in a worker
        return lambda: False

    def is_unwanted() -> bool:
        task: Any = worker.state.tasks.get(key)
        return task is None or task.state in _UNWANTED

    return is_unwanted
