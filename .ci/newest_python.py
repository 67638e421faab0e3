"""Prints the newest Python of this machine besides the one that runs this, if there is one.

It must be as new as the program asks for, and able to make a virtual environment.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_ASK = "import ensurepip, sys, venv; print(sys.version_info[1])"
_NOWHERE = subprocess.DEVNULL
_OLDEST = 11
_NAME = re.compile(r"python3\.\d+")


def _folders() -> list[Path]:
    """Where programs are looked for, and where pyenv keeps those that are not among them."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return [*map(Path, os.get_exec_path()), *pyenv.glob("versions/*/bin")]


def _named() -> Iterator[Path]:
    for folder in _folders():
        if folder.is_dir():
            yield from (each for each in folder.iterdir() if _NAME.fullmatch(each.name))


def _minor_of(python: Path) -> int:
    """Ask for the second number of its version; -1 where it does not answer."""
    try:
        return int(subprocess.check_output([python, "-c", _ASK], stderr=_NOWHERE, timeout=30))
    except (OSError, ValueError, subprocess.SubprocessError):
        return -1  # a shim of pyenv's for a version that is not in use, say


def newest() -> Path | None:
    """Find it."""
    found = {_minor_of(each): each for each in _named()}
    others = [minor for minor in found if minor >= _OLDEST and minor != sys.version_info[1]]
    return found[max(others)] if others else None


if __name__ == "__main__":
    print(newest() or "")
