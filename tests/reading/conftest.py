"""Folders to read from, with and without the right to."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_NOBODY = 65534


@pytest.fixture
def forbidden() -> Iterator[Path]:
    """A folder, reachable for all, in a process for which file modes hold even under root."""
    folder = Path(tempfile.mkdtemp(prefix="reading-"))
    folder.chmod(0o777)
    root = os.geteuid() == 0
    if root:
        os.seteuid(_NOBODY)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        for path in folder.rglob("*"):
            path.chmod(0o700)
        shutil.rmtree(folder)


@pytest.fixture
def open_files() -> Iterator[None]:
    """The test must leave as many files open as it found."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    yield
    assert len(list(Path("/proc/self/fd").iterdir())) == before
