"""The commands on a ledger in PostgreSQL: what each of them reads there, writes and tells."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from convertro_cli.cli.app import run
from convertro_cli.errors import ConvertroError
from convertro_cli.record import backends
from convertro_cli.record.place import LedgerPlace
from convertro_cli.record.postgres.address import LedgerUrl, check_ledger_url
from convertro_cli.record.state import StateFolder
from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine
from tests.cli.test_brake import RETYPED, write_settings
from tests.exports import write_export
from tests.postgres import PostgresServer
from tests.record.machine import Machine
from tests.system.messages import MOBILE, order
from tests.system.program import SETTINGS, WITH_POISON
from tests.system.receiving import accepted

EVENTS = 400


@pytest.fixture
def ledger(postgres: PostgresServer) -> str:
    return postgres.create_database()


@pytest.fixture
def export(convertro: CommandLine) -> Path:
    path = convertro.workspace.folder / "export.ndjson"
    write_export(path, EVENTS)
    return path


def status(convertro: CommandLine, *options: str) -> dict[str, Any]:
    (found,) = convertro("status", "--json", *options).lines
    return found


def test_the_whole_way_with_a_shared_ledger(
    convertro: CommandLine, sandbox: Sandbox, ledger: str, export: Path
) -> None:
    """Replay, status, dry run, explain, dead letters: as with the embedded ledger, call by call."""
    convertro.workspace.config.write_text(WITH_POISON)
    shared = ("--ledger", ledger)
    first = convertro.replay(sandbox.url, export, *shared).summary
    assert first["exit_code"] == 1
    failed = first["calls"]["failed"]
    assert failed > 0
    assert not convertro.workspace.dead_letters.exists()
    found = status(convertro, *shared)
    assert (found["sent"], found["failed"]) == (first["calls"]["delivered"], failed)
    (target,) = found["targets"]
    assert target["dead_letters"]["count"] == found["dead_letters"]
    assert target["last_run"]["exit_code"] == 1
    assert convertro("status", "--exit-code", *shared).code == 1
    assert found["dead_letters"] == first["messages"]["failed"]
    assert found["in_doubt"] == 0

    dry = convertro("replay", "--dry-run", export, "--base-url", sandbox.url, *shared)
    assert dry.code == 0
    marks = Counter(line.get("repeat") for line in dry.lines)
    assert marks == {"delivered": first["calls"]["delivered"], "failed": failed}

    bad = next(line for line in dry.lines if line["repeat"] == "failed")
    explained = convertro(
        *("explain", "--line", bad["source"], "--json", "--base-url", sandbox.url, *shared)
    )
    (message,) = explained.lines[0]["messages"]
    assert "failed" in {call["ledger"]["state"] for call in message["calls"]}

    assert "1 file was replayed to the end before" in dry.err
    again = convertro.replay(sandbox.url, export, *shared)
    assert again.summary["files"] == {"read": 0, "skipped": 1, "damaged": 0}
    assert again.summary["unread"] == {"already_replayed": 1}
    assert "dead letters are open" in again.err
    assert f"--ledger '{ledger}'" in again.err
    reread = convertro.replay(sandbox.url, export, "--reread", *shared).summary
    assert reread["calls"]["attempts"] == 0
    assert reread["calls"]["already_failed"] == failed


def test_dead_letters_are_exported_tried_again_and_done_with(
    convertro: CommandLine, sandbox: Sandbox, ledger: str, export: Path
) -> None:
    """The export is what replay takes; --dead-letters tries each once more, then it is through."""
    convertro.workspace.config.write_text(WITH_POISON)
    shared = ("--ledger", ledger)
    failed = convertro.replay(sandbox.url, export, *shared).summary["messages"]["failed"]
    letters = convertro("dead-letters", "export", *shared)
    assert letters.code == 0
    events = {orjson.dumps(line["event"]) for line in letters.lines}
    assert len(events) == len(letters.lines) == failed

    still = convertro("replay", "--dead-letters", "--json", "--base-url", sandbox.url, *shared)
    assert still.summary["messages"]["failed"] == failed
    assert len(convertro("dead-letters", "export", *shared).lines) == failed

    convertro.workspace.config.write_text(SETTINGS)
    mended = convertro("replay", "--dead-letters", "--json", "--base-url", sandbox.url, *shared)
    assert mended.code == 0, mended.err
    assert mended.summary["messages"]["delivered"] == failed
    assert convertro("dead-letters", "export", *shared).lines == []
    assert len(convertro("dead-letters", "export", "--all", *shared).lines) == 2 * failed
    assert status(convertro, *shared)["failed"] == 0
    assert not list(convertro.workspace.state.glob("*.ndjson"))


def test_an_embedded_ledger_is_taken_over_whole_and_only_once(
    convertro: CommandLine, sandbox: Sandbox, ledger: str, export: Path
) -> None:
    """What SQLite knew PostgreSQL knows: nothing is sent again, and what failed can be tried."""
    convertro.workspace.config.write_text(WITH_POISON)
    first = convertro.replay(sandbox.url, export).summary
    before = sandbox.stats()["requests"]
    shared = ("--ledger", ledger)
    embedded = status(convertro)
    for _ in range(2):
        (taken,) = convertro("ledger", "import", "--json", *shared).lines
        assert taken["calls"] == first["calls"]["delivered"] + first["calls"]["failed"]
        assert taken["dead_letters"] == first["messages"]["failed"]
        assert (taken["runs"], taken["files"], taken["in_doubt"]) == (1, 1, 0)
    found = status(convertro, *shared)
    for name in ("sent", "failed", "failures", "runs_total", "files_total", "dead_letters"):
        assert found[name] == embedded[name], name
    assert convertro.replay(sandbox.url, export, *shared).summary["files"]["skipped"] == 1
    reread = convertro.replay(sandbox.url, export, "--reread", *shared).summary
    assert reread["calls"]["attempts"] == 0
    assert sandbox.stats()["requests"] == before

    convertro.workspace.config.write_text(SETTINGS)
    mended = convertro("replay", "--dead-letters", "--json", "--base-url", sandbox.url, *shared)
    assert mended.summary["messages"]["delivered"] == first["messages"]["failed"]
    assert max(accepted(sandbox.received()).values()) == 1


def test_what_would_go_out_again_is_found_in_the_database(
    convertro: CommandLine, sandbox: Sandbox, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay, a dry run and a comparison tell of events that were delivered as another type."""
    monkeypatch.setenv("CONVERTRO_LEDGER", ledger)
    monkeypatch.setenv("CONVERTRO_BASE_URL", sandbox.url)
    write_settings(convertro, "name", '"signup"')
    convertro.workspace.write(
        "exports/a.ndjson",
        *(order(number, context=MOBILE) for number in range(1, 6)),
        *(order(number, event="Signed Up") for number in (11, 12)),
    )
    assert convertro("replay", "exports").code == 0
    convertro.workspace.config.rename(convertro.workspace.folder / "old.toml")
    write_settings(convertro, "sale", '"lead"')
    dry = convertro("replay", "exports", "--dry-run", "--json", "--output", "calls.ndjson")
    assert [group["count"] for group in dry.summary["sent_again"]] == [5, 2]
    options = ("exports", "--format", "json", "-q")
    (compared,) = convertro("diff", "old.toml", "convertro.toml", *options).lines
    assert [group["count"] for group in compared["sent_again"]] == [5, 2]
    told = convertro("replay", "exports").err
    assert all(sentence in told for sentence in RETYPED)


