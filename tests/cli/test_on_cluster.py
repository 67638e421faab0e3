"""The options that have a command use a cluster: what they refuse, and what they do not load."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from convertro_cli.cli import brake
from convertro_cli.cluster import place
from tests.cli.command_line import CommandLine
from tests.exports import write_export
from tests.postgres import PostgresServer

SCHEDULER = ("--scheduler", "tcp://127.0.0.1:9")


@pytest.fixture
def export(convertro: CommandLine) -> Path:
    path = convertro.workspace.folder / "export.ndjson"
    write_export(path, 20)
    return path


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("replay export.ndjson --limit 5", "--limit counts messages in their order"),
        ("replay export.ndjson --canary 5", "--canary sends one call after the other"),
        ("replay --dead-letters", "--dead-letters are few"),
        ("replay export.ndjson --workers 2", "--workers is about"),
        ("replay export.ndjson --cluster 2", "give one of them"),
        ("replay export.ndjson", "needs a ledger in PostgreSQL"),
        ("replay --dry-run export.ndjson --limit 5", "--limit counts"),
        ("inspect export.ndjson --limit 5", "--limit counts"),
        ("diff convertro.toml export.ndjson --against calls.ndjson", "--against reads"),
    ],
)
def test_what_does_not_go_with_a_cluster_is_refused(
    convertro: CommandLine, export: Path, command: str, words: str
) -> None:
    """With what to do instead, and before anything is connected to."""
    ended = convertro(*command.split(), *SCHEDULER)
    ended.assert_told(2, words)
    assert export.exists()


def test_the_sentence_about_the_ledger_says_how_to_get_one(
    convertro: CommandLine, export: Path
) -> None:
    """SQLite is for one run at a time."""
    ended = convertro("replay", export, *SCHEDULER)
    ended.assert_told(2, "createdb convertro", "--ledger postgresql://", "ledger import")


def test_without_dask_the_extra_is_named(
    convertro: CommandLine, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has not got it is told what to install."""
    monkeypatch.setattr(place, "find_spec", lambda _: None)
    for option in (SCHEDULER, ("--cluster", "2")):
        ended = convertro("inspect", export, *option)
        ended.assert_told(2, f"{option[0]} needs Dask", "pip install 'convertro[dask]'")


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("nonsense", "does not begin with tcp:// or tls://"),
        ("", "does not begin with tcp:// or tls://"),
        ("scheduler:8786", "does not begin with tcp:// or tls://"),
        (":8786", "does not begin with tcp:// or tls://"),
        ("tcp://", "lacks the host"),
        ("tcp://:8786", "lacks the host"),
        ("tcp://x", "lacks the port"),
        ("tcp://x:0", "lacks the port"),
        ("tcp://127.0.0.1:99999", "has no host and port"),
        ("tcp://x:port", "has no host and port"),
        ("tcp://[::1:8786", "has no host and port"),
        ("tcp://x:8786/status", "there is more in it"),
        ("tcp://somebody@x:8786", "there is more in it"),
        ("http://127.0.0.1:8786", "begins with http://"),
        ("ws://127.0.0.1:8786", "begins with ws://"),
        ("inproc://", "begins with inproc://"),
        ("tcp://\x1b[31m:1", "has no host and port"),
    ],
)
def test_what_is_no_address_of_a_scheduler_is_refused_at_once(
    convertro: CommandLine, export: Path, address: str, fault: str
) -> None:
    """Dask would wait for it, and longer to give up. What is wanted is said with an example."""
    ended = convertro("inspect", export, "--scheduler", address)
    ended.assert_told(2, fault, "such as tcp://scheduler:8786")
    assert "\x1b" not in ended.err


def test_the_question_before_a_first_send_is_asked_before_a_cluster_is_reached(
    convertro: CommandLine, export: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, by the command that somebody typed; a no leaves the cluster alone."""
    pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
    monkeypatch.setattr(brake, "_is_terminal", lambda _: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    ended = convertro("replay", export, *SCHEDULER, "--ledger", postgres.create_database())
    assert ended.code == 130
    assert ended.err.count("Send? [y/N]") == 1
    assert ended.err.endswith("Nothing was sent.\n")


def test_dask_is_not_loaded_where_it_is_not_used(convertro: CommandLine, export: Path) -> None:
    """A dry run by one process must not wait for it, nor for what sends bundles out."""
    environ = {"PYTHONPROFILEIMPORTTIME": "1"}
    ended = convertro.workspace.run("replay", "--dry-run", export, environ=environ)
    assert ended.code == 0
    assert "convertro_cli.dry_run" in ended.err
    assert "distributed" not in ended.err
    assert "convertro_cli.cluster" not in ended.err
