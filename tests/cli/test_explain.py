"""``convertro explain``: what a person sees of one message, and how it ends."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from convertro_cli.cli.explain import explain
from convertro_cli.mapping.jobs import ReplayJob
from convertro_cli.reading.batch import LineBatch
from convertro_cli.record.sqlite_ledger import SqliteLedger
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import load_settings
from tests.cli.one_command import enter_folder, run_command
from tests.mapping.messages import cloud_message, ready_messages, web_message

SETTINGS = """\
[convertro]
account = "acme"
hybrid_attribution_model = true
[events]
"Signed Up" = "signup"
"""

ORDER = web_message(
    "track",
    messageId="m1",
    event="Order Completed",
    properties={"Order ID": "o1", "total": "$1,200.50", "repeat": False},
)
IDENTIFY = web_message("identify", messageId="m2", userId="joe@example.com", traits={"plan": "pro"})
PAGE = web_message("page", messageId="m3")
HARMFUL = web_message(
    "track",
    messageId="m4\x1b[2J",
    event="Signed\x1b[31m Up\u202e",
    properties={"\x1b[0m\u2066id": 3},
)
UNMAPPED = web_message("track", messageId="m5", event="Signed Upp")
CLOUD = cloud_message("track", messageId="m6", event="signed_up")
MESSAGES = [ORDER, IDENTIFY, PAGE, HARMFUL, UNMAPPED, CLOUD]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has its settings and an export, and a terminal of 80 columns."""
    enter_folder(tmp_path, monkeypatch, SETTINGS, [*MESSAGES, b""])


def run(*arguments: str) -> int:
    """Run the command as the program does; give its exit code."""
    return run_command(explain, *arguments)


