"""The options that have a command use a cluster: what they refuse, and what they do not load."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertro_cli.cluster import place
from tests.cli.command_line import CommandLine
from tests.exports import write_export

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


def test_a_scheduler_that_is_not_there_is_told(
    convertro: CommandLine, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """75 for one that may come back, with the address that was tried."""
    engine = pytest.importorskip(
        "convertro_cli.cluster.engine", reason="the extra 'dask' is not installed"
    )
    monkeypatch.setattr(engine, "_CONNECT_WITHIN", 0.2)
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        ended = convertro("inspect", export, "--scheduler", address)
        assert address in ended.err
        assert "cannot be reached" in ended.err
        assert (ended.code, "Traceback" in ended.err) == (75, False)


def test_dask_is_not_loaded_where_it_is_not_used(convertro: CommandLine, export: Path) -> None:
    """A dry run by one process must not wait for it, nor for what sends bundles out."""
    environ = {"PYTHONPROFILEIMPORTTIME": "1"}
    ended = convertro.workspace.run("replay", "--dry-run", export, environ=environ)
    assert ended.code == 0
    assert "convertro_cli.dry_run" in ended.err
    assert "distributed" not in ended.err
    assert "convertro_cli.cluster" not in ended.err
