"""Real processes that use a state folder: what a test cannot do to itself."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def program(text: str, *arguments: object, stdin: int | None = None) -> subprocess.Popen[str]:
    """Start Python with this program; its output comes through pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", text, *map(str, arguments)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def output_of(text: str, *arguments: object, before: Callable[[], None] | None = None) -> str:
    """Run Python with this program to its end; give what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", text, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=before,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def files_of_at_most(size: int) -> Callable[[], None]:
    """Let a process write files of at most this size: its disk is full, as it seems."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
