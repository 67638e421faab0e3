"""``convertro status``: what the ledger holds."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from convertro_cli.sandbox import Sandbox
from tests.cli.command_line import CommandLine
from tests.system.messages import order, orders, poison
from tests.system.program import WITH_POISON


def status(convertro: CommandLine) -> dict[str, Any]:
    """The status as JSON."""
    ended = convertro("status", "--json")
    assert ended.code == 0
    (found,) = ended.lines
    return found


def test_before_any_run(convertro: CommandLine) -> None:
    """Where nothing was replayed, it says so and makes no state."""
    ended = convertro("status")
    assert ended.code == 0
    assert b"nothing was replayed" in ended.out
    assert status(convertro) == {"state": ".convertro"}
    assert not convertro.workspace.state.exists()


def test_what_it_counts(convertro: CommandLine, sandbox: Sandbox) -> None:
    """It counts calls by outcome and reason, runs, files and dead letters."""
    convertro.workspace.config.write_text(WITH_POISON)
    export = convertro.workspace.write("export.ndjson", *orders(3), poison(4), b"{", b"[]")
    convertro.replay(sandbox.url, "export.ndjson")
    convertro.replay(sandbox.url, "export.ndjson")
    found = status(convertro)
    assert (found["sent"], found["failed"], found["in_doubt"]) == (3, 3, 0)
    assert found["failures"] == {"http_400": 1, "invalid_json": 1, "not_an_object": 1}
    assert found["dead_letters"] == 3
    assert found["runs_total"] == 2
    assert [run["summary"]["messages"]["read"] for run in found["runs"]] == [0, 6]
    assert found["runs"][1]["target"] == sandbox.url
    (file,) = found["files"]
    assert (file["path"], file["size"]) == (str(export), export.stat().st_size)


def test_what_it_shows(convertro: CommandLine, sandbox: Sandbox) -> None:
    """It shows the same to people, on standard output."""
    convertro.workspace.config.write_text(WITH_POISON)
    convertro.workspace.write("export.ndjson", *orders(3), poison(4))
    convertro.replay(sandbox.url, "export.ndjson")
    shown = convertro("status").out.decode()
    rows = [line.split() for line in shown.splitlines()]
    assert ["calls", "delivered", "3"] in rows
    assert ["http_400", "1"] in rows
    assert ["dead", "letters", "1"] in rows
    assert any(row[:1] == ["1"] and row[2:] == ["4", "3", "1", "exit", "1"] for row in rows)
    assert "export.ndjson" in shown


def test_how_many_it_lists(convertro: CommandLine, sandbox: Sandbox) -> None:
    """--latest says how many runs and files are listed; all are counted."""
    for number in range(3):
        convertro.workspace.write(f"{number}.ndjson", order(number))
        convertro.replay(sandbox.url, f"{number}.ndjson")
    (found,) = convertro("status", "--json", "--latest", "2").lines
    assert [run["number"] for run in found["runs"]] == [3, 2]
    assert (found["runs_total"], found["files_total"]) == (3, 3)


def test_it_changes_nothing(convertro: CommandLine, sandbox: Sandbox) -> None:
    """Looking at a ledger leaves it as it is."""
    convertro.workspace.write("export.ndjson", *orders(3))
    convertro.replay(sandbox.url, "export.ndjson")
    ledger = convertro.workspace.state / "ledger.db"
    before = ledger.read_bytes()
    status(convertro)
    assert ledger.read_bytes() == before


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_what_is_no_ledger(convertro: CommandLine, options: list[str]) -> None:
    """A file that is no ledger is told in a message and left as it is."""
    convertro.workspace.state.mkdir()
    ledger = convertro.workspace.state / "ledger.db"
    ledger.write_bytes(b"something else" * 100)
    convertro("status", *options).assert_told(74, "ledger.db")
    assert ledger.read_bytes() == b"something else" * 100


def test_a_file_with_an_odd_name(convertro: CommandLine, sandbox: Sandbox) -> None:
    """A file's name cannot speak to the terminal, and need not be UTF-8."""
    name = "\x1b[31m\udcff.ndjson"
    convertro.workspace.write(name, *orders(1))
    assert convertro.replay(sandbox.url, name).code == 0
    shown = convertro("status")
    assert shown.code == 0
    assert b"\x1b" not in shown.out
    (file,) = status(convertro)["files"]
    assert orjson.dumps(file["path"])
