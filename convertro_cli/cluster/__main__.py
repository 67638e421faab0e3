"""The process of one bundle: gets an order and the bundle, carries it out, and ends.

It is a process, for a worker does its tasks in threads: a replay listens to signals, which only a
main thread can, and mapping holds the interpreter's lock. When its input ends the worker is gone,
or wants it no more: a replay then ends as after SIGTERM, with nothing left in doubt.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

from convertro_cli.cluster import frames
from convertro_cli.cluster.parcel import unpack
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.workers.frames import receive

_PATIENCE = 15.0
"""Seconds for the requests under way, and for the ledger to have all that is known."""


def main() -> None:
    """Carry out one order for one bundle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for whoever drives all this
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print must not end up between the frames
    order_content, bundle_content = receive(sys.stdin.buffer)
    threading.Thread(target=_end_with_input, daemon=True).start()
    with contextlib.suppress(BrokenPipeError):  # the worker is gone: nobody wants to know
        for frame in _carry_out(order_content, bundle_content):
            results.write(frame)
        results.flush()
    os._exit(0)  # threads that wait for object storage must not keep it


def _carry_out(order_content: bytes, bundle_content: bytes) -> Iterator[bytes]:
    try:
        order = unpack(order_content)
        bundle = unpack(bundle_content, order.storage)
        yield from map(frames.part, order.carry_out(bundle))
        yield frames.end()
    except ConvertroError as error:
        yield frames.fault(error)


def _end_with_input() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE)
    os._exit(int(ExitCode.TRY_LATER))


if __name__ == "__main__":
    main()
