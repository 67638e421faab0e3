"""Many small files cost what their lines cost: commits, and what is known again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convertro_cli.record.ledger import Marked
from convertro_cli.record.sqlite_ledger import SqliteLedger
from convertro_cli.sandbox import Sandbox
from tests.cli.command_line import CommandLine


def make(count: int) -> list[bytes]:
    Path("logs").mkdir()
    lines = []
    for number in range(count):
        message = {
            "type": "track",
            "event": "Order Completed",
            "messageId": f"m{number}",
            "anonymousId": "a",
            "timestamp": "2024-03-01T12:00:00Z",
            "context": {"library": {"name": "analytics.js"}},
            "properties": {"order_id": f"o{number}", "total": 1},
        }
        lines.append(json.dumps(message).encode() + b"\n")
        Path("logs", f"{number:04}.json").write_bytes(lines[-1])
    return lines


@pytest.mark.parametrize("workers", ["1", "2"])
def test_finishing_a_file_takes_no_commit_of_its_own(
    convertro: CommandLine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    """It rides in the next one, and that marks as many calls as those of one large file."""
    commits = []
    commit = SqliteLedger.commit

    def counted(ledger: SqliteLedger, *arguments: object, **named: object) -> Marked:
        commits.append(1)
        return commit(ledger, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(SqliteLedger, "commit", counted)
    make(300)
    summary = convertro.replay(sandbox.url, "logs", "--workers", workers).summary
    assert summary["messages"]["delivered"] == summary["files"]["read"] == 300
    assert len(commits) < 60
    again = convertro.replay(sandbox.url, "logs").summary
    assert (again["files"]["read"], again["files"]["skipped"]) == (0, 300)


def test_a_file_is_known_again_only_as_it_was(convertro: CommandLine, sandbox: Sandbox) -> None:
    """Of many, the one that was changed is read, however small the change."""
    lines = make(120)
    assert convertro.replay(sandbox.url, "logs").summary["files"]["read"] == 120
    Path("logs/0077.json").write_bytes(lines[77].replace(b'"total": 1', b'"total": 2'))
    again = convertro.replay(sandbox.url, "logs").summary
    assert again["files"]["read"] == 1
    assert again["messages"]["already_delivered"] == 1


def test_a_dry_run_of_small_files_is_in_their_order(convertro: CommandLine) -> None:
    """Whatever the number of workers: groups come back as they went."""
    make(200)
    outputs = {
        convertro("replay", "--dry-run", "logs", "--workers", workers).out for workers in "13"
    }
    (out,) = outputs
    sources = [json.loads(line)["source"] for line in out.splitlines()]
    assert sources == [f"logs/{number:04}.json:1" for number in range(200)]
