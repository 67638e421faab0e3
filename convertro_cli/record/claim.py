"""The claim on a state folder that does not hang on its lock file.

A lock file can be removed under the run that holds it, and a new one be locked by the next. So
a run locks the folder as well; and where a whole folder can be removed and made anew, its name.
"""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

_WITHIN = 1.0
"""How long a run that was killed may take to let go of everything, in seconds."""


class FolderClaim:
    """Held by one run at a time; the kernel lets go of it however the run ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None
        self._name: socket.socket | None = None

    def take(self) -> bool:
        """Take it; False where another run has it. Raises OSError where there is no folder."""
        until = time.monotonic() + _WITHIN
        while not self._try():
            self.release()
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    def release(self) -> None:
        """Let go of it."""
        if self._name is not None:
            self._name.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._name = self._descriptor = None

    def _try(self) -> bool:
        self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks on folders
            pass
        return sys.platform != "linux" or self._try_name()

    def _try_name(self) -> bool:
        """Bind a name out of the file system, see unix(7): nobody can remove it."""
        above = self._folder.resolve().parent.stat()
        place = f"{above.st_dev} {above.st_ino} {self._folder.resolve().name}"
        digest = blake2b(place.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        self._name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with suppress(OSError):
            self._name.bind(f"\0convertro {digest}")
            return True
        return False
