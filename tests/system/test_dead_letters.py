"""What failed for good, and how it is tried again."""

from __future__ import annotations

from pathlib import Path

from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.system.ledger_view import dead_letter_files, read_ledger, read_originals
from tests.system.messages import order, orders, poison
from tests.system.program import SETTINGS, WITH_POISON, Workspace
from tests.system.receiving import accepted, wait_for_quiet, wait_for_requests

LETTERS = ".convertro/dead-letters.ndjson"
TOO_LONG = order(7, context={"library": {"name": "analytics.js"}, "page": {"url": "x" * 9000}})
ODD_LINES = [
    b'{"type" :\t"track", "messageId":"no time"  ,"event":"Order Completed","anonymousId":"a",'
    b'"context":{"library":{"name":"analytics.js"}},"properties":{"order_id":1.0e2}}',
    b'{"broken":',
    b"\xff\xfe not text",
    b"[1, 2]",
]


def lines_of(export: Path, *numbers: int) -> list[bytes]:
    """The lines of an export with these numbers."""
    lines = export.read_bytes().split(b"\n")
    return [lines[number - 1] for number in numbers]


def test_original_bytes(workspace: Workspace, sandbox: Sandbox) -> None:
    """Each line that failed or was invalid is kept, byte for byte, with its reason and place."""
    workspace.config.write_text(WITH_POISON)
    export = workspace.write("export.ndjson", order(1), poison(2), *ODD_LINES, TOO_LONG)
    ended = workspace.replay(sandbox.url, "export.ndjson")
    assert ended.code == 1
    assert ended.summary["messages"]["delivered"] == 1
    assert ended.summary["failed"] == {"http_400": 1, "request_too_long": 1}
    originals = read_originals([workspace.dead_letters])
    assert sorted(originals) == sorted(lines_of(export, 2, 3, 4, 5, 6, 7))
    assert LETTERS in ended.err


def test_they_are_tried_again(workspace: Workspace, sandbox: Sandbox) -> None:
    """Replaying the file sets it aside; what fails once more goes to a new one, with its place."""
    workspace.config.write_text(WITH_POISON)
    export = workspace.write("export.ndjson", order(1), poison(2), *ODD_LINES)
    workspace.replay(sandbox.url, "export.ndjson")
    before = workspace.dead_letters.read_bytes()

    again = workspace.replay(sandbox.url, LETTERS)
    assert again.code == 1
    assert again.summary["messages"]["read"] == 5
    assert (again.summary["failed"], again.summary["calls"]["attempts"]) == ({"http_400": 1}, 1)
    aside, last_ones = dead_letter_files(workspace.state)
    assert aside.read_bytes() == before
    assert aside.stat().st_mode & 0o777 == 0o600
    assert b'"export.ndjson:2"' in last_ones.read_bytes()
    assert sorted(read_originals([last_ones])) == sorted(lines_of(export, 2, 3, 4, 5, 6))
    assert sandbox.stats()["rejected"] == 2

    workspace.config.write_text(SETTINGS)  # now an install has somewhere to go
    last = workspace.replay(sandbox.url, LETTERS)
    assert last.summary["messages"]["delivered"] == 1
    assert len(read_originals([workspace.dead_letters])) == len(ODD_LINES)
    assert sandbox.stats()["accepted"] == sandbox.stats()["unique"] == 2


def test_nothing_is_left(workspace: Workspace, sandbox: Sandbox) -> None:
    """When all were delivered, there is no file any more, and replaying it again does nothing."""
    workspace.config.write_text(WITH_POISON)
    workspace.write("export.ndjson", *(poison(number) for number in range(5)))
    workspace.replay(sandbox.url, "export.ndjson")
    workspace.config.write_text(SETTINGS)
    assert workspace.replay(sandbox.url, LETTERS).code == 0
    assert not workspace.dead_letters.exists()
    again = workspace.replay(sandbox.url, LETTERS)
    assert (again.code, again.summary["messages"]["read"]) == (0, 0)
    assert sandbox.stats()["accepted"] == 5


def test_what_is_skipped_is_told_and_can_be_tried_again(
    workspace: Workspace, sandbox: Sandbox
) -> None:
    """Settings may leave a dead letter out: the run says in which file it is, and that file can be
    replayed under others."""
    workspace.config.write_text(WITH_POISON)
    workspace.write("export.ndjson", order(1), poison(2))
    workspace.replay(sandbox.url, "export.ndjson")
    workspace.config.write_text(
        f'{SETTINGS}\n[schema]\ndisabled_events = ["Application Installed"]\n'
    )

    skipped = workspace.replay(sandbox.url, LETTERS)
    (aside,) = dead_letter_files(workspace.state)
    assert skipped.summary["messages"]["skipped"] == 1
    assert "1 of what was read was skipped" in skipped.err
    assert f"convertro replay --reread {aside.relative_to(workspace.folder)}" in skipped.err

    workspace.config.write_text(WITH_POISON)
    again = workspace.replay(sandbox.url, str(aside), "--reread")
    assert again.summary["calls"]["attempts"] == 1


def test_with_a_ledger_that_is_elsewhere(workspace: Workspace, sandbox: Sandbox) -> None:
    """A dead-letter file is an export like any other, wherever it lies."""
    workspace.config.write_text(WITH_POISON)
    workspace.write("export.ndjson", *orders(2), poison(3))
    workspace.replay(sandbox.url, "export.ndjson")
    copy = workspace.folder / "letters.ndjson"
    copy.write_bytes(workspace.dead_letters.read_bytes())
    workspace.config.write_text(SETTINGS)
    ended = workspace.replay(sandbox.url, "letters.ndjson", "--state", "other")
    assert (ended.code, ended.summary["messages"]["delivered"]) == (0, 1)
    assert copy.exists()


def test_a_crash_in_the_middle(workspace: Workspace) -> None:
    """After a crash while dead letters are replayed, the same command goes on with them."""
    count = 300
    with Sandbox(SandboxOptions(port=0, latency_s=0.02), keep_requests=True) as sandbox:
        workspace.config.write_text(WITH_POISON + "[delivery]\nstop_after_refusals = 0\n")
        workspace.write("export.ndjson", *(poison(number) for number in range(count)))
        assert workspace.replay(sandbox.url, "export.ndjson").summary["messages"]["failed"] == count
        workspace.config.write_text(SETTINGS)
        already = sandbox.stats()["requests"]
        command = ["replay", LETTERS, "--base-url", sandbox.url]
        running = workspace.start(*command, "--concurrency", "8")
        wait_for_requests(sandbox, already + count * 2 // 3)
        running.kill()
        wait_for_quiet(sandbox)
        assert not workspace.dead_letters.exists()
        doubtful = len(read_ledger(workspace.state).sending)

        ended = workspace.replay(sandbox.url, LETTERS)
        assert ended.code == 0
        assert ended.summary["messages"]["read"] == count
        assert ended.summary["messages"]["already_delivered"] > 0
        assert ended.summary["calls"]["possibly_repeated"] == doubtful
        received = accepted(sandbox.received())
        assert len(received) == count
        assert sum(received.values()) - count <= doubtful
        assert not workspace.dead_letters.exists()

        last = workspace.replay(sandbox.url, LETTERS)
        assert (last.code, last.summary["messages"]["read"]) == (0, 0)
