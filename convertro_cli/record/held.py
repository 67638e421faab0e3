"""Files that are open are held, not believed: is what a run writes to still what others find?

A file can be removed or replaced while it is open. Its owner goes on writing to what nobody can
find any more, and whoever comes next begins anew.
"""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from convertro_cli.errors import ConvertroError, ExitCode

Inode = tuple[int, int]
"""A file's device and number."""


class HeldFile(Struct, frozen=True):
    """A file as it was when it was opened; ``what`` names it to a person."""

    what: str
    path: Path
    identity: Inode

    @classmethod
    def at(cls, what: str, path: Path) -> HeldFile:
        """Remember the file that is there now. Raises OSError where there is none."""
        return cls(what, path, identity_of(os.stat(path)))  # noqa: PTH116 - once a commit

    def check(self) -> None:
        """Raise ConvertroError with exit code 74 where it was removed or replaced."""
        try:
            found = identity_of(os.stat(self.path))  # noqa: PTH116
        except OSError:
            found = None
        if found == self.identity:
            return
        happened = "was removed" if found is None else "was replaced by another file"
        raise ConvertroError(
            f"{self.what} {self.path} {happened} while this run was using it, so nothing more is "
            "sent.",
            hint="Put the state folder back as it was (from a copy, if there is one), then run "
            "the same command again. Without its ledger, a replay sends everything again.",
            exit_code=ExitCode.CANNOT_WRITE_STATE,
        )


def identity_of(status: os.stat_result) -> Inode:
    """Give what tells a file from every other."""
    return status.st_dev, status.st_ino
