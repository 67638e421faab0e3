"""Peak memory of a process and all its children."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are no dependency

from tests.bench.measure import BenchFailedError

SAMPLE_EVERY = 0.020
#: The kernel adds up PSS page by page, so it is asked less often.
PSS_EVERY = 10


@dataclass(frozen=True, slots=True)
class Peak:
    """Bytes. ``rss`` counts pages that processes share once for each of them, ``pss`` once."""

    rss: int
    pss: int
    seconds: float


def _sample(root: psutil.Process, *, pss: bool) -> int:
    total = 0
    try:
        tree = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in tree:
        try:
            total += process.memory_full_info().pss if pss else process.memory_info().rss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


def peak_memory(command: Sequence[str | Path]) -> Peak:
    """Run the command to its end, sampling its process tree every 20 ms."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    root = psutil.Process(process.pid)
    rss = pss = count = 0
    while process.poll() is None:
        rss = max(rss, _sample(root, pss=False))
        if count % PSS_EVERY == 0:
            pss = max(pss, _sample(root, pss=True))
        count += 1
        time.sleep(SAMPLE_EVERY)
    if process.returncode:
        raise BenchFailedError(f"exit {process.returncode} of {' '.join(map(str, command))}")
    return Peak(rss, pss, time.perf_counter() - began)
