"""The brake before the first send to a target, and before events go out under another type."""

from __future__ import annotations

import io
import os
import sqlite3
import sys
from pathlib import Path

import orjson
import pytest

from convertro_cli.cli import brake
from convertro_cli.run import outlook
from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine
from tests.system.messages import MOBILE, order, orders
from tests.system.program import Ended

QUESTION = "Send? [y/N] "


class Asking:
    """Replays a folder to a sandbox as if on a terminal, where somebody types one answer."""

    def __init__(
        self, convertro: CommandLine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._convertro = convertro
        self._sandbox = sandbox
        self._patch = monkeypatch

    def __call__(self, answer: str, *options: str) -> Ended:
        with self._patch.context() as patch:
            patch.setattr(brake, "_is_terminal", lambda _: True)
            patch.setattr(sys, "stdin", io.StringIO(answer))
            return self._convertro("replay", "exports", "--base-url", self._sandbox.url, *options)


@pytest.fixture(autouse=True)
def _on_a_wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line stays whole."""
    monkeypatch.setenv("COLUMNS", "400")


@pytest.fixture
def asking(convertro: CommandLine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Asking:
    """Somebody at a terminal."""
    return Asking(convertro, sandbox, monkeypatch)


@pytest.fixture
def exports(convertro: CommandLine) -> Path:
    """Two small exports in a folder, and a file that is none."""
    convertro.workspace.write("exports/a.ndjson", *orders(3))
    convertro.workspace.write("exports/_b.ndjson", *orders(3, start=7))
    return convertro.workspace.write("exports/c.ndjson", *orders(2, start=4)).parent


def replay(convertro: CommandLine, sandbox: Sandbox, *options: str) -> Ended:
    """Replay the folder where there is no terminal."""
    return convertro("replay", "exports", "--base-url", sandbox.url, *options)


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "no\n", "yep\n", "y e s\n"])
@pytest.mark.usefixtures("exports")
def test_what_is_no_yes_declines(
    convertro: CommandLine, sandbox: Sandbox, asking: Asking, answer: str
) -> None:
    """Whatever is no yes sends nothing and writes nothing."""
    ended = asking(answer)
    assert ended.code == 130
    assert ended.err.endswith("Nothing was sent.\n")
    assert sandbox.stats()["requests"] == 0
    assert not convertro.workspace.state.exists()


@pytest.mark.parametrize("answer", ["y\n", "YES\n", " y"])
@pytest.mark.usefixtures("exports")
def test_a_yes_sends(sandbox: Sandbox, asking: Asking, answer: str) -> None:
    """A yes in any case sends; the target is known then."""
    assert asking(answer).code == 0
    assert QUESTION not in asking("").err
    assert sandbox.stats()["accepted"] == 5


@pytest.mark.usefixtures("exports")
def test_another_site_is_another_target(
    convertro: CommandLine, sandbox: Sandbox, asking: Asking
) -> None:
    """Another site at a known address is asked about."""
    replay(convertro, sandbox)
    assert asking("n\n", "--site-id", "2").code == 130


@pytest.mark.usefixtures("exports")
def test_a_run_that_sent_nothing_makes_no_target_known(
    convertro: CommandLine, sandbox: Sandbox, asking: Asking
) -> None:
    """It is about the first send: a run whose filters let nothing through was none."""
    replay(convertro, sandbox, "--event", "Nope")
    assert asking("n\n").code == 130


@pytest.mark.usefixtures("exports")
def test_whoever_said_yes_beforehand_is_not_asked(sandbox: Sandbox, asking: Asking) -> None:
    """--yes goes ahead on a terminal."""
    ended = asking("", "--yes")
    assert ended.code == 0
    assert QUESTION not in ended.err
    assert sandbox.stats()["accepted"] == 5


@pytest.mark.usefixtures("exports")
def test_what_is_no_terminal_goes_ahead(convertro: CommandLine, sandbox: Sandbox) -> None:
    """In a pipe nothing is asked, and nothing more is said than before."""
    ended = replay(convertro, sandbox, "--quiet")
    assert (ended.code, ended.out, ended.err) == (0, b"", "")
    assert sandbox.stats()["accepted"] == 5


def test_what_a_person_is_shown(
    convertro: CommandLine, sandbox: Sandbox, asking: Asking, exports: Path
) -> None:
    """What would go where: files and bytes, target, addresses known and guessed, filters, gates."""
    config = convertro.workspace.config
    config.write_text(
        config.read_text()
        + """
[[filters]]
title = "No\\u001bstaff"
if = 'type = "page"'
actions = [{ type = "DROP" }]
[consent]
categories = ["Advertising"]
[wire.paths]
install = "/mine/{client_name}/"
"""
    )
    size = sum((exports / name).stat().st_size for name in ("a.ndjson", "c.ndjson"))
    shown = asking("n\n", "--since", "2024-01-01").err
    assert f"2 files, {size / 1000:.1f} kB; left unread: 1 no export by its name" in shown
    assert f"target    {sandbox.url}, account " in shown
    known, _, rest = shown.partition("a guess in the same style")
    assert f"web event    {sandbox.url}/api/hit/" in known
    assert f"web user     {sandbox.url}/api/user/" in known
    guess, _, yours = rest.partition("set in [wire.paths]")
    assert f"cloud event  {sandbox.url}/api/hit/" in guess
    assert f"cloud user   {sandbox.url}/api/user/" in guess
    assert f"install      {sandbox.url}/mine/" in yours
    assert "--since 2024-01-01 00:00:00 UTC" in shown
    assert 'mapping.delivered_in_browser = "skip"' in shown
    assert 'consent.categories = ["Advertising"]' in shown
    assert "1 destination filter: No\\x1bstaff" in shown
    assert "--dry-run" in shown
    assert "--canary 10" in shown


def test_only_what_can_be_sent_has_an_address(
    convertro: CommandLine, asking: Asking, exports: Path
) -> None:
    """Without cloud settings there is no address of cloud calls, and it says why."""
    convertro.workspace.config.write_text('[convertro]\naccount = "acme"\n')
    shown = asking("n\n").err
    assert "cloud event" not in shown
    assert "no cloud calls: convertro.client_name" in shown


@pytest.mark.usefixtures("exports")
def test_a_canary_asks_as_well(sandbox: Sandbox, asking: Asking) -> None:
    """It sends, too; the question says how much. What follows it is not asked about again."""
    ended = asking("n\n", "--canary", "2")
    assert ended.code == 130
    assert "Now only 2 calls would go, each shown with its answer.\n" + QUESTION in ended.err
    assert asking("y\n", "--canary", "2").code == 0
    assert sandbox.stats()["accepted"] == 2
    assert QUESTION not in asking("").err
    assert sandbox.stats()["accepted"] == 5


def test_faults_are_told_as_ever(asking: Asking) -> None:
    """Where an export is not there nobody is asked about it."""
    ended = asking("y\n")
    ended.assert_told(66, "no such file or folder")
    assert QUESTION not in ended.err


@pytest.mark.usefixtures("exports")
def test_a_ledger_that_cannot_be_read_lets_nothing_through(
    convertro: CommandLine, sandbox: Sandbox, asking: Asking
) -> None:
    """Where nobody can say whether the target is known, nothing is sent without a question."""
    convertro.workspace.state.mkdir()
    (convertro.workspace.state / "ledger.db").write_bytes(b"no ledger at all")
    asking("y\n").assert_told(74, "is damaged, or no ledger")
    assert sandbox.stats()["requests"] == 0


@pytest.mark.usefixtures("exports")
def test_a_question_in_a_json_log_is_json(sandbox: Sandbox, asking: Asking) -> None:
    """On a terminal that gets the log as JSON the question is a record, with all the facts."""
    ended = asking("n\n", "--log-format", "json")
    question, end = (orjson.loads(line) for line in ended.err.splitlines())
    assert (question["event"], question["text"]) == ("question", QUESTION.strip())
    assert any(sandbox.url in fact for fact in question["facts"])
    assert end["text"] == "Nothing was sent."


# --- events that would go out again under another type

RETYPED = [
    "5 orders delivered as Order Completed would go out again as sale.",
    "2 events delivered as signup would go out again as lead.",
]


def write_settings(convertro: CommandLine, cloud_orders: str, signup: str) -> None:
    convertro.workspace.config.write_text(
        f"""
[convertro]
account = "acme"
client_name = "acme"
site_id = "1"
domain = "https://shop.example.com"
[events]
"Signed Up" = {signup}
[mapping]
cloud_orders = "{cloud_orders}"
"""
    )


@pytest.fixture
def delivered(convertro: CommandLine, sandbox: Sandbox) -> Sandbox:
    """Five orders of apps are delivered under their own name, two sign-ups as signup."""
    write_settings(convertro, "name", '"signup"')
    of_apps = [order(number, context=MOBILE) for number in range(1, 6)]
    signups = [order(number, event="Signed Up") for number in (11, 12)]
    convertro.workspace.write("exports/a.ndjson", *of_apps, *signups)
    assert replay(convertro, sandbox).code == 0
    assert sandbox.stats()["accepted"] == 7
    return sandbox


def test_a_change_that_sends_again_is_asked_about(
    convertro: CommandLine, delivered: Sandbox, asking: Asking
) -> None:
    """On a terminal such a change waits for an answer before anything is sent."""
    write_settings(convertro, "sale", '"lead"')
    ended = asking("n\n")
    assert ended.code == 130
    assert ended.err.splitlines()[:2] == RETYPED
    assert delivered.stats()["accepted"] == 7
    assert asking("y\n").code == 0
    assert delivered.stats()["accepted"] == 14


def test_a_change_that_sends_again_is_told_in_a_pipe(
    convertro: CommandLine, delivered: Sandbox
) -> None:
    """What is no terminal is told before it sends, and goes ahead."""
    write_settings(convertro, "sale", '"lead"')
    lines = replay(convertro, delivered).err.splitlines()
    assert lines[:2] == [f"convertro: note: {sentence}" for sentence in RETYPED]
    assert delivered.stats()["accepted"] == 14


def test_a_run_that_did_not_end_counts_too(convertro: CommandLine, delivered: Sandbox) -> None:
    """Of a run that was killed nobody knows the settings: it is looked for what it sent."""
    with sqlite3.connect(convertro.workspace.state / "ledger.db") as ledger:
        ledger.execute("UPDATE runs SET summary = NULL, exit_code = NULL")
    ledger.close()
    write_settings(convertro, "sale", '"signup"')
    assert RETYPED[0] in replay(convertro, delivered).err


def test_the_same_settings_say_nothing(convertro: CommandLine, delivered: Sandbox) -> None:
    """With the settings of before nothing is looked for, and nothing told."""
    os.utime(convertro.workspace.folder / "exports/a.ndjson")
    ended = replay(convertro, delivered, "--reread", "--quiet")
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("signup", ['["signup", "lead"]', '["lead", "signup"]'])
def test_an_added_type_is_no_other_type(
    convertro: CommandLine, delivered: Sandbox, signup: str
) -> None:
    """An event that goes out under one more type besides is not sent again."""
    write_settings(convertro, "name", signup)
    assert "go out again" not in replay(convertro, delivered).err
    assert delivered.stats()["accepted"] == 9


def test_a_resend_is_meant(convertro: CommandLine, delivered: Sandbox) -> None:
    """--resend asks for just that: nothing is told."""
    write_settings(convertro, "sale", '"lead"')
    assert "go out again" not in replay(convertro, delivered, "--resend").err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_dry_run_counts_them(convertro: CommandLine, delivered: Sandbox, workers: str) -> None:
    """The dry run says how many of all the export would go out again, in words and numbers."""
    write_settings(convertro, "sale", '"lead"')
    options = ("--dry-run", "--json", "--output", "calls.ndjson", "--workers", workers)
    ended = replay(convertro, delivered, *options)
    for sentence in RETYPED:
        assert f"→ {sentence}\n" in ended.err
    assert ended.summary["sent_again"] == [
        {"was": ["Order Completed"], "now": ["sale"], "orders": True, "count": 5},
        {"was": ["signup"], "now": ["lead"], "orders": False, "count": 2},
    ]
    assert "sent_again" not in replay(convertro, delivered, *options, "--no-ledger").summary


def test_a_diff_counts_them(convertro: CommandLine, delivered: Sandbox) -> None:
    """So does the comparison of two settings, and that with a saved dry run."""
    folder = convertro.workspace.folder
    convertro.workspace.config.rename(folder / "old.toml")
    write_settings(convertro, "sale", '"lead"')
    for name in ("old.toml", "convertro.toml"):
        path = folder / name
        path.write_text(f'{path.read_text()}\n[wire]\nbase_url = "{delivered.url}"\n')
    saving = ("-c", "old.toml", "--no-ledger", "-q", "-o", "saved.ndjson")
    convertro("replay", "--dry-run", "exports", *saving)
    for sides in (["old.toml", "convertro.toml"], ["convertro.toml", "--against", "saved.ndjson"]):
        (report,) = convertro("diff", *sides, "exports", "--format", "json", "-q").lines
        assert [group["count"] for group in report["sent_again"]] == [5, 2]
        assert set(RETYPED) < set(report["notes"])
    (alike,) = convertro("diff", "old.toml", "old.toml", "exports", "--format", "json").lines
    assert "sent_again" not in alike


def test_a_ledger_that_cannot_be_read_keeps_nobody_from_comparing(
    convertro: CommandLine, delivered: Sandbox
) -> None:
    """A comparison needs no ledger; it says that it could not look into this one."""
    (convertro.workspace.state / "ledger.db").write_bytes(b"no ledger at all")
    sides = ("convertro.toml", "convertro.toml")
    (report,) = convertro("diff", *sides, "exports", "--format", "json", "-q").lines
    assert any("was not looked at" in note for note in report["notes"])


def test_a_look_at_a_long_export_is_bounded(
    convertro: CommandLine, delivered: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more than that is looked at it says what was found in it, and who counts all."""
    monkeypatch.setattr(outlook, "LOOKED_AT", 1)
    content = (convertro.workspace.folder / "exports/a.ndjson").read_bytes()
    more = (b"%s\n" % orjson.dumps(order(n, type="page")) for n in range(2_000))
    (convertro.workspace.folder / "exports/a.ndjson").write_bytes(content + b"".join(more))
    write_settings(convertro, "sale", '"lead"')
    told = replay(convertro, delivered).err
    assert f"At least {RETYPED[0]}" in told
    assert "a dry run counts them all" in told


def test_a_limit_bounds_the_look(convertro: CommandLine, delivered: Sandbox) -> None:
    """What --limit leaves out is not told of."""
    write_settings(convertro, "sale", '"lead"')
    told = replay(convertro, delivered, "--limit", "2").err
    assert "2 orders delivered as Order Completed would go out again as sale." in told
    assert "lead" not in told.partition("Replay")[0]


@pytest.mark.parametrize("indent", ["", "    "])
def test_what_is_asked_is_folded_between_words(
    monkeypatch: pytest.MonkeyPatch, indent: str
) -> None:
    """A line that is too long for the terminal goes on below its beginning; a URL stays whole."""
    monkeypatch.setenv("COLUMNS", "40")
    url = f"http://shop.example.com/{'x' * 60}"

    lines = brake._folded(
        f"{indent}Nothing was sent to this target yet, as far as the ledger knows: {url}"
    )

    *short, last = lines.splitlines()
    assert len(short) > 1
    assert all(line.startswith(indent) and len(line) <= 40 for line in short)
    assert last == indent + url
    assert "  web event    http://" in brake._folded("  web event    http://a.test/")
