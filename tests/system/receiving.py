"""What Convertro's side received, in a form that can be compared with an export and a ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import psutil  # type: ignore[import-untyped]  # its stubs are no dependency

from convertro_cli.mapping.jobs import ReplayJob
from convertro_cli.reading.lines import read_batches
from convertro_cli.reading.sources import find_exports
from convertro_cli.sandbox.log import Record
from convertro_cli.sandbox.server import Sandbox
from convertro_cli.settings.compile import compile_rules
from tests.system.program import Workspace, wait_until

Target = tuple[str, frozenset[tuple[str, str]]]
"""A call as both sides know it: its path, and its parameters with their values."""


def target_of_url(url: str) -> Target:
    """The target of a URL."""
    parts = urlsplit(url)
    return parts.path, frozenset(parse_qsl(parts.query, keep_blank_values=True))


def target_of(record: Record) -> Target:
    """The target of a request as the sandbox recorded it."""
    return record["path"], frozenset(record["params"].items())


def accepted(records: Iterable[Record]) -> Counter[Target]:
    """How often each call was accepted."""
    return Counter(target_of(record) for record in records if record["status"] == 200)


def expected_calls(workspace: Workspace, url: str, *exports: str | Path) -> dict[bytes, Target]:
    """The calls to this address that exports hold: their keys in the ledger, and their targets."""
    job = ReplayJob(compile_rules(workspace.load(url).settings))
    files = find_exports([str(workspace.folder / export) for export in exports]).files
    return {
        key: target_of_url(url)
        for batch in read_batches(files)
        for _, _, _, calls, *_ in job(batch).messages
        for key, url, *_ in calls
    }


def wait_for_requests(sandbox: Sandbox, count: int) -> None:
    """Wait until so many requests have arrived."""
    wait_until(lambda: sandbox.stats()["requests"] >= count, f"{count:,} requests")


def wait_for_quiet(sandbox: Sandbox) -> None:
    """Wait until no client is connected any more, so that nothing can arrive."""
    port = urlsplit(sandbox.url).port
    wait_until(lambda: not _connections(port), "end of all connections")


def _connections(port: int | None) -> Sequence[object]:
    """The server's ends of the connections to this port, in this process."""
    return [
        connection
        for connection in psutil.Process().net_connections("tcp")
        if connection.laddr.port == port and connection.status != psutil.CONN_LISTEN
    ]
