"""The dry run: its lines to the byte, where they go, and that nothing else happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import IO, Any

import orjson
import pytest

from convertro_cli.reading.batch import BATCH_BYTES
from tests.exports import write_export
from tests.system.messages import MOBILE, WEB, Message, order
from tests.system.program import Workspace, wait_until

NO_EVENTS = """\
[convertro]
account = "acme"
client_name = "acme-inc"
site_id = "7"
domain = "https://shop.example.com"
"""

WHEN = "2024-03-01T10:46:40.750Z"  # 1709290000


def message(number: int, type_: str, context: Message, **fields: Any) -> Message:
    """A message of one second."""
    common = {"messageId": f"m{number}", "timestamp": WHEN, "context": context}
    return {"type": type_, **common, **fields}


EXPORT: list[bytes | Message] = [
    message(
        1,
        "track",
        WEB,
        event="Order Completed",
        anonymousId="anon-1",
        properties={"order_id": "o1", "total": "$50.99", "repeat": False},
    ),
    message(2, "identify", WEB, userId="u1", anonymousId="anon-1", traits={"plan": "pro"}),
    message(3, "track", MOBILE, event="Signed Up"),
    message(4, "identify", MOBILE, userId="u1"),
    message(5, "track", MOBILE, event="Application Installed"),
    message(6, "identify", {}, userId="u1"),
    b'{"type":"track","event":',
]
SITE = "https://sp1.convertro.com/api"
SHOP = "https%3A%2F%2Fshop.example.com"
CALLS = [
    '{"source":"export.ndjson:1","message_id":"m1","mode":"web","call":"event",'
    '"event_type":"sale.new","event_value":50.99,"event_id":"o1","timestamp":1709290000,'
    f'"method":"GET","url":"{SITE}/hit/acme/7/?sid=anon-1&eid=o1&typ=sale.new&val=50.99'
    '&ts=1709290000"}',
    '{"source":"export.ndjson:2","message_id":"m2","mode":"web","call":"user","user_id":"u1",'
    '"traits":{"plan":"pro"},"timestamp":1709290000,'
    f'"method":"GET","url":"{SITE}/user/acme/7/?sid=anon-1&id=u1&ts=1709290000&plan=pro"}}',
    '{"source":"export.ndjson:3","message_id":"m3","mode":"cloud","call":"event",'
    '"device_id":"d1","event_type":"Signed Up","event_value":1,"event_id":"m3",'
    '"timestamp":1709290000,"method":"GET",'
    f'"url":"{SITE}/hit/acme-inc/7/?device_id=d1&event_type=Signed%20Up&event_value=1&eid=m3'
    f'&pag={SHOP}&ts=1709290000"}}',
    '{"source":"export.ndjson:4","message_id":"m4","mode":"cloud","call":"user",'
    '"device_id":"d1","user_id":"u1","timestamp":1709290000,"method":"GET",'
    f'"url":"{SITE}/user/acme-inc/7/?device_id=d1&user_id=u1&pag={SHOP}&ts=1709290000"}}',
    '{"source":"export.ndjson:5","message_id":"m5","mode":"cloud","call":"install",'
    '"device_id":"d1","timestamp":1709290000,"method":"GET",'
    f'"url":"{SITE}/install/acme-inc/7/?device_id=d1&pag={SHOP}&ts=1709290000"}}',
]
REASONS = [
    '{"source":"export.ndjson:6","message_id":"m6","skip":"missing_device_id"}',
    '{"source":"export.ndjson:7","message_id":null,"invalid":"invalid_json",'
    '"detail":"unexpected end of data at character 25"}',
]


@pytest.mark.parametrize(
    ("options", "lines"), [([], CALLS), (["--include-skipped"], CALLS + REASONS)]
)
def test_its_lines(workspace: Workspace, options: list[str], lines: list[str]) -> None:
    """A dry run prints a line for each call, and with --include-skipped one for each other."""
    workspace.config.write_text(NO_EVENTS)
    workspace.write("export.ndjson", *EXPORT)
    ended = workspace.run("replay", "export.ndjson", "--dry-run", *options)
    assert ended.code == 0
    assert ended.out.decode().splitlines() == lines
    assert "would be delivered" in ended.err


def test_its_summary_goes_with_an_output(workspace: Workspace) -> None:
    """With --json the summary goes to standard output and the lines to the file."""
    workspace.config.write_text(NO_EVENTS)
    workspace.write("export.ndjson", *EXPORT)
    ended = workspace.run("replay", "export.ndjson", "-n", "--json", "-o", "calls.ndjson")
    assert (workspace.folder / "calls.ndjson").read_text().splitlines() == CALLS
    summary = ended.summary
    assert summary["dry_run"] is True
    assert summary["messages"] == {
        "read": 7,
        "delivered": 5,
        "already_delivered": 0,
        "already_failed": 0,
        "skipped": 1,
        "invalid": 1,
        "failed": 0,
    }
    assert summary["calls"]["delivered"] == 5
    assert summary["calls"]["attempts"] == 0
    assert summary["by_event_type"]["sale.new"] == {"calls": 1, "value": 50.99}


def test_the_summary_alone_needs_an_output(workspace: Workspace) -> None:
    """--json is refused where the lines would go to standard output, too."""
    workspace.write("export.ndjson", *EXPORT)
    ended = workspace.run("replay", "export.ndjson", "--dry-run", "--json")
    ended.assert_told(2, "--output")
    assert not ended.out


def test_any_number_of_workers_gives_the_same_bytes(workspace: Workspace) -> None:
    """The order is that of the export, whatever the number of mapping processes."""
    write_export(workspace.folder / "a.ndjson", 3_000, seed=1)
    write_export(workspace.folder / "b.ndjson", 4_000, seed=2)
    outputs = [
        workspace.run("replay", "a.ndjson", "b.ndjson", "-nq", "--workers", str(workers)).out
        for workers in (1, 2, 4)
    ]
    assert outputs[0] == outputs[1] == outputs[2]
    places = [orjson.loads(line)["source"].split(":") for line in outputs[0].splitlines()]
    assert len(places) == 7_000 * 0.3
    assert places == sorted(places, key=lambda place: (place[0], int(place[1])))


def test_no_connection_and_no_state(workspace: Workspace) -> None:
    """A dry run connects to nobody and leaves no state folder behind."""
    workspace.write("export.ndjson", order(1))
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert workspace.run("replay", "export.ndjson", "-n", "--base-url", url).code == 0
        with pytest.raises(BlockingIOError):
            server.accept()
    assert not workspace.state.exists()


@pytest.mark.parametrize(
    ("number", "code", "workers"),
    [(signal.SIGTERM, 143, "1"), (signal.SIGINT, 130, "1"), (signal.SIGTERM, 143, "2")],
)
def test_an_output_is_whole_or_as_before(
    workspace: Workspace, number: signal.Signals, code: int, workers: str
) -> None:
    """A dry run that is interrupted leaves the old file as it was, and no other one."""
    output = workspace.folder / "calls.ndjson"
    output.write_text("of yesterday\n")
    command = ["replay", "-", "-n", "-o", output.name, "--workers", workers]
    running = workspace.start(*command, stdin=subprocess.PIPE)
    feed_without_end(running.process.stdin, batches=int(workers) * 2)
    wait_until(lambda: any(map(size, workspace.folder.glob(".calls*"))), "lines in a new file")
    running.send(number)
    ended = running.end(within=11)
    assert ended.code == code
    assert "Traceback" not in ended.err
    assert "Fatal" not in ended.err
    assert "interrupted" in ended.err
    assert output.read_text() == "of yesterday\n"
    assert not list(workspace.folder.glob(".calls*"))


def feed_without_end(stdin: IO[bytes] | None, *, batches: int) -> None:
    """Write orders to a standard input, for more than so many batches, and leave it open."""
    assert stdin is not None
    line = orjson.dumps(order(1)) + b"\n"
    stdin.write(line * ((batches + 1) * BATCH_BYTES // len(line)))
    stdin.flush()


def size(path: Path) -> int:
    """The size of a file in bytes."""
    return path.stat().st_size


def test_an_output_replaces_the_old_one_whole(workspace: Workspace) -> None:
    """A dry run that comes to its end replaces the file, readable by its owner only."""
    workspace.write("export.ndjson", order(1))
    output = workspace.folder / "calls.ndjson"
    output.write_text("of yesterday\n")
    assert workspace.run("replay", "export.ndjson", "-nq", "-o", "calls.ndjson").code == 0
    (line,) = output.read_bytes().splitlines()
    assert orjson.loads(line)["message_id"] == "m1"
    assert output.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_reader_that_has_had_enough(workspace: Workspace, workers: str) -> None:
    """Where the reader goes away, as `head` does, a dry run ends quietly, as by SIGPIPE."""
    write_export(workspace.folder / "a.ndjson", 10_000)
    reading, writing = os.pipe()
    running = workspace.start("replay", "a.ndjson", "-n", "--workers", workers, stdout=writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        assert orjson.loads(stream.readline())["source"].startswith("a.ndjson:")
    ended = running.end()
    assert ended.code == 141
    assert ended.err == ""


@pytest.mark.parametrize(
    ("output", "code", "told"),
    [
        ("/dev/full", 74, "/dev/full cannot be written"),
        ("no/such/folder/calls", 2, "There is no folder no/such/folder"),
        (".", 2, ". is a folder"),
    ],
)
def test_an_output_that_cannot_be_written(
    workspace: Workspace, output: str, code: int, told: str
) -> None:
    """Where the lines cannot be written, one message says so; before the reading, if it can."""
    workspace.write("export.ndjson", order(1))
    ended = workspace.run("replay", "export.ndjson", "-n", "--output", output)
    ended.assert_told(code, told)


def test_a_full_disk_behind_standard_output(workspace: Workspace) -> None:
    """Where standard output goes to a full disk, one message says so."""
    workspace.write("export.ndjson", order(1))
    with Path("/dev/full").open("wb") as full:
        running = workspace.start("replay", "export.ndjson", "-n", stdout=full.fileno())
        running.end().assert_told(74, "Standard output cannot be written")