def explained(*arguments: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Run the command for JSON."""
    assert run(*arguments, "--json") == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["messages"]
    return found


def seen(output: str) -> str:
    """The output with all spacing made one space: what a person reads."""
    return " ".join(output.split())


def test_an_order_is_explained_step_by_step(capsys: pytest.CaptureFixture[str]) -> None:
    """Gates, places of values, settings and their origin, calls and the ledger are told."""
    assert run("--line", "e.ndjson:1") == 0
    text = seen(capsys.readouterr().out)
    for told in (
        "e.ndjson:1 message m1",
        'mode web: context.library.name is "analytics.js"',
        'mapping.mode = "auto" (default)',
        'o1 from properties["Order ID"]',
        "sale.new, sale: properties.repeat is false; the hybrid model sends both",
        "convertro.hybrid_attribution_model = true (file)",
        "1200.5 from properties.total",
        "Mapped to 2 calls.",
        "Call 1 of 2: event sale.new, worth 1200.5 (web)",
        "GET https://sp1.convertro.com/api/hit/acme/0/?sid=anon-1&eid=o1&typ=sale.new&val=1200.5",
        'eid o1 the event\'s id, from properties["Order ID"]',
        "Call 2 of 2: event sale, worth 1200.5 (web)",
        "ledger there is none yet: nothing was replayed",
    ):
        assert told in text


def test_a_message_that_is_skipped_is_told_what_would_send_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The gate that it stopped at is told, and the change that would let it through."""
    assert run("e.ndjson", "--message-id", "m5") == 0
    text = seen(capsys.readouterr().out)
    assert '✗ event type unmapped_event: [events] does not have "Signed Upp"' in text
    assert 'the closest name in it is "Signed Up"' in text
    assert "Skipped: unmapped_event." in text
    assert "The smallest change that would send it: → the settings [events]" in text
    assert '[events] "Signed Upp" = "Signed Upp"' in text
    assert 'Or: → the settings [mapping] unmapped_events = "send"' in text


def test_what_is_no_message_is_told_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    """A broken line has no remedy but to be mended."""
    assert run("--line", "e.ndjson:8") == 0
    text = seen(capsys.readouterr().out)
    assert "✗ line invalid_json" in text
    assert "No setting sends it: the line must be mended where it is broken." in text


@pytest.mark.parametrize("columns", [80, 120])
def test_the_text_fits_its_terminal(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a URL, which must be copied whole, is longer than the terminal is wide."""
    monkeypatch.setenv("COLUMNS", str(columns))
    for number in (1, 2, 3, 4, 5, 6, 8):
        assert run("--line", f"e.ndjson:{number}") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(len(line.rstrip()) > columns * 0.8 for line in lines)
    for line in lines:
        assert len(line) <= columns or line.startswith("GET https://")


def test_no_event_speaks_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters of a message are shown as escapes, in text and on errors."""
    for arguments in (
        ["--line", "e.ndjson:4"],
        ["e.ndjson", "--message-id", "x\x1b[31m"],
        ["e.ndjson", "--event", "x\x1b[31m"],
        ["--line", "x\x1b[31m:1"],
        ["--line", "x\x1b[31m"],
    ):
        run(*arguments)
        captured = capsys.readouterr()
        for character in captured.out + captured.err:
            assert character.isprintable() or character == "\n"
        assert "\\x1b" in captured.out + captured.err


def test_what_the_ledger_has_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A call that was delivered is told so, with its run; one that was not, likewise."""
    deliver_first_call("e.ndjson")
    first, second = explained("--line", "e.ndjson:1", capsys=capsys)[0]["calls"]
    assert first["ledger"]["state"] == "delivered"
    assert first["ledger"]["run"] == 1
    assert second["ledger"] == {"state": "not_there"}
    assert run("--line", "e.ndjson:1") == 0
    assert "ledger delivered by run 1, begun 20" in seen(capsys.readouterr().out)


def deliver_first_call(export: str) -> None:
    """Make a ledger that has the first call of an export as delivered."""
    rules = compile_rules(load_settings(Path("convertro.toml")).settings)
    batch = ReplayJob(rules)(LineBatch(0, export, 1, Path(export).read_bytes(), 0))
    Path(".convertro").mkdir()
    with SqliteLedger(Path(".convertro/ledger.db")) as ledger:
        run, _ = ledger.begin_run("target")
        ledger.commit(run, sending=b"", sent=[ready_messages(batch)[0].calls[0].key])


def test_a_ledger_that_cannot_be_read_does_not_hide_the_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The message is explained all the same, and what is wrong with the ledger is told."""
    Path(".convertro").mkdir()
    Path(".convertro/ledger.db").write_bytes(b"nonsense")
    assert run("--line", "e.ndjson:1") == 0
    text = seen(capsys.readouterr().out)
    assert "Mapped to 2 calls." in text
    assert "ledger not known. The ledger .convertro/ledger.db is damaged, or no ledger." in text


def test_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Explaining leaves the folder as it was: no state folder, no ledger."""
    before = sorted(Path().rglob("*"))
    assert run("e.ndjson", "--event", "Signed Up") == 0
    assert run("--line", "e.ndjson:1") == 0
    capsys.readouterr()
    assert sorted(Path().rglob("*")) == before


def test_the_json_has_the_fields_of_the_dry_run(capsys: pytest.CaptureFixture[str]) -> None:
    """A call in JSON has what a dry run's line has, and more."""
    (found,) = explained("e.ndjson", "--message-id", "m2", capsys=capsys)
    assert found["source"] == "e.ndjson:2"
    assert found["outcome"] == "mapped"
    (call,) = found["calls"]
    assert call["user_id"] == "joe@example.com"
    assert call["traits"] == {"plan": "pro"}
    assert call["method"] == "GET"
    (sent,) = [each for each in call["parameters"] if each["name"] == "id"]
    assert sent["value"] in call["url"]
    assert {"key": "convertro.account", "value": "acme", "origin": "file"} in call["address"]


@pytest.mark.parametrize("show", ["masked", "none"])
def test_personal_data_can_be_hidden(show: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Masked or hidden, no id, trait or address of a page is told."""
    for number in (1, 2):
        assert run("--line", f"e.ndjson:{number}", "--show", show) == 0
    text = capsys.readouterr().out
    for secret in ("joe@example.com", "anon-1", "o1", "203.0.113.9", "Mozilla", "x?y=1"):
        assert not re.search(rf"\b{re.escape(secret)}\b", text)


def test_options_override_settings_and_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A setting that an option gave is told with the option."""
    assert run("--line", "e.ndjson:1", "--account", "other") == 0
    text = seen(capsys.readouterr().out)
    assert 'convertro.account = "other" (option: --account)' in text
    assert "/api/hit/other/0/" in text


def test_the_filters_are_a_gate(capsys: pytest.CaptureFixture[str]) -> None:
    """A message that the options of a replay leave out is told by which of them."""
    assert run("--line", "e.ndjson:1", "--since", "2030-01-01", "--type", "identify") == 0
    text = seen(capsys.readouterr().out)
    assert "filtered_out: it is not among what --since and --type asked for" in text
    assert "→ the command without --since → the command without --type" in text


def test_an_event_is_found_in_any_spelling(capsys: pytest.CaptureFixture[str]) -> None:
    """The first event of a name is explained, and with a limit the next ones too."""
    (found,) = explained("e.ndjson", "--event", "orderCompleted", capsys=capsys)
    assert found["message_id"] == "m1"
    Path("two.ndjson").write_bytes(Path("e.ndjson").read_bytes() * 2)
    both = explained("two.ndjson", "--event", "order-completed", "--limit", "9", capsys=capsys)
    assert [each["source"] for each in both] == ["two.ndjson:1", "two.ndjson:9"]


def test_a_line_may_be_named_with_its_exports(capsys: pytest.CaptureFixture[str]) -> None:
    """Exports beside --line are allowed where the file is one of them."""
    (found,) = explained(".", "--line", "./e.ndjson:3", capsys=capsys)
    assert found["reason"] == "unsupported_type"
    assert run("e.ndjson", "--line", "convertro.toml:1") == 2
    assert "not among the exports" in capsys.readouterr().err


def test_a_dead_letter_is_explained_with_its_first_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The event in a dead letter is explained as the event itself."""
    letter = b'{"reason":"http_400","detail":"","source":"x.gz:7","at":"","event":%s}\n'
    Path("letters.ndjson").write_bytes(letter % orjson.dumps(ORDER))
    assert run("--line", "letters.ndjson:1") == 0
    text = seen(capsys.readouterr().out)
    assert "a dead letter, first met at x.gz:7" in text
    assert "Mapped to 2 calls." in text


def test_a_trait_nested_almost_too_deep_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """What can be sent can be told as JSON too."""
    deep: Any = 1
    for _ in range(252):
        deep = [deep]
    Path("deep.ndjson").write_text(
        json.dumps(web_message("identify", traits={"deep": deep}), separators=(",", ":")) + "\n"
    )
    (found,) = explained("--line", "deep.ndjson:1", capsys=capsys)
    assert found["outcome"] in {"mapped", "failed"}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ([], 2, "Which message?"),
        (["e.ndjson"], 2, "Which message?"),
        (["e.ndjson", "--event", "a", "--message-id", "b"], 2, "Which message?"),
        (["--event", "a"], 2, "Where is the message?"),
        (["--line", "e.ndjson"], 2, "is no FILE:N"),
        (["--line", "e.ndjson:0x1"], 2, "is no FILE:N"),
        (["--line", "e.ndjson:0"], 1, "has no line 0"),
        (["--line", "e.ndjson:99"], 1, "e.ndjson has no line 99: its last is 8."),
        (["--line", "e.ndjson:7"], 1, "e.ndjson:7 is blank"),
        (["--line", "nowhere:1"], 66, "Cannot read 'nowhere'"),
        (["e.ndjson", "--message-id", "zz"], 1, "No message in e.ndjson has the id zz."),
        (["e.ndjson", "--event", "zz"], 1, "No track in e.ndjson is named 'zz'."),
        (["e.ndjson", "--event", "zz", "--type", "track"], 1, "and passes the other filters"),
        (["--line", "e.ndjson:1", "-c", "nowhere.toml"], 2, "There is no settings file"),
    ],
)
def test_what_cannot_be_explained_is_told(
    arguments: Sequence[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A question that cannot be answered ends with a sentence and its exit code."""
    assert run(*arguments) == code
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.out == ""


def test_a_damaged_export_is_told_when_nothing_was_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where the rest of a file could not be read, the message may be in that."""
    Path("cut.gz").write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03abc")
    assert run("cut.gz", "--message-id", "m1") == 66
    error = capsys.readouterr().err
    assert "cut.gz" in error
    assert "It may be where the export is damaged." in error


def test_others_that_share_the_id_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Libraries have sent many messages under one id: it says how many others, and where."""
    again = [ORDER | {"event": f"Order {number}"} for number in range(7)]
    Path("e.ndjson").write_bytes(b"\n".join(map(orjson.dumps, [ORDER, PAGE, *again])))
    assert run("e.ndjson", "--message-id", "m1") == 0
    told = capsys.readouterr().err
    places = ", ".join(f"e.ndjson:{number}" for number in range(3, 8))
    assert (
        told == f"7 other messages have this id, at {places} and more: --limit 8 shows them, too.\n"
    )
    found = explained("e.ndjson", "--message-id", "m1", "--limit", "8", capsys=capsys)
    assert len(found) == 8


def test_an_id_of_one_message_has_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is said of others where there are none."""
    assert run("e.ndjson", "--message-id", "m1") == 0
    assert capsys.readouterr().err == ""


def test_of_a_long_export_it_looks_for_others_for_a_while(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for gigabytes to be read: then it says that there may be more."""
    monkeypatch.setattr("convertro_cli.review.explain.find.LOOKED_ON", 1)
    pages = orjson.dumps(PAGE) + b"\n"
    line = orjson.dumps(ORDER) + b"\n"
    Path("e.ndjson").write_bytes(line + line + pages * 4_000 + line)
    assert run("e.ndjson", "--message-id", "m1") == 0
    assert capsys.readouterr().err.startswith("At least 1 other message has this id")
