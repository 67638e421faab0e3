"""The sandbox as its users meet it: over sockets, under load, in trouble, and at its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from convertro_cli.errors import ConvertroError
from convertro_cli.sandbox.options import PlannedOutage, SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.sandbox.client import HIT, Wire, get, target
from tests.sandbox.conftest import FakeClock


def in_threads(url: str, shares: Iterable[list[str]]) -> list[tuple[str, int]]:
    """Sends each share of targets over a connection of its own; gives targets and statuses."""
    answers: list[tuple[str, int]] = []

    def send(targets: list[str]) -> None:
        with Wire(url) as wire:
            for each in targets:
                answers.append((each, wire.get(each).status))

    threads = [threading.Thread(target=send, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_what_was_received_is_kept_in_order(sandbox: Sandbox) -> None:
    """Each request leaves a record: call, path, parameters, status, and whether it is a repeat."""
    with Wire(sandbox.url) as wire:
        wire.get(target(eid="ö 1"))
        wire.get(target(eid="ö 1"))
        wire.get("/api/install/acme/1/?ts=5")
        wire.get("/elsewhere?x=1")
    first, second, third, fourth = sandbox.received()
    assert first["at"].endswith("Z")
    assert {**first, "at": ""} == {
        "at": "",
        "call": "event",
        "path": HIT,
        "params": {
            "sid": "anon-1",
            "eid": "ö 1",
            "typ": "sale",
            "val": "50.99",
            "ts": "1709290000",
        },
        "status": 200,
        "repeat": False,
    }
    assert {**second, "at": "", "repeat": False} == {**first, "at": ""}
    assert second["repeat"]
    assert (third["call"], third["status"]) == ("install", 400)
    assert (fourth["call"], fourth["params"], fourth["status"]) == (None, {"x": "1"}, 400)


def test_stats_are_the_same_over_the_wire(sandbox: Sandbox) -> None:
    """GET /stats gives, as JSON, what stats() gives, and is not a request to Convertro itself."""
    get(sandbox.url, target())
    answer = get(sandbox.url, "/stats")
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body) == sandbox.stats()
    assert sandbox.stats() == {
        "requests": 1,
        "accepted": 1,
        "rejected": 0,
        "faults": 0,
        "unique": 1,
        "repeats": 0,
        "calls": {"event": 1, "user": 0, "install": 0},
        "by_event_type": {"sale": {"calls": 1, "value": 50.99}},
    }


def test_a_browsers_search_for_an_icon_is_not_counted(sandbox: Sandbox) -> None:
    """What a browser asks for by itself is no call."""
    assert get(sandbox.url, "/favicon.ico").status == 404
    assert sandbox.stats()["requests"] == 0


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8020", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8020", 200),
        ("[::1]", 200),
        ("rebound.example.com", 403),
        ("127.0.0.1.example.com:8020", 403),
    ],
)
def test_the_page_is_shown_under_local_names_only(sandbox: Sandbox, host: str, status: int) -> None:
    """A web page that points its own name at this machine cannot read what was received."""
    for path in ("/", "/stats"):
        with Wire(sandbox.url) as wire:
            wire.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert wire.answer().status == status


def test_records_are_kept_only_when_asked() -> None:
    """A long rehearsal must not keep every request in memory."""
    with Sandbox(SandboxOptions(port=0)) as sandbox:
        get(sandbox.url, target())
        with pytest.raises(RuntimeError, match="keep_requests"):
            sandbox.received()


def test_counts_of_many_threads_add_up(tmp_path: Path) -> None:
    """However requests interleave, statuses, counts, log and records tell the same story."""
    path = tmp_path / "log.ndjson"
    options = SandboxOptions(port=0, log=path, fail_rate=0.2, seed=3)
    shares = [
        [target(eid=f"o{(n * 7 + thread * 40) % 200}", val="0.1") for n in range(100)]
        + ["/unknown", HIT]
        for thread in range(8)
    ]
    with Sandbox(options, keep_requests=True) as sandbox:
        answers = in_threads(sandbox.url, shares)
        stats, received = sandbox.stats(), sandbox.received()
    statuses = Counter(status for _, status in answers)
    good = [t for t, status in answers if status == 200]
    assert stats["requests"] == len(answers) == 816
    assert (stats["accepted"], stats["rejected"], stats["faults"]) == (
        statuses[200],
        statuses[400],
        statuses[503],
    )
    assert (stats["unique"], stats["repeats"]) == (len(set(good)), len(good) - len(set(good)))
    assert stats["calls"]["event"] == stats["by_event_type"]["sale"]["calls"] == len(good)
    assert stats["by_event_type"]["sale"]["value"] == len(good) / 10
    assert [json.loads(line) for line in path.read_text().splitlines()] == received
    assert sum(r["repeat"] for r in received) == stats["repeats"]
    assert Counter(r["status"] for r in received) == statuses
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_order_of_requests_does_not_change_which_fail() -> None:
    """One client and eight clients, the same seed: the same requests fail, as often."""
    targets = [target(eid=f"o{n}") for n in range(160)] * 3

    def told(shares: list[list[str]], seed: int) -> Counter[tuple[str, int]]:
        with Sandbox(SandboxOptions(port=0, fail_rate=0.3, seed=seed)) as sandbox:
            return Counter(in_threads(sandbox.url, shares))

    alone = told([targets], 1)
    assert alone == told([targets[n::8][::-1] for n in range(8)], 1)
    assert alone != told([targets], 2)


def test_a_failed_request_is_not_accepted() -> None:
    """At a fail rate of 1 nothing ever gets through, and each try is a fault."""
    options = SandboxOptions(port=0, fail_rate=1, fail_status=500)
    with Sandbox(options, keep_requests=True) as sandbox, Wire(sandbox.url) as wire:
        assert [wire.get(target()).status for _ in range(3)] == [500] * 3
        assert wire.get("/bad").status == 400
        stats = sandbox.stats()
        assert (stats["accepted"], stats["unique"], stats["faults"], stats["rejected"]) == (
            0,
            0,
            3,
            1,
        )
        assert [r["repeat"] for r in sandbox.received()] == [False] * 4


def test_an_outage_fails_everything_and_then_passes(clock: FakeClock) -> None:
    """During the outage each request, good or bad, gets 503; before and after it does not."""
    options = SandboxOptions(port=0, outage=PlannedOutage(length_s=10, start_s=20))
    with Sandbox(options, clock=clock) as sandbox, Wire(sandbox.url) as wire:
        assert wire.get(target(eid="before")).status == 200
        clock.go(20)
        assert [wire.get(t).status for t in (target(eid="during"), "/bad")] == [503, 503]
        assert wire.get("/stats").status == 200
        clock.go(10)
        assert wire.get(target(eid="during")).status == 200
        assert (sandbox.stats()["unique"], sandbox.stats()["faults"]) == (2, 2)


def test_a_rate_limit_says_when_to_come_back(clock: FakeClock) -> None:
    """Beyond the limit a request gets 429 with Retry-After; with time there is room again."""
    with Sandbox(SandboxOptions(port=0, rate_limit=20), clock=clock) as sandbox:
        with Wire(sandbox.url) as wire:
            answers = [wire.get(target(eid=f"o{n}")) for n in range(4)]
            clock.go(0.05)
            later = wire.get(target(eid="o3"))
        assert [a.status for a in (*answers, later)] == [200, 200, 429, 429, 200]
        assert answers[2].headers["retry-after"] == "1"
        assert sandbox.stats()["faults"] == 2


def test_the_answer_takes_the_latency_asked_for() -> None:
    """No answer comes sooner than the latency; what was received is known before."""
    options = SandboxOptions(port=0, latency_s=0.2)
    with Sandbox(options, keep_requests=True) as sandbox, Wire(sandbox.url) as wire:
        begun = time.monotonic()
        assert wire.get(target()).status == 200
        assert time.monotonic() - begun >= 0.2


def test_a_client_that_vanishes_leaves_no_trace(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    """Connections dropped before, within or after a request harm nobody and print nothing."""
    for data in (b"", b"GET ", f"GET {target()} HTTP/1.1\r\n\r\n".encode() * 50):
        with Wire(sandbox.url) as wire:
            wire.send(data)
            reset = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # close with a reset, not a farewell
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
    assert get(sandbox.url, target(eid="after")).status == 200
    assert capfd.readouterr() == ("", "")


def test_many_connections_are_served_at_once(sandbox: Sandbox) -> None:
    """Three hundred open connections are three hundred conversations."""
    wires = [Wire(sandbox.url) for _ in range(300)]
    try:
        for n, wire in enumerate(wires):
            wire.send(f"GET {target(eid=f'o{n}')} HTTP/1.1\r\n\r\n".encode())
        assert {wire.answer().status for wire in reversed(wires)} == {200}
    finally:
        for wire in wires:
            wire.socket.close()
    assert sandbox.stats()["unique"] == 300


def test_the_end_lets_the_answer_in_hand_out() -> None:
    """Closing waits for no latency, loses no answer, and ends idle connections."""
    with Sandbox(SandboxOptions(port=0, latency_s=60), keep_requests=True) as sandbox:
        url = sandbox.url
        idle, busy = Wire(url), Wire(url)
        busy.send(f"GET {target()} HTTP/1.1\r\n\r\n".encode())
        deadline = time.monotonic() + 10
        while not sandbox.received() and time.monotonic() < deadline:
            time.sleep(0.001)
        begun = time.monotonic()
        sandbox.close()
    assert time.monotonic() - begun < 5
    answer = busy.answer()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert idle.is_closed_by_server()
    for wire in (idle, busy):
        wire.socket.close()
    with pytest.raises(ConnectionError):
        Wire(url)
    assert sandbox.stats()["accepted"] == 1


def test_a_taken_port_is_one_sentence(sandbox: Sandbox) -> None:
    """A port in use and a host that is none are told with what to do."""
    port = int(sandbox.url.rpartition(":")[2])
    for options in (SandboxOptions(port=port), SandboxOptions(host="192.0.2.1", port=0)):
        with pytest.raises(ConvertroError, match="cannot listen on") as caught:
            Sandbox(options).start()
        assert "--port" in (caught.value.hint or "")


def test_ipv6_has_its_brackets() -> None:
    """An IPv6 address is reachable under the URL that the sandbox gives."""
    try:
        sandbox = Sandbox(SandboxOptions(host="::1", port=0))
        sandbox.start()
    except ConvertroError:
        pytest.skip("no IPv6 here")
    with sandbox:
        assert sandbox.url.startswith("http://[::1]:")
        assert get(sandbox.url, target()).status == 200


def test_all_addresses_are_reached_by_loopback() -> None:
    """Bound to every address, the sandbox gives a URL that works, and its page under any name."""
    with Sandbox(SandboxOptions(host="0.0.0.0", port=0)) as sandbox, Wire(sandbox.url) as wire:
        assert sandbox.url.startswith("http://127.0.0.1:")
        wire.send(b"GET /stats HTTP/1.1\r\nHost: sandbox.test\r\n\r\n")
        assert wire.answer().status == 200


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_without_room_ends_the_sandbox() -> None:
    """A record that cannot be written is not counted, not answered, and told at the end."""
    sandbox = Sandbox(SandboxOptions(port=0, log=Path("/dev/full")))
    sandbox.start()
    with Wire(sandbox.url) as wire:
        wire.send(f"GET {target()} HTTP/1.1\r\n\r\n".encode())
        assert wire.is_closed_by_server()
    assert sandbox.stats()["requests"] == 0
    with pytest.raises(ConvertroError, match="No space left"):
        sandbox.close()
    sandbox.close()


PROGRAM = """
import sys
from pathlib import Path
from convertro_cli.errors import ConvertroError
from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
log = Path(sys.argv[1]) if len(sys.argv) > 1 else None
try:
    with Sandbox(SandboxOptions(port=0, log=log)) as sandbox:
        number = sandbox.serve_forever(ready=lambda url: print(url, flush=True))
        print(number, sandbox.stats()["accepted"])
except ConvertroError as error:
    print(error.message)
"""


def started(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_sandbox_cleanly(number: signal.Signals) -> None:
    """SIGINT and SIGTERM end serve_forever with open connections, quietly, by their number."""
    process, url = started()
    with Wire(url) as wire:
        assert wire.get(target()).status == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, f"{int(number)} 1\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_without_room_ends_serving_with_a_sentence() -> None:
    """Whoever started the sandbox hears that its log cannot be written, without a traceback."""
    process, url = started("/dev/full")
    with Wire(url) as wire:
        wire.send(f"GET {target()} HTTP/1.1\r\n\r\n".encode())
        assert wire.is_closed_by_server()
    out, err = process.communicate(timeout=20)
    assert "The log '/dev/full' cannot be written" in out
    assert err == ""
