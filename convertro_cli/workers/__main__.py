"""A worker process: gets a job, then does it for each batch until its input ends.

It lives on pipes alone, so it ends by itself when the process that started it is gone, however
that ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from convertro_cli.workers.frames import receive, send


def main() -> None:
    """Serve until standard input ends."""
    # An interrupt is for the parent to handle: it still wants the results under way.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    requests = sys.stdin.buffer
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print must not end up between the frames
    with contextlib.suppress(EOFError, BrokenPipeError):
        job = receive(requests)
        while True:
            send(results, job(receive(requests)))
    os._exit(0)  # without a last flush into the pipe of a parent that is gone


if __name__ == "__main__":
    main()
