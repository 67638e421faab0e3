"""A replay that is watched: metrics, pings, and an end when too much fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine
from tests.system.messages import orders
from tests.system.program import SETTINGS

SECRET = "0d1c2b3a-secret"


class _Service(BaseHTTPRequestHandler):
    paths: list[str] = []  # noqa: RUF012 - one server at a time

    def do_GET(self) -> None:
        self.paths.append(self.path.partition("?")[0].removeprefix(f"/{SECRET}"))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service(convertro: CommandLine) -> Iterator[str]:
    """A service that is pinged, by the settings."""
    _Service.paths.clear()
    server = HTTPServer(("127.0.0.1", 0), _Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/{SECRET}"
    convertro.workspace.config.write_text(f'{SETTINGS}\n[delivery]\nping_url = "{url}"\n')
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


def metrics(path: Path) -> dict[str, float]:
    """The samples, by name and outcome."""
    lines = (line.rpartition(" ") for line in path.read_text().splitlines() if line[0] != "#")
    return {
        name.partition("{")[0]: float(value)
        for name, _, value in lines
        if "outcome=" not in name or 'outcome="delivered"' in name
    }


def test_the_metrics_of_a_replay(convertro: CommandLine, sandbox: Sandbox) -> None:
    """They are there after each run, also one that does not get to send anything."""
    file = convertro.workspace.folder / "convertro.prom"
    convertro.workspace.write("a.ndjson", *orders(3), b"{")
    convertro.replay(sandbox.url, "a.ndjson", "--metrics", file)
    found = metrics(file)
    assert found["convertro_messages_total"] == 3
    assert found["convertro_dead_letters_open"] == 1
    assert found["convertro_exit_code"] == 1
    assert convertro.replay(sandbox.url, "missing", "--metrics", file).code == 66
    assert metrics(file)["convertro_exit_code"] == 66
    convertro.workspace.config.write_text("nonsense")
    assert convertro.replay(sandbox.url, "a.ndjson", "--metrics", file).code == 2
    assert set(metrics(file)) == set(found)
    assert metrics(file)["convertro_exit_code"] == 2


def test_metrics_spare_what_is_read(convertro: CommandLine, sandbox: Sandbox) -> None:
    """An export, the settings and the state are no place for them; and nothing is sent then."""
    convertro.workspace.write("exports/a.ndjson", *orders(1))
    before = Path("exports/a.ndjson").read_bytes()
    for name in ("exports/a.ndjson", "convertro.toml", ".convertro/ledger.db", "exports", "no/x"):
        ended = convertro("replay", "exports", "--base-url", sandbox.url, "--metrics", name)
        ended.assert_told(2, name.partition("/")[0])
    assert Path("exports/a.ndjson").read_bytes() == before
    assert sandbox.stats()["requests"] == 0


def test_metrics_that_cannot_be_written(convertro: CommandLine, sandbox: Sandbox) -> None:
    """The run is as it was, its summary is printed, and it ends with 74."""
    convertro.workspace.write("a.ndjson", *orders(2))
    ended = convertro.replay(sandbox.url, "a.ndjson", "--metrics", "x" * 250)
    assert ended.code == 74
    assert ended.summary["messages"]["delivered"] == 2
    assert "metrics" in ended.err


def test_what_is_about_deliveries_only(convertro: CommandLine) -> None:
    """A dry run delivers nothing that could be watched."""
    for option in (("--metrics", "m.prom"), ("--max-failed", "3")):
        convertro("replay", "-n", "a.ndjson", *option).assert_told(2, option[0], "--dry-run")


def test_pings(convertro: CommandLine, sandbox: Sandbox, service: str) -> None:
    """A start and an end for each run, with its exit code; none for a dry run."""
    convertro.workspace.write("good.ndjson", *orders(2))
    convertro.workspace.write("bad.ndjson", {"type": "page"}, b"{")
    convertro.replay(sandbox.url, "good.ndjson")
    convertro.replay(sandbox.url, "bad.ndjson")
    convertro.replay(sandbox.url, "missing")
    convertro("replay", "--dry-run", "good.ndjson")
    assert _Service.paths == ["/start", "", "/start", "/1", "/start", "/66"]


def test_a_ping_that_fails_ends_nothing(convertro: CommandLine, sandbox: Sandbox) -> None:
    """The run is as without it; a warning names the host, and nothing more of the address."""
    url = f"http://127.0.0.1:1/{SECRET}"
    convertro.workspace.config.write_text(f'{SETTINGS}\n[delivery]\nping_url = "{url}"\n')
    convertro.workspace.write("a.ndjson", *orders(2))
    ended = convertro.replay(sandbox.url, "a.ndjson")
    assert (ended.code, ended.summary["messages"]["delivered"]) == (0, 2)
    assert "127.0.0.1" in ended.err
    assert SECRET not in ended.err


def test_the_address_is_a_secret(convertro: CommandLine, service: str) -> None:
    """Neither check nor diff show more of it than the host, nor what is wrong with it."""
    convertro.workspace.write("a.ndjson", *orders(1))
    (convertro.workspace.folder / "old.toml").write_text(SETTINGS)
    for command in (
        ("check",),
        ("check", "--json"),
        ("diff", "old.toml", "convertro.toml", "a.ndjson"),
        ("diff", "old.toml", "convertro.toml", "a.ndjson", "--format", "json"),
    ):
        ended = convertro(*command)
        assert ended.code == 0, ended.err
        assert b"http://127.0.0.1/" in ended.out
        assert SECRET.encode() not in ended.out
    convertro.workspace.config.write_text(f'{SETTINGS}\n[delivery]\nping_url = "{SECRET}"\n')
    ended = convertro("check")
    ended.assert_told(2, "delivery.ping_url", "web address")
    assert SECRET not in ended.err


def test_a_run_stops_when_too_much_fails(convertro: CommandLine, sandbox: Sandbox) -> None:
    """With 1, saying why; the same command with a higher limit goes on from there."""
    convertro.workspace.write("a.ndjson", b"{", b"[", *orders(2))
    command = ("replay", "a.ndjson", "--base-url", sandbox.url, "--max-failed")
    convertro(*command, "1").assert_told(1, "--max-failed allows 1", "goes on")
    ended = convertro(*command, "2")
    assert ended.code in {0, 1}  # 0 where the first run had come to the end of the small file
    assert sandbox.stats()["unique"] == 2
    assert "Stopped" not in ended.err
