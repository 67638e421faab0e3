"""``convertro status``: what the ledger holds."""

from __future__ import annotations

import gzip
import re
from typing import Any

import orjson
import pytest

from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine
from tests.system.messages import order, orders, poison
from tests.system.program import SETTINGS, WITH_POISON


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


def rows_of(shown: bytes) -> list[list[str]]:
    return [line.split() for line in shown.decode().splitlines()]


def test_each_target_has_its_own(convertro: CommandLine, sandbox: Sandbox) -> None:
    """Open dead letters, their oldest and reasons, the last run, and what is in doubt."""
    convertro.workspace.config.write_text(WITH_POISON)
    convertro.workspace.write("a.ndjson", *orders(2), poison(3), poison(4), b"{")
    convertro.workspace.write("b.ndjson", *orders(2, 10))
    convertro.replay(sandbox.url, "a.ndjson")
    with Sandbox(SandboxOptions(port=0)) as other:
        convertro.replay(other.url, "b.ndjson")
        second, first = status(convertro)["targets"]
        assert (first["url"], second["url"]) == (sandbox.url, other.url)
    letters = first["dead_letters"]
    assert letters["count"] == 3
    assert letters["reasons"] == {"http_400": 2, "invalid_json": 1}
    assert letters["oldest"].startswith("20")
    assert (first["sent"], first["in_doubt"], first["last_run"]["exit_code"]) == (2, 0, 1)
    assert second["dead_letters"] == {"count": 0, "oldest": None, "reasons": {}}
    assert second["last_run"]["exit_code"] == 0
    shown = convertro("status").out
    rows = rows_of(shown)
    assert ["open", "dead", "letters", "none"] in rows
    assert any(row[:4] == ["open", "dead", "letters", "3,"] for row in rows)
    assert b"2 http_400, 1 invalid_json" in shown


def test_letters_that_were_replayed_are_not_open(convertro: CommandLine, sandbox: Sandbox) -> None:
    """Once they are delivered, nothing is open; those that failed again are, once."""
    convertro.workspace.config.write_text(WITH_POISON)
    convertro.workspace.write("a.ndjson", poison(1), poison(2))
    letters = ".convertro/dead-letters.ndjson"
    convertro.replay(sandbox.url, "a.ndjson")
    convertro.replay(sandbox.url, letters)
    (target,) = status(convertro)["targets"]
    assert target["dead_letters"]["count"] == 2
    convertro.workspace.config.write_text(SETTINGS)
    assert convertro.replay(sandbox.url, letters).code == 0
    (target,) = status(convertro)["targets"]
    assert target["dead_letters"]["count"] == 0


def test_letters_whose_events_were_delivered_otherwise(
    convertro: CommandLine, sandbox: Sandbox
) -> None:
    """An event that went out from its export again is no dead letter any more."""
    convertro.workspace.config.write_text(WITH_POISON)
    convertro.workspace.write("a.ndjson", poison(1), b"[]")
    convertro.replay(sandbox.url, "a.ndjson")
    convertro.workspace.config.write_text(SETTINGS)
    convertro.replay(sandbox.url, "a.ndjson", "--resend")
    (target,) = status(convertro)["targets"]
    assert set(target["dead_letters"]["reasons"]) == {"not_an_object"}


def test_letters_that_were_taken_away(convertro: CommandLine, sandbox: Sandbox) -> None:
    """Whoever moves the file has dealt with it."""
    convertro.workspace.write("a.ndjson", *orders(1), b"{")
    convertro.replay(sandbox.url, "a.ndjson")
    assert convertro("status", "--exit-code").code == 1
    convertro.workspace.dead_letters.unlink()
    (target,) = status(convertro)["targets"]
    assert target["dead_letters"]["count"] == 0


def test_its_exit_code(convertro: CommandLine, sandbox: Sandbox) -> None:
    """With --exit-code it ends with 1 where dead letters are open or the last run failed."""
    assert convertro("status", "--exit-code").code == 0
    convertro.workspace.write("a.ndjson", *orders(2))
    convertro.replay(sandbox.url, "a.ndjson")
    assert convertro("status", "--exit-code").code == 0
    convertro.workspace.write("b.ndjson", {"type": "page"}, b"{")
    convertro.replay(sandbox.url, "b.ndjson")
    assert convertro("status", "--exit-code").code == 1
    assert convertro("status", "--exit-code", "--json").code == 1
    assert convertro("status").code == 0
    convertro.replay(sandbox.url, "a.ndjson")  # nothing to do, and a letter is open still
    assert convertro("status", "--exit-code").code == 1


def test_a_last_run_that_failed(convertro: CommandLine, sandbox: Sandbox) -> None:
    """A run that could not read all of its exports failed, without any dead letter."""
    convertro.workspace.write("a.ndjson", *orders(2))
    whole = gzip.compress((convertro.workspace.folder / "a.ndjson").read_bytes())
    (convertro.workspace.folder / "cut.gz").write_bytes(whole[:-9])
    assert convertro.replay(sandbox.url, "cut.gz").code == 66
    (target,) = status(convertro)["targets"]
    assert (target["last_run"]["exit_code"], target["dead_letters"]["count"]) == (66, 0)
    assert convertro("status", "--exit-code").code == 1


def test_a_run_with_nothing_to_do_but_open_letters(
    convertro: CommandLine, sandbox: Sandbox
) -> None:
    """It says so in a line; without open letters it does not."""
    command = ("replay", "a.ndjson", "--base-url", sandbox.url)
    convertro.workspace.write("a.ndjson", *orders(2), b"{")
    assert "Nothing was left to send" not in convertro(*command).err
    again = convertro(*command)
    (line,) = [line for line in again.err.splitlines() if "Nothing was left to send" in line]
    assert "1 dead letter is open" in line
    assert "convertro status" in line
    assert "Nothing to do" not in again.err
    convertro.workspace.dead_letters.unlink()
    assert "dead letter" not in convertro(*command).err


def test_times_are_whole_in_a_pipe(convertro: CommandLine, sandbox: Sandbox) -> None:
    """Whatever the width of a terminal would be: a pipe has none."""
    convertro.workspace.write("a.ndjson", *orders(2))
    convertro.replay(sandbox.url, "a.ndjson")
    ended = convertro.workspace.run("status", environ={"COLUMNS": "20"})
    (run,) = [line for line in ended.out.decode().splitlines() if line.endswith("exit 0")][-1:]
    assert re.search(r" \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 ", run)
    assert "…" not in ended.out.decode()
