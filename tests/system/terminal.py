"""The program on a terminal of 80 columns, with somebody who types."""

from __future__ import annotations

import os
import pty
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl
from pathlib import Path

from tests.system.program import PROGRAM

CTRL_C = b"\x03"
CTRL_D = b"\x04"


class Terminal:
    """A program whose standard input, output and error are a terminal."""

    def __init__(self, folder: Path, *arguments: str | Path, kind: str = "dumb") -> None:
        self._ours, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        environ = {name: v for name, v in os.environ.items() if not name.startswith("CONVERTRO_")}
        self._process = subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environ | {"TERM": kind},
            start_new_session=True,
            # The terminal sends its signals, such as that of Ctrl-C, to whom it controls.
            preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(theirs)
        self._shown = b""

    @property
    def text(self) -> str:
        """What it has shown, and what was typed."""
        return self._shown.decode().replace("\r\n", "\n")

    def wait_for(self, text: str) -> None:
        """Wait until it shows this. Fails when it ends before."""
        while text not in self.text:
            assert self._read(), self.text

    def type(self, keys: bytes) -> None:
        """Type."""
        os.write(self._ours, keys)

    def end(self) -> int:
        """Wait for its end; give its exit code, or minus the signal's number."""
        while self._read():
            pass
        return self._process.wait(timeout=30)

    def close(self) -> None:
        """Close the terminal; the program does not outlive it."""
        os.close(self._ours)
        self._process.kill()
        self._process.wait()

    def _read(self) -> bool:
        block = b""
        with suppress(OSError):  # the end of a terminal
            block = os.read(self._ours, 65536)
        self._shown += block
        return bool(block)


@contextmanager
def on_a_terminal(folder: Path, *arguments: str | Path, kind: str = "dumb") -> Iterator[Terminal]:
    """Run the program there; a ``dumb`` terminal shows no progress."""
    terminal = Terminal(folder, *arguments, kind=kind)
    try:
        yield terminal
    finally:
        terminal.close()