def test_metrics_count_the_letters_of_the_database(
    convertro: CommandLine, sandbox: Sandbox, ledger: str, export: Path
) -> None:
    """What is open there is told to whoever watches."""
    convertro.workspace.config.write_text(WITH_POISON)
    ended = convertro.replay(sandbox.url, export, "--ledger", ledger, "--metrics", "c.prom")
    failed = ended.summary["messages"]["failed"]
    told = (convertro.workspace.folder / "c.prom").read_text()
    assert re.search(rf"^convertro_dead_letters_open\S* {failed}\.0$", told, re.M), told


def test_what_is_suppressed_is_forgotten_in_the_database(
    convertro: CommandLine, sandbox: Sandbox, ledger: str, export: Path
) -> None:
    """By forget, with settings or without, and at the end of a replay that has a list."""
    machine = Machine(LedgerUrl(ledger))
    for number in range(4):
        event = orjson.dumps({"type": "track", "userId": f"u{number}"})
        machine.fail(number, f"a:{number}", event)
        (convertro.workspace.folder / f"u{number}.csv").write_text(f"userId\nu{number}\n")
    machine.end()
    shared = ("--ledger", ledger)

    def letters() -> list[str]:
        return [
            line["event"]["userId"] for line in convertro("dead-letters", "export", *shared).lines
        ]

    (counted,) = convertro("forget", "--suppressed", "u0.csv", "--dry-run", "--json", *shared).lines
    assert (counted["removed"], counted["kept"], counted["dry_run"]) == (1, 3, True)
    assert [each["file"] for each in counted["files"]] == [str(LedgerUrl(ledger))]
    assert letters() == ["u0", "u1", "u2", "u3"]

    assert (
        "1 removed, 3 stay" in convertro("forget", "--suppressed", "u0.csv", *shared).out.decode()
    )
    assert letters() == ["u1", "u2", "u3"]

    ended = convertro.replay(sandbox.url, export, "--suppressed", "u1.csv", *shared)
    assert "removed for good: 1" in ended.err
    assert letters() == ["u2", "u3"]

    convertro.workspace.config.rename(convertro.workspace.folder / "aside.toml")
    assert convertro("forget", "--suppressed", "u2.csv", *shared).code == 0
    convertro.workspace.config.write_text(SETTINGS)
    assert letters() == ["u3"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret-word@127.0.0.1:1/x",
        "postgresql://me@127.0.0.1:1/x?password=s3cret-word",
        "postgresql://me@127.0.0.1:1/x?sslpassword=s3cret-word",
        "postgres://:s3cret-word@/x",
        "mysql://me:s3cret-word@127.0.0.1/x",
        "s3cret-word",
    ],
)
def test_a_password_in_the_address_is_refused_and_never_shown(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither a command nor the list of faults repeats it, wherever the address came from."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONVERTRO_LEDGER", raising=False)
    settings = Path("convertro.toml")
    settings.write_text(SETTINGS)
    option = ["--ledger", url]
    commands = [["check", *option], ["replay", "-", *option], ["status", *option]]
    for command in commands:
        assert_told_without_the_word(command, capfd)
    monkeypatch.setenv("CONVERTRO_LEDGER", url)
    assert_told_without_the_word(["check", "--json"], capfd)
    monkeypatch.delenv("CONVERTRO_LEDGER")
    settings.write_text(f'{SETTINGS}\n[delivery]\nledger = "{url}"\n')
    assert_told_without_the_word(["check"], capfd)
    with pytest.raises(ValueError, match=r"password|address") as raised:
        check_ledger_url(url)
    assert "s3cret-word" not in str(raised.value)


