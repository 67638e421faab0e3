"""The log as JSON: every line of standard error, whatever happens."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

import convertro_cli.cli.replay
from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine
from tests.system.messages import orders
from tests.system.program import Ended

SCHEMA = ("at", "level", "event", "run_id")


def records(ended: Ended) -> list[dict[str, Any]]:
    """The records on standard error; each has the schema, and all the same run id."""
    found = [orjson.loads(line) for line in ended.err.splitlines()]
    assert all(tuple(record)[:4] == SCHEMA for record in found)
    assert {record["level"] for record in found} <= {"info", "warning", "error"}
    assert len({record["run_id"] for record in found}) == 1
    return found


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["replay", "missing.ndjson"], 66, "missing.ndjson"),
        (["inspect", "missing.ndjson"], 66, "missing.ndjson"),
        (["replay"], 2, "--dead-letters"),
        (["inspect"], 2, "Missing argument"),
        (["replay", "e.ndjson", "--nope"], 2, "No such option"),
        (["replay", "e.ndjson", "--limit", "0"], 2, "--limit"),
        (["replay", "e.ndjson", "-c", "none.toml"], 2, "none.toml"),
        (["replay", "e.ndjson", "-c", "bad.toml"], 2, "delivery.retries"),
        (["replay", "e.ndjson", "--since", "soon"], 2, "--since"),
        (["replay", "e.ndjson", "--output", "x"], 2, "--dry-run"),
        (["replay", "bad.gz\udcff"], 66, "bad.gz"),
        (["nonsense"], 2, "No such command"),
        ([], 2, "Log-format"),
    ],
)
@pytest.mark.parametrize("spelling", [["--log-format", "json"], ["--log-format=json"]])
def test_a_fault_is_one_record(
    convertro: CommandLine, arguments: list[str], code: int, words: str, spelling: list[str]
) -> None:
    """Wrong usage, settings and exports are told in the log's own form, with what to do."""
    convertro.workspace.write("e.ndjson", *orders(1))
    (convertro.workspace.folder / "bad.toml").write_text("[delivery]\nretries = 3\n")
    ended = convertro(*arguments, *spelling)
    (record,) = records(ended)
    assert ended.code == code
    assert (record["level"], record["event"], record["exit_code"]) == ("error", "error", code)
    assert words.lower() in record["text"].lower()
    assert not ended.out


def test_a_run_from_first_to_last(convertro: CommandLine, sandbox: Sandbox) -> None:
    """A run that goes well, one with faults, and one without anything to do, log JSON only."""
    convertro.workspace.write("e.ndjson", *orders(3), b"{")
    command = ("replay", "e.ndjson", "--base-url", sandbox.url, "--log-format", "json")
    (summary,) = records(convertro(*command))
    assert (summary["event"], summary["exit_code"]) == ("summary", 1)
    assert summary["messages"]["delivered"] == 3
    records(convertro(*command))


def test_each_call_of_the_program_has_its_own_id(convertro: CommandLine) -> None:
    """So that the records of runs that are mixed in one log can be told apart."""
    command = ("replay", "missing.ndjson", "--log-format", "json")
    ids = {records(convertro(*command))[0]["run_id"] for _ in range(3)}
    assert len(ids) == 3


def test_the_last_word_counts(convertro: CommandLine) -> None:
    """An option given twice means the second; after -- there are no options."""
    ended = convertro("replay", "missing", "--log-format", "json", "--log-format", "text")
    ended.assert_told(66, "missing")
    ended = convertro("replay", "--", "--log-format", "json")
    ended.assert_told(66, "--log-format")


def test_a_fault_of_the_programs_own(
    convertro: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even that is one record, with its traceback inside."""

    def broken(**_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(convertro_cli.cli.replay, "check_dry_run_options", broken)
    ended = convertro("replay", "e.ndjson", "--log-format", "json")
    (record,) = records(ended)
    assert ended.code == 1
    assert (record["event"], record["text"]) == ("crash", "broken")
    assert "RuntimeError" in record["traceback"]
