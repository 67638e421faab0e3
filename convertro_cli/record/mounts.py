"""Whether a folder is on another machine: no place for a ledger.

SQLite needs locks that hold and writes that are on the disk when it is told so. Network file
systems promise neither, see "How To Corrupt An SQLite Database File", section 2.1; and the log
of a database in WAL mode is shared memory, which two machines do not have.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from convertro_cli.errors import ConvertroError, ExitCode

TABLE = Path("/proc/self/mountinfo")
"""Linux's table of what is mounted where, see proc(5). Elsewhere there is none to look at."""

_REMOTE = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "lustre", "gfs2", "ocfs2"}
    | {"beegfs", "glusterfs", "davfs"}
)
_REMOTE_BY_FUSE = frozenset(
    {"sshfs", "rclone", "s3fs", "goofys", "gcsfuse", "mount-s3", "blobfuse2", "glusterfs", "ceph"}
    | {"davfs2", "curlftpfs", "smbnetfs", "juicefs"}
)
_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A line of the table: where something is mounted, of which type, and from where."""

    point: str
    kind: str
    source: str

    @property
    def is_remote(self) -> bool:
        """Whether another machine keeps the files.

        Some sandboxes have all of a machine's own files behind 9p: as the root it is no network.
        """
        if self.kind.startswith("fuse."):
            return self.kind.removeprefix("fuse.") in _REMOTE_BY_FUSE
        return self.kind in _REMOTE and not (self.kind == "9p" and self.point == "/")


def refuse_remote(file: Path, table: Path | None = None) -> None:
    """Raise ConvertroError where a ledger would lie on a network file system."""
    mount = find_mount(os.path.realpath(file), table or TABLE)
    if mount is None or not mount.is_remote:
        return
    raise ConvertroError(
        f"The ledger {file} would lie on a network file system: {mount.point} is {mount.kind}, "
        f"from {mount.source}. Its locks and writes cannot be relied on there, so events could "
        "be lost or sent twice.",
        hint="Name a folder on a disk of this machine with --state (or delivery.state). If there "
        "is a ledger already, copy the whole folder there first: it knows what was delivered.",
        exit_code=ExitCode.CANNOT_WRITE_STATE,
    )


def find_mount(path: str, table: Path) -> Mount | None:
    """Find what is mounted where a file lies; None where there is no table to tell."""
    try:
        lines = os.fsdecode(table.read_bytes()).splitlines()
    except OSError:
        return None
    over = [mount for mount in _read(lines) if _is_under(path, mount.point)]
    # The longest is the nearest; of two in one place the later one hides the other.
    return max(reversed(over), key=lambda mount: len(mount.point), default=None)


def _read(lines: list[str]) -> Iterator[Mount]:
    for line in lines:
        place, _, origin = line.partition(" - ")
        places, origins = place.split(" "), origin.split(" ")
        if len(places) > 4 and len(origins) > 1:
            yield Mount(_plain(places[4]), origins[0], _plain(origins[1]))


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)


def _is_under(path: str, point: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")
