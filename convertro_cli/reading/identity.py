"""What a file is recognised by, so that one which was replayed whole need not be read again."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from convertro_cli.reading.paths import as_text

_EDGE = 64 * 1024


class FileIdentity(Struct, frozen=True):
    """The file at this place with these contents, as far as can be told without reading it all.

    ``path`` is absolute with links resolved; ``edges`` is a 16-byte BLAKE2b digest of the first
    and the last 64 KiB.
    """

    path: str
    size: int
    mtime_ns: int
    edges: bytes


def identify(path: Path) -> FileIdentity:
    """The identity of the regular file at ``path``. Raises ``OSError`` if it cannot be read."""
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its writer
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with path.open("rb", buffering=0) as raw:
        return _identity(path, raw.fileno(), os.fstat(raw.fileno()))


def is_still(path: Path, then: FileIdentity) -> bool:
    """Whether the file at ``path``, which is known to be its place, is as it was then.

    Quicker than ``identify``, for a hundred thousand files. Raises ``OSError``.
    """
    # Not blocking: a pipe may have come in its place.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        return (
            stat.S_ISREG(status.st_mode)
            and (status.st_size, status.st_mtime_ns) == (then.size, then.mtime_ns)
            and _edges(descriptor, status.st_size) == then.edges
        )
    finally:
        os.close(descriptor)


class Witness:
    """Sees whether an open file stays the same while it is read."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._before = os.fstat(descriptor)

    def identity(self, consumed: int) -> FileIdentity | None:
        """The file's identity, once ``consumed`` bytes were read of it to its end.

        None if it is no regular file, or was changed, moved, removed or replaced since.
        """
        if not stat.S_ISREG(self._before.st_mode) or consumed != self._before.st_size:
            return None
        try:
            unchanged = (
                _state(os.fstat(self._descriptor))
                == _state(os.stat(self._path))  # noqa: PTH116 - there may be a great many
                == _state(self._before)
            )
            return _identity(self._path, self._descriptor, self._before) if unchanged else None
        except OSError:
            return None


def real_path(path: Path) -> str:
    """The absolute path of a file with links resolved, as text.

    A folder is resolved once for all the files in it that follow each other: it may have many.
    """
    whole = os.fspath(path)
    folder, name = os.path.split(whole)
    if name in {"", ".", ".."} or os.path.islink(whole):  # noqa: PTH114
        return as_text(os.path.realpath(whole))
    if not folder.startswith("/"):  # else what is kept would hold for one working folder alone
        folder = os.path.join(os.getcwd(), folder)  # noqa: PTH109, PTH118
    return as_text(f"{_real_folder(folder).rstrip('/')}/{name}")


@lru_cache(maxsize=8)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def _state(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _identity(path: Path, descriptor: int, status: os.stat_result) -> FileIdentity:
    edges = _edges(descriptor, status.st_size)
    return FileIdentity(real_path(path), status.st_size, status.st_mtime_ns, edges)


def _edges(descriptor: int, size: int) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    # Room for so much is made before it is read.
    first = os.pread(descriptor, min(_EDGE, size + 1), 0)
    digest.update(first)
    digest.update(os.pread(descriptor, _EDGE, size - _EDGE) if size > _EDGE else first)
    return digest.digest()
