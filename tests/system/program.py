"""The program as a user has it: a process of its own, in a folder with a convertro.toml."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from convertro_cli.settings.load import LoadedSettings, load_settings
from tests.exports import BENCH_SETTINGS
from tests.soaking import IS_SOAK
from tests.system.fork_server import Forked, Order

PROGRAM = (sys.executable, "-m", "convertro_cli")

SETTINGS = BENCH_SETTINGS

WITH_POISON = (
    SETTINGS
    + """
[wire.paths]
install = "/api/unheard-of/{client_name}/{site_id}/"
"""
)
"""Settings under which each install is refused for good, as the sandbox has no such path."""

_NOT_INHERITED = {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "no_color", "force_color"}


def wait_until(condition: Callable[[], object], what: str, *, within: float = 30.0) -> None:
    """Wait for an event. It fails when the event does not come in time."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"within {within:g} s there was no {what}"
        time.sleep(0.002)


@dataclass(frozen=True, slots=True)
class Ended:
    """How the program ended: its exit code (minus the signal's number), and what it printed."""

    code: int
    out: bytes
    err: str
    seconds: float

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it printed on standard output, as JSON lines."""
        return [orjson.loads(line) for line in self.out.splitlines()]

    @property
    def summary(self) -> dict[str, Any]:
        """The summary that ``--json`` prints; it adds up, or this fails."""
        (summary,) = self.lines
        counts = dict(summary["messages"])
        assert counts.pop("read") == sum(counts.values())
        for outcome in ("skipped", "invalid", "failed"):
            assert counts[outcome] == sum(summary[outcome].values())
        assert summary["exit_code"] == self.code
        found: dict[str, Any] = summary
        return found

    def assert_told(self, code: int, *words: str) -> None:
        """It ended with this code, and one message with these words, not with a traceback."""
        assert self.code == code, self.err
        assert "Traceback" not in self.err
        assert "Exception ignored" not in self.err
        assert self.err.count("convertro: ") == 1, self.err
        for word in words:
            assert word in self.err


class Running:
    """The program under way. What it prints goes to files, so that nobody has to listen."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        folder: Path,
        stdin: bytes | int | None,
        environ: Mapping[str, str],
        before: Callable[[], object] | None,
        stdout: int | None = None,
        stderr: int | None = None,
        fresh: bool = False,
    ) -> None:
        self._in, self._out, self._err = (tempfile.TemporaryFile() for _ in range(3))  # noqa: SIM115
        self._started = time.monotonic()
        if isinstance(stdin, bytes):
            self._in.write(stdin)
            self._in.seek(0)
        stdin = stdin if isinstance(stdin, int) else self._in.fileno()
        stdout = self._out.fileno() if stdout is None else stdout
        stderr = self._err.fileno() if stderr is None else stderr
        self.process: subprocess.Popen[bytes] | Forked
        if fresh or before is not None:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=environ,
                preexec_fn=before,  # noqa: PLW1509 - only where no other thread is
            )
        else:
            order = Order([str(word) for word in command[1:]], str(folder), environ)
            self.process = Forked(order, stdin, stdout, stderr)

    def err(self) -> str:
        """What it has printed on standard error so far."""
        return _content(self._err).decode()

    def wait_for_err(self, text: str) -> None:
        """Wait until it has printed this on standard error."""
        wait_until(lambda: text in self.err(), f"{text!r} on standard error")

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> Ended:
        """End it by SIGKILL."""
        self.process.kill()
        return self.end()

    def end(self, within: float = 120.0) -> Ended:
        """Wait for its end."""
        code = self.process.wait(timeout=within)
        seconds = time.monotonic() - self._started
        return Ended(code, _content(self._out), self.err(), seconds)

    def close(self) -> None:
        """Kill it if it still runs, and let go of its files."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if isinstance(self.process, Forked):
            self.process.close()
        for stream in (self._in, self._out, self._err, self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


class Workspace:
    """A folder with a convertro.toml; the program runs there."""

    def __init__(self, folder: Path, settings: str = SETTINGS) -> None:
        self.folder = folder
        self.config = folder / "convertro.toml"
        self.config.write_text(settings)
        self.state = folder / ".convertro"
        self.dead_letters = self.state / "dead-letters.ndjson"
        self._all: list[Running] = []

    def load(self, url: str) -> LoadedSettings:
        """Load the settings as the program does that is to replay to this address."""
        return load_settings(self.config, options={"wire.base_url": url}, environ={})

    def start(
        self,
        *arguments: str | Path,
        stdin: bytes | int | None = None,
        environ: Mapping[str, str] | None = None,
        before: Callable[[], object] | None = None,
        program: Sequence[str | Path] = PROGRAM,
        stdout: int | None = None,
        stderr: int | None = None,
        fresh: bool = False,
    ) -> Running:
        """Start the program; ``before`` runs in its process before it does.

        With ``fresh`` it loads everything itself, as a user's does; else a process that has done so
        splits it off, where nothing but the program is wanted. In a soak all are fresh.
        """
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name.lower() not in _NOT_INHERITED and not name.startswith("CONVERTRO_")
        }
        running = Running(
            [*program, *arguments],
            folder=self.folder,
            stdin=stdin,
            environ=inherited | dict(environ or {}),
            before=before,
            stdout=stdout,
            stderr=stderr,
            fresh=fresh or IS_SOAK or _is_of_the_start(program, environ),
        )
        self._all.append(running)
        return running

    def run(
        self,
        *arguments: str | Path,
        stdin: bytes | int | None = None,
        environ: Mapping[str, str] | None = None,
        before: Callable[[], object] | None = None,
        program: Sequence[str | Path] = PROGRAM,
        fresh: bool = False,
    ) -> Ended:
        """Run the program to its end."""
        running = self.start(
            *arguments, stdin=stdin, environ=environ, before=before, program=program, fresh=fresh
        )
        return running.end()

    def replay(self, url: str, *arguments: str | Path, stdin: bytes | None = None) -> Ended:
        """Replay to a sandbox, with the summary on standard output."""
        return self.run("replay", *arguments, "--base-url", url, "--json", stdin=stdin)

    def write(self, name: str, *messages: bytes | dict[str, Any]) -> Path:
        """Write an export: messages, or lines as they are."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [m if isinstance(m, bytes) else orjson.dumps(m) for m in messages]
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    def close(self) -> None:
        """End what still runs."""
        for running in self._all:
            running.close()


def _is_of_the_start(program: Sequence[str | Path], environ: Mapping[str, str] | None) -> bool:
    """Whether only a fresh interpreter will do: another one, or one that is told something."""
    told = any(name.startswith("PYTHON") for name in environ or ())
    return told or program[0] != sys.executable


def _content(stream: IO[bytes]) -> bytes:
    descriptor = stream.fileno()
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
