"""``--canary``: the first calls, each shown with its answer, and what to type next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import unquote

import orjson
import pytest

from convertro_cli.cli.canary import without_canary
from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine
from tests.system.messages import order, orders, poison
from tests.system.program import WITH_POISON

NASTY = b"\x1b]0;owned\x07\xc2\x9b31m " + b"x" * 300


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer an identify with what was asked, all else with what speaks to terminals."""
        body = unquote(self.path).encode() if "/user/" in self.path else NASTY
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def nasty_server() -> Iterator[str]:
    """A server whose answers would speak to a terminal, or repeat what they were asked."""
    server = HTTPServer(("127.0.0.1", 0), _Server)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("transport", ["curl", "requests"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_first_calls_are_shown(
    convertro: CommandLine, sandbox: Sandbox, transport: str, workers: str
) -> None:
    """Each request stands there whole with its answer; what was read is what was sent."""
    convertro.workspace.write("export.ndjson", order(0, type="page"), *orders(50), b"{")
    options = ("--canary", "3", "--transport", transport, "--workers", workers)
    ended = convertro.replay(sandbox.url, "export.ndjson", *options)
    assert ended.code == 0
    assert [record["params"]["eid"] for record in sandbox.received()] == ["o1", "o2", "o3"]
    assert ended.err.count(f"  GET {sandbox.url}/api/hit/") == 3
    assert re.findall(r"^(\d) of 3: sale 10, export.ndjson:(\d)$", ended.err, re.M) == [
        ("1", "2"),
        ("2", "3"),
        ("3", "4"),
    ]
    assert len(re.findall(r'^  200 OK, "ok\\n" after \d+ ms: delivered$', ended.err, re.M)) == 3
    summary = ended.summary
    assert summary["canary"] == {"calls": 3, "stopped": True}
    assert summary["messages"]["read"] == 4
    assert "The canary sent 3 calls and stopped." in ended.err
    assert not convertro.workspace.dead_letters.exists()

    rest = convertro.replay(sandbox.url, "export.ndjson", "--transport", transport).summary
    assert (rest["messages"]["delivered"], rest["messages"]["already_delivered"]) == (47, 3)
    assert sandbox.stats()["unique"] == sandbox.stats()["accepted"] == 50


def test_fewer_calls_than_that(convertro: CommandLine, sandbox: Sandbox) -> None:
    """Where no more are left to send it says so, and the file counts as replayed."""
    convertro.workspace.write("export.ndjson", *orders(2))
    ended = convertro.replay(sandbox.url, "export.ndjson", "--canary=5")
    assert ended.summary["canary"] == {"calls": 2, "stopped": False}
    assert "no more were left to send" in ended.err
    assert convertro.replay(sandbox.url, "export.ndjson").summary["files"]["skipped"] == 1


def test_what_fails_is_shown_and_kept(convertro: CommandLine, sandbox: Sandbox) -> None:
    """A refused call is a dead letter as in any replay, and ends with exit code 1."""
    convertro.workspace.config.write_text(WITH_POISON)
    convertro.workspace.write("export.ndjson", order(1), poison(2), *orders(5, start=3))
    ended = convertro.replay(sandbox.url, "export.ndjson", "--canary", "3")
    assert ended.code == 1
    assert ended.summary["failed"] == {"http_400": 1}
    assert re.search(
        r"2 of 3: a user or install call.*\n.*\n  400 Bad Request.*failed for good", ended.err
    )
    assert len(convertro.workspace.dead_letters.read_bytes().splitlines()) == 1


def test_an_answer_cannot_speak_to_a_terminal(convertro: CommandLine, nasty_server: str) -> None:
    """Of a body the first 200 characters are shown, with control characters as escapes."""
    convertro.workspace.write("export.ndjson", *orders(2))
    ended = convertro("replay", "export.ndjson", "--base-url", nasty_server, "--canary", "1")
    assert "\\x1b]0;owned\\x07\\x9b31m xxx" in ended.err
    assert ended.err.replace("\n", "").isprintable()
    (shown,) = re.findall(r'200 OK, "(.*)" after', ended.err)
    assert len(shown) == 200


def test_a_log_has_nothing_of_anybody(convertro: CommandLine, nasty_server: str) -> None:
    """With --log-format json each request is a record without the values of its parameters, even
    where the answer repeats them."""
    secret = order(1, type="identify", userId="ada-lovelace", traits={"plan": "Secret-Plan"})
    convertro.workspace.write("export.ndjson", secret, *orders(3))
    options = ("--canary", "2", "--log-format", "json")
    ended = convertro("replay", "export.ndjson", "--base-url", nasty_server, *options)
    records = [orjson.loads(line) for line in ended.err.splitlines()]
    first, second = [record for record in records if record["event"] == "canary"]
    assert (first["number"], first["outcome"]) == (1, "delivered")
    assert "plan=…" in first["url"]
    assert "plan=…" in first["answer"]
    assert "typ=sale&val=10" in second["url"]
    for word in ("ada-lovelace", "Secret", "anon-1"):
        assert word not in ended.err


@pytest.mark.parametrize(
    "options",
    [["--canary", "0"], ["--canary", "-1"], ["--canary", "ten"], ["--dry-run", "--canary", "3"]],
)
def test_canaries_that_make_no_sense(
    convertro: CommandLine, sandbox: Sandbox, options: list[str]
) -> None:
    """None, or one in a dry run, is refused, and nothing is done."""
    convertro.workspace.write("export.ndjson", *orders(2))
    ended = convertro("replay", "export.ndjson", "--base-url", sandbox.url, *options)
    assert ended.code == 2
    assert "--canary" in ended.err
    assert sandbox.stats()["requests"] == 0
    assert not convertro.workspace.state.exists()


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        (["replay", "a", "--canary", "10", "-q"], ["replay", "a", "-q"]),
        (["replay", "--canary=10", "--yes", "a b"], ["replay", "a b"]),
        (["replay", "--canary", "1", "--", "--canary", "5"], ["replay", "--", "--canary", "5"]),
    ],
)
def test_what_to_type_next(typed: list[str], left: list[str]) -> None:
    """It is what was typed, without the canary."""
    assert without_canary(typed) == left