def assert_told_without_the_word(command: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """The command ends with 2, names the key, and does not repeat the password."""
    assert run(command) == 2
    printed = "".join(capfd.readouterr())
    assert "delivery.ledger" in printed
    assert "s3cret-word" not in printed


def test_without_the_driver_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has no psycopg is told what to install, by every way to a ledger."""
    monkeypatch.setattr(backends, "find_spec", lambda _: None)
    place = LedgerPlace(StateFolder(tmp_path), LedgerUrl("postgresql://db.example.com/x"))
    for use in (
        lambda: backends.read_overview(place, latest=1),
        lambda: backends.look_up_calls(place, []),
        lambda: backends.open_known_calls(place).__enter__(),
        lambda: backends.open_ledger(place, "", backends.SharedOptions()).__enter__(),
        lambda: backends.migrate_ledger(place),
        lambda: backends.import_ledger(place),
    ):
        with pytest.raises(ConvertroError, match=r"db\.example\.com/x.*psycopg") as raised:
            use()
        assert raised.value.hint == "pip install 'convertro[postgres]'"


def test_the_driver_is_not_imported_where_it_is_not_used(
    convertro: CommandLine, sandbox: Sandbox, export: Path
) -> None:
    """The embedded ledger must not wait for it."""
    environ = {"PYTHONPROFILEIMPORTTIME": "1"}
    ended = convertro.workspace.run(
        "replay", export, "--json", "--base-url", sandbox.url, environ=environ
    )
    assert ended.code == 0
    assert "sqlite3" in ended.err
    assert "psycopg" not in ended.err
