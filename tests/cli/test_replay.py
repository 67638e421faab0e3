"""``convertro replay``: what its options select, and what it knows of earlier runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine
from tests.system.messages import MOBILE, Message, order, orders, poison
from tests.system.program import WITH_POISON
from tests.system.receiving import accepted


def track(number: int, event: str, day: str) -> Message:
    """A track in a browser on a day of March 2024."""
    at = f"2024-03-{day}T12:00:00Z"
    return order(number, event=event, timestamp=at)


SIGNUP = {**track(2, "Signed Up", "02"), "anonymousId": "anon-2"}
IDENTIFY = {**track(3, "", "03"), "type": "identify", "userId": "u3"}
FILTERED = [track(1, "Order Completed", "01"), SIGNUP, IDENTIFY, track(4, "completed order", "04")]


def messages_of(summary: dict[str, Any]) -> dict[str, int]:
    """The counts of messages that are not zero."""
    return {name: count for name, count in summary["messages"].items() if count}


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--since", "2024-03-02T12:00:00Z"], [2, 3, 4]),
        (["--until", "2024-03-02T12:00:00Z"], [1]),
        (["--since", "2024-03-02", "--until", "2024-03-04"], [2, 3]),
        (["--since", "36500d"], [1, 2, 3, 4]),
        (["--until", "36500d"], []),
        (["--type", "identify"], [3]),
        (["--type", "Track", "--type", "identify"], [1, 2, 3, 4]),
        (["--event", "signed_up"], [2]),
        (["--event", "SIGNED UP", "--event", "order-completed"], [1, 2]),
        (["--event", "signed up", "--since", "2024-03-03"], []),
        (["--limit", "3"], [1, 2, 3]),
        (["--limit", "1", "--since", "2024-03-02"], [2]),
        (["--limit", "1", "--workers", "4", "--type", "identify"], [3]),
    ],
)
def test_what_filters_select(
    convertro: CommandLine, sandbox: Sandbox, options: list[str], wanted: list[int]
) -> None:
    """Only the messages that the filters select are sent; the others are skipped and counted."""
    convertro.workspace.write("export.ndjson", *FILTERED)
    ended = convertro.replay(sandbox.url, "export.ndjson", *options)
    assert ended.code == 0
    summary = ended.summary
    assert sandbox.stats()["accepted"] == summary["messages"]["delivered"] == len(wanted)
    assert summary["messages"]["skipped"] == summary["skipped"].get("filtered_out", 0)
    names = {record["params"].get("eid") or "o3" for record in sandbox.received()}
    assert names == {f"o{number}" for number in wanted}


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--since", "yesterday"], "--since"),
        (["--since", "2024-03-02", "--until", "2024-03-01"], "nothing is left"),
        (["--type", "page"], "--type"),
        (["--output", "calls.ndjson"], "--dry-run"),
        (["--include-skipped"], "--dry-run"),
        (["--dry-run", "--json"], "--output"),
        (["--base-url", "http://shop.example.com"], "allow_http"),
        (["--concurrency", "0"], "concurrency"),
        (["--transport", "pigeon"], "transport"),
    ],
)
def test_options_that_make_no_sense(convertro: CommandLine, options: list[str], word: str) -> None:
    """An option that makes no sense is told in a message, and nothing is done."""
    convertro.workspace.write("export.ndjson", *FILTERED)
    convertro("replay", "export.ndjson", *options).assert_told(2, word)
    assert not convertro.workspace.state.exists()


def test_a_second_run_sends_nothing(convertro: CommandLine, sandbox: Sandbox) -> None:
    """A file that was replayed whole is recognised; a second run says that nothing is to do."""
    convertro.workspace.write("export.ndjson", *orders(3))
    assert convertro.replay(sandbox.url, "export.ndjson").code == 0
    again = convertro.replay(sandbox.url, "export.ndjson")
    assert again.code == 0
    assert again.summary["files"] == {"read": 0, "skipped": 1, "damaged": 0}
    assert again.summary["messages"]["read"] == again.summary["calls"]["attempts"] == 0
    assert "Nothing to do" in again.err
    assert sandbox.stats()["requests"] == 3


def test_reread_reads_but_does_not_send(convertro: CommandLine, sandbox: Sandbox) -> None:
    """--reread reads a file again, and sends nothing that the ledger has."""
    convertro.workspace.write("export.ndjson", *orders(3))
    convertro.replay(sandbox.url, "export.ndjson")
    again = convertro.replay(sandbox.url, "export.ndjson", "--reread").summary
    assert messages_of(again) == {"read": 3, "already_delivered": 3}
    assert sandbox.stats()["requests"] == 3


def test_resend_sends_what_the_filters_select(convertro: CommandLine, sandbox: Sandbox) -> None:
    """--resend ignores the ledger for the selected events, and only for them."""
    convertro.workspace.write("export.ndjson", *FILTERED)
    convertro.replay(sandbox.url, "export.ndjson")
    again = convertro.replay(sandbox.url, "export.ndjson", "--resend", "--type", "identify")
    assert messages_of(again.summary) == {"read": 4, "delivered": 1, "skipped": 3}
    assert sandbox.stats()["repeats"] == 1
    assert sandbox.stats()["calls"]["user"] == 2


@pytest.mark.parametrize("transport", ["curl", "requests"])
def test_limits_add_up(convertro: CommandLine, sandbox: Sandbox, transport: str) -> None:
    """Runs with --limit go on, one after another, until everything is delivered once."""
    convertro.workspace.write("export.ndjson", *orders(5))
    for limit, delivered in ((2, 2), (4, 2), (9, 1)):
        options = ["--limit", str(limit), "--transport", transport]
        summary = convertro.replay(sandbox.url, "export.ndjson", *options).summary
        assert summary["messages"]["delivered"] == delivered
        assert summary["transport"] == transport
    assert sandbox.stats()["accepted"] == sandbox.stats()["unique"] == 5


def change_time(export: Path) -> None:
    os.utime(export, ns=(1, 1))


def append(export: Path) -> None:
    with export.open("ab") as stream:
        stream.write(orjson.dumps(order(9)) + b"\n")


def change_settings(export: Path) -> None:
    config = export.with_name("convertro.toml")
    config.write_text(config.read_text() + 'visitor_id = ["anonymousId"]\n')


@pytest.mark.parametrize(
    ("change", "delivered"), [(change_time, 0), (append, 1), (change_settings, 0)]
)
def test_a_changed_file_is_read_again(
    convertro: CommandLine, sandbox: Sandbox, change: Any, delivered: int
) -> None:
    """A file that is not quite the one replayed, or under other rules, is read again."""
    export = convertro.workspace.write("export.ndjson", *orders(3))
    convertro.replay(sandbox.url, "export.ndjson")
    change(export)
    again = convertro.replay(sandbox.url, "export.ndjson").summary
    assert again["messages"]["already_delivered"] == 3
    assert again["messages"]["delivered"] == delivered


@pytest.mark.parametrize("options", [["--limit", "9"], ["--since", "2024-01-01"]])
def test_filters_do_not_make_a_file_done(
    convertro: CommandLine, sandbox: Sandbox, options: list[str]
) -> None:
    """A file that was read under filters is read again: it may hold more."""
    convertro.workspace.write("export.ndjson", *orders(3))
    convertro.replay(sandbox.url, "export.ndjson", *options)
    again = convertro.replay(sandbox.url, "export.ndjson").summary
    assert messages_of(again) == {"read": 3, "already_delivered": 3}


def test_a_message_that_comes_twice_is_sent_once(convertro: CommandLine, sandbox: Sandbox) -> None:
    """Of messages with one id only the first is sent, wherever the second one stands."""
    convertro.workspace.write("a.ndjson", *orders(3), *orders(2))
    convertro.workspace.write("b.ndjson", *orders(4))
    summary = convertro.replay(sandbox.url, "a.ndjson", "b.ndjson").summary
    assert messages_of(summary) == {"read": 9, "delivered": 4, "already_delivered": 5}
    assert summary["by_event_type"] == {"sale": {"calls": 4, "value": 40.0}}
    assert sandbox.stats()["accepted"] == sandbox.stats()["unique"] == 4


def test_messages_without_an_id(convertro: CommandLine, sandbox: Sandbox) -> None:
    """Messages without an id are told apart by what they say."""
    anonymous = [order(number, messageId=None) for number in (1, 2, 1)]
    convertro.workspace.write("export.ndjson", *anonymous)
    summary = convertro.replay(sandbox.url, "export.ndjson").summary
    assert messages_of(summary) == {"read": 3, "delivered": 2, "already_delivered": 1}


def test_what_failed_is_left_alone(convertro: CommandLine, sandbox: Sandbox) -> None:
    """A plain replay does not try again what failed for good: it is already_failed."""
    convertro.workspace.config.write_text(WITH_POISON)
    export = convertro.workspace.write("export.ndjson", *orders(3), poison(4), b"{")
    first = convertro.replay(sandbox.url, "export.ndjson")
    assert first.code == 1
    assert first.summary["failed"] == {"http_400": 1}
    assert first.summary["invalid"] == {"invalid_json": 1}
    assert "convertro replay .convertro/dead-letters.ndjson" in first.err
    letters = convertro.workspace.dead_letters.read_bytes()
    assert len(letters.splitlines()) == 2
    change_time(export)
    second = convertro.replay(sandbox.url, "export.ndjson").summary
    assert messages_of(second) == {
        "read": 5,
        "already_delivered": 3,
        "already_failed": 1,
        "invalid": 1,
    }
    assert sandbox.stats()["rejected"] == 1
    assert convertro.workspace.dead_letters.read_bytes() == letters


def test_one_message_of_several_calls(convertro: CommandLine, sandbox: Sandbox) -> None:
    """A message of several calls counts once, with the worst outcome of them."""
    convertro.workspace.config.write_text(
        f'[convertro]\naccount = "acme"\n[events]\n"Signed Up" = ["signup", "{"x" * 9000}"]\n'
    )
    convertro.workspace.write("export.ndjson", SIGNUP)
    summary = convertro.replay(sandbox.url, "export.ndjson").summary
    assert messages_of(summary) == {"read": 1, "failed": 1}
    assert summary["failed"] == {"request_too_long": 1}
    assert (summary["calls"]["delivered"], summary["calls"]["failed"]) == (1, 1)
    assert len(convertro.workspace.dead_letters.read_bytes().splitlines()) == 1


def test_the_state_is_private(convertro: CommandLine, sandbox: Sandbox) -> None:
    """The state folder and all that is in it are for their owner alone."""
    convertro.workspace.write("export.ndjson", *orders(1), b"{")
    old = os.umask(0)
    try:
        convertro.replay(sandbox.url, "export.ndjson")
    finally:
        os.umask(old)
    state = convertro.workspace.state
    assert state.stat().st_mode & 0o777 == 0o700
    files = {path.name: path.stat().st_mode & 0o777 for path in state.iterdir()}
    assert {"ledger.db", "dead-letters.ndjson", "lock"} <= set(files)
    assert set(files.values()) == {0o600}


def test_messages_that_need_settings(convertro: CommandLine, sandbox: Sandbox) -> None:
    """Where messages need settings that are not filled in, the summary names these."""
    convertro.workspace.config.write_text('[convertro]\naccount = "acme"\nsite_id = "1"\n')
    convertro.workspace.write("export.ndjson", order(1), order(2, context=MOBILE))
    ended = convertro.replay(sandbox.url, "export.ndjson")
    assert ended.code == 0
    assert ended.summary["skipped"] == {"cloud_settings_missing": 1}
    assert "convertro.client_name" in ended.err
    assert "convertro.domain" in ended.err


def test_what_could_not_be_read_is_named(convertro: CommandLine, sandbox: Sandbox) -> None:
    """The places of amounts that cannot be read are named in the summary."""
    odd = order(2, properties={"order_id": "o2", "total": "a lot"})
    convertro.workspace.write("export.ndjson", order(1), odd)
    ended = convertro.replay(sandbox.url, "export.ndjson")
    assert ended.summary["invalid"] == {"unreadable_amount": 1}
    assert "export.ndjson:2" in ended.err


@pytest.mark.parametrize("bad", [False, True])
def test_quiet(convertro: CommandLine, sandbox: Sandbox, bad: bool) -> None:
    """--quiet says nothing, unless something is wrong: what cron likes."""
    convertro.workspace.write("export.ndjson", *orders(2), *([b"{"] if bad else []))
    ended = convertro("replay", "export.ndjson", "--base-url", sandbox.url, "--quiet")
    assert ended.code == bad
    assert not ended.out
    assert bool(ended.err) == bad
    assert ("export.ndjson:3" in ended.err) == bad


def test_logs_as_json(convertro: CommandLine, sandbox: Sandbox) -> None:
    """With --log-format json each line on standard error is a JSON object."""
    convertro.workspace.write("export.ndjson", *orders(2), b"{")
    convertro.workspace.folder.joinpath("cut.gz").write_bytes(b"\x1f\x8b\x08\x00")
    command = ["replay", "export.ndjson", "cut.gz", "--base-url", sandbox.url]
    ended = convertro(*command, "--log-format", "json")
    records = [orjson.loads(line) for line in ended.err.splitlines()]
    assert ended.code == 66
    assert {"at", "level", "event"} <= set.intersection(*(set(record) for record in records))
    (summary,) = [record for record in records if record["event"] == "summary"]
    assert summary["messages"]["delivered"] == 2


def test_control_characters_are_escaped(convertro: CommandLine, sandbox: Sandbox) -> None:
    """Nothing out of an export or its name is interpreted by a terminal."""
    convertro.workspace.config.write_text(
        '[convertro]\naccount = "acme"\n[mapping]\nunmapped_events = "send"\n'
    )
    event = order(1, event="\x1b]0;owned\x07\x1b[31m", anonymousId="\x1b[2J")
    convertro.workspace.write("a\x1b[1m.ndjson", event, b"\x1b[5m{")
    ended = convertro("replay", "a\x1b[1m.ndjson", "--base-url", sandbox.url)
    assert ended.code == 1
    assert "owned" in ended.err
    assert ended.err.replace("\n", "").isprintable()


def test_no_colour_where_it_is_not_wanted(
    convertro: CommandLine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR is honoured even where colours are forced by other means."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    convertro.workspace.write("export.ndjson", *orders(1))
    ended = convertro("replay", "export.ndjson", "--base-url", sandbox.url)
    assert "\x1b[3" not in ended.err


def test_standard_input(
    convertro: CommandLine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """- reads standard input; what came in once is not sent again from a file."""
    export = convertro.workspace.write("export.ndjson", *orders(3))
    with export.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        summary = convertro.replay(sandbox.url, "-").summary
    assert messages_of(summary) == {"read": 3, "delivered": 3}
    again = convertro.replay(sandbox.url, "export.ndjson").summary
    assert messages_of(again) == {"read": 3, "already_delivered": 3}


def test_another_target_is_another_matter(convertro: CommandLine, sandbox: Sandbox) -> None:
    """What was rehearsed against one address counts nothing for another."""
    convertro.workspace.write("export.ndjson", *orders(3))
    convertro.replay(sandbox.url, "export.ndjson")
    with Sandbox(SandboxOptions(port=0)) as other:
        summary = convertro.replay(other.url, "export.ndjson").summary
        assert summary["messages"]["delivered"] == other.stats()["accepted"] == 3
    summary = convertro.replay(sandbox.url, "export.ndjson", "--site-id", "2").summary
    assert summary["messages"]["delivered"] == 3


def test_the_summary_has_every_count(convertro: CommandLine, sandbox: Sandbox) -> None:
    """The summary has all its fields, zero or not, and says what is in the design."""
    mobile = order(2, type="identify", userId="u1", context=MOBILE)
    lines: list[bytes | Message] = [order(1), mobile, order(3, type="page"), b"", b"{"]
    export = convertro.workspace.write("export.ndjson", *lines)
    summary = convertro.replay(sandbox.url, "export.ndjson", "--transport", "curl").summary
    assert summary.pop("elapsed_s") > 0
    assert set(summary.pop("latency_ms")) == {"p50", "p95"}
    assert summary.pop("bytes_read") == export.stat().st_size
    assert summary == {
        "dry_run": False,
        "messages": {
            "read": 4,
            "delivered": 2,
            "already_delivered": 0,
            "already_failed": 0,
            "skipped": 1,
            "invalid": 1,
            "failed": 0,
        },
        "calls": {
            "delivered": 2,
            "already_delivered": 0,
            "already_failed": 0,
            "failed": 0,
            "possibly_repeated": 0,
            "in_doubt": 0,
            "attempts": 2,
        },
        "skipped": {"unsupported_type": 1},
        "invalid": {"invalid_json": 1},
        "failed": {},
        "kept_back": {},
        "warnings": {},
        "by_event_type": {"sale": {"calls": 1, "value": 10.0}},
        "files": {"read": 1, "skipped": 0, "damaged": 0},
        "transport": "curl",
        "exit_code": 1,
    }
    assert sum(accepted(sandbox.received()).values()) == 2


def test_an_empty_export_gets_a_word(convertro: CommandLine, sandbox: Sandbox) -> None:
    """A replay and a dry run say that a file has nothing in it, and all is well."""
    convertro.workspace.write("export.ndjson")
    for options in ((), ("--dry-run",)):
        ended = convertro("replay", "export.ndjson", "--base-url", sandbox.url, *options)
        assert ended.code == 0
        assert "There is nothing in export.ndjson: it is empty." in ended.err


def test_places_of_one_name_are_kept_apart(convertro: CommandLine, sandbox: Sandbox) -> None:
    """An amount that is held back and one that is sent for another stand apart, with places."""
    held = order(1, properties={"order_id": "o1", "total": "a lot"})
    sent = order(2, properties={"order_id": "o2", "total": "a lot", "revenue": 5})
    convertro.workspace.write("export.ndjson", held, sent)
    ended = convertro("replay", "export.ndjson", "--base-url", sandbox.url)
    assert "unreadable_amount, sent, at export.ndjson:2\n" in ended.err
    assert "unreadable_amount, held back, at export.ndjson:1\n" in ended.err


ODD_FILTERS = """
[[filters]]
title = "Bare"
if = "event = purchase"
actions = [{ type = "DROP" }]
"""


@pytest.mark.parametrize(
    "command",
    [
        ("replay", "e.ndjson"),
        ("replay", "--dry-run", "e.ndjson"),
        ("inspect", "e.ndjson"),
        ("diff", "convertro.toml", "convertro.toml", "e.ndjson"),
    ],
)
def test_filters_that_cannot_be_meant_are_told_before(
    convertro: CommandLine, sandbox: Sandbox, command: tuple[str, ...]
) -> None:
    """Whatever applies filters says first what is surely unwanted in them, unless told --quiet."""
    config = convertro.workspace.config
    config.write_text(f'{config.read_text()}{ODD_FILTERS}[wire]\nbase_url = "{sandbox.url}"\n')
    convertro.workspace.write("e.ndjson", *orders(1))
    told = convertro(*command).err
    assert told.startswith("convertro: note: the filter 'Bare' asks for the field purchase")
    assert "'Bare'" not in convertro(*command, "--quiet").err
