"""Many small files cost what their lines cost: commits, and what is known again."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from convertro_cli.record.ledger import Marked, Settled
from convertro_cli.record.sqlite_ledger import SqliteLedger
from convertro_cli.sandbox.server import Sandbox
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
    """It rides in the next one, and that marks as many calls as those of one large file.

    Nor are the calls of a file looked up by themselves.
    """
    commits, questions = [], []
    commit, look_up = SqliteLedger.commit, SqliteLedger.look_up

    def asked(ledger: SqliteLedger, keys: Sequence[bytes]) -> dict[bytes, Settled]:
        questions.append(len(keys))
        return look_up(ledger, keys)

    def counted(ledger: SqliteLedger, *arguments: object, **named: object) -> Marked:
        commits.append(1)
        return commit(ledger, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(SqliteLedger, "commit", counted)
    monkeypatch.setattr(SqliteLedger, "look_up", asked)
    make(300)
    summary = convertro.replay(sandbox.url, "logs", "--workers", workers).summary
    assert summary["messages"]["delivered"] == summary["files"]["read"] == 300
    assert len(commits) < 60
    assert sum(questions) == 300
    assert len(questions) < 60
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


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_is_mapped_together_is_told_apart(convertro: CommandLine, workers: str) -> None:
    """The lines, the counts and the places are those of each file by itself."""
    (line, other, *_) = make(9)
    for name, content in {
        "0000.json": line[:-1],
        "0002.json": b"",
        "0003.json": b"\n\n" + other + b"{broken\n\n",
        "0004.json": b"[" + line + b"," + b"{}," + other + b"]",
        "0005.json": other + b'{"type":"track","event":"' + b"x" * 9_000_000 + b'"}\n' + line,
        "0006.json": line[:-1] + b"\n" + b'{"type":"page"}',
        "0007.json": b"no message at all\n",
    }.items():
        Path("logs", name).write_bytes(content)
    command = ("replay", "--dry-run", "--include-skipped", "--workers", workers)
    alone = [convertro(*command, f"logs/{number:04}.json") for number in range(9)]
    together = convertro(*command, "logs", "--json", "--output", "calls")
    lines = [json.loads(line) for each in alone for line in each.out.splitlines()]
    found = [json.loads(line) for line in Path("calls").read_bytes().splitlines()]
    assert [{**line, "repeat": ""} for line in found] == [{**line, "repeat": ""} for line in lines]
    summary = json.loads(together.out)
    assert summary["files"] == {**summary["files"], "read": 8, "damaged": 1}
    assert summary["messages"]["read"] == len(lines)
    for place in ("logs/0003.json:4", "logs/0004.json:1[1]", "logs/0005.json:2"):
        assert place in together.err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_is_replayed_together_is_told_apart(
    convertro: CommandLine, sandbox: Sandbox, workers: str
) -> None:
    """A dead letter names its own file and line; a damaged file is read again, the others not."""
    lines = make(9)
    Path("logs", "0003.json").write_bytes(b"\n" + lines[3] + b"{broken\n")
    Path("logs", "0005.json").write_bytes(gzip.compress(lines[5])[:-4])
    found = convertro.replay(sandbox.url, "logs", "--workers", workers)
    assert found.summary["files"] == {**found.summary["files"], "read": 8, "damaged": 1}
    assert found.summary["calls"]["delivered"] == 9
    (letter,) = [
        json.loads(line) for line in convertro.workspace.dead_letters.read_bytes().splitlines()
    ]
    assert letter["source"] == "logs/0003.json:3"
    again = convertro.replay(sandbox.url, "logs").summary
    assert again["files"] == {**again["files"], "read": 0, "skipped": 8, "damaged": 1}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_is_compared_together_is_told_apart(convertro: CommandLine, workers: str) -> None:
    """Each change has the place that it has where files are compared one by one.

    Those whose calls came before are looked at again, each in its own file, too.
    """
    lines = make(9)
    for name, content in {
        "0002.json": b"\n" + lines[0] + b"{broken\n" + lines[2],
        "0004.json": b"[" + lines[1] + b"," + lines[4] + b"," + lines[4] + b"]",
        "0005.json": lines[0] + lines[5][:-1],
        "0007.json": b"",
    }.items():
        Path("logs", name).write_bytes(content)
    settings = Path("convertro.toml").read_text()
    Path("new.toml").write_text(settings.replace('site_id = "1"', 'site_id = "2"'))
    compared = ("diff", "convertro.toml", "new.toml", "logs", "--show", "full", "--format", "json")
    together = convertro(*compared, "--workers", workers, "--changes", "together")
    alone = convertro(*compared, "--limit", "999", "--changes", "alone")  # counts files, too
    assert together.code == 0, together.err
    assert Path("together").read_bytes() == Path("alone").read_bytes() != b""
    (found,), (expected,) = together.lines, alone.lines
    sources = [json.loads(line)["source"] for line in Path("together").read_bytes().splitlines()]
    for each in (found, expected):
        del each["elapsed_s"]
        (kind,) = each.pop("samples")  # the first few, less those that came before
        assert {example["source"] for example in kind["examples"]} <= set(sources)
    assert found == expected
    assert sources[2:5] == ["logs/0002.json:4", "logs/0003.json:1", "logs/0004.json:1[1]"]
