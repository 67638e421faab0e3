"""What the commands do with exports of odd shapes, and which files they leave unread."""

from __future__ import annotations

import gzip
import itertools
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine
from tests.system.messages import Message, order
from tests.system.receiving import accepted

CSV = b"type,event\ntrack,Order Completed\n"
MONTHS = [datetime(2024, month, 1, tzinfo=UTC) for month in range(1, 8)]
DAY = timedelta(days=1)


def delivered(sandbox: Sandbox) -> list[str]:
    """The orders that the sandbox has accepted, in order of their numbers."""
    return sorted((dict(params)["eid"] for _, params in accepted(sandbox.received())))


def received(number: int, happened: datetime, arrived: datetime) -> Message:
    """An order that happened at one time and was received at another."""
    return order(number, timestamp=happened.isoformat(), receivedAt=arrived.isoformat())


def bucket(folder: Path, messages: list[Message]) -> None:
    """Lay messages out as Segment does: a folder for each day on which some were received."""
    days: dict[int, list[Message]] = {}
    for message in messages:
        arrived = datetime.fromisoformat(message["receivedAt"])
        day = arrived.replace(hour=0, minute=0, second=0, microsecond=0)
        days.setdefault(int(day.timestamp()), []).append(message)
    for day_start, some in days.items():
        path = folder / f"segment-logs/src/{day_start}000/1.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(b"".join(orjson.dumps(each) + b"\n" for each in some)))


def late_arrivals() -> list[Message]:
    """Orders of six months, at the edges of each, received at once or up to years later."""
    messages: list[Message] = []
    for start, end in itertools.pairwise(MONTHS):
        for happened in (start, start + 9 * DAY, end - timedelta(seconds=1)):
            for late in (timedelta(0), timedelta(hours=30), 20 * DAY, 70 * DAY, 900 * DAY):
                messages.append(received(len(messages), happened, happened + late))
    return messages


@pytest.mark.parametrize("option", ["", "received-"])
def test_monthly_runs_are_one_run(convertro: CommandLine, sandbox: Sandbox, option: str) -> None:
    """Each message is in just one of the months, whenever it arrived, and none is in two."""
    messages = late_arrivals()
    if option:
        latest = max(datetime.fromisoformat(each["receivedAt"]) for each in messages)
        bounds = [MONTHS[0], *MONTHS[1:-1], latest + DAY]
    else:
        bounds = MONTHS
    bucket(convertro.workspace.folder / "bucket", messages)
    counts = []
    for start, end in itertools.pairwise(bounds):
        span = [f"--{option}since", start.isoformat(), f"--{option}until", end.isoformat()]
        ended = convertro("replay", "bucket", "--dry-run", "--output", "out", "--json", *span)
        counts.append(ended.summary["messages"]["delivered"])
        replayed = convertro.replay(sandbox.url, "bucket", *span).summary
        assert replayed["messages"]["delivered"] == counts[-1]
        assert replayed["messages"]["already_delivered"] == 0
    assert sum(counts) == len(messages)
    assert delivered(sandbox) == sorted(f"o{number}" for number in range(len(messages)))


def test_the_summary_says_what_was_left_unread(convertro: CommandLine, sandbox: Sandbox) -> None:
    """Every file that was found and not read is counted under its reason."""
    folder = convertro.workspace.folder / "logs"
    bucket(folder, [received(1, MONTHS[0], MONTHS[0]), received(2, MONTHS[3], MONTHS[3])])
    bucket(folder, [received(3, MONTHS[2], MONTHS[2] + 40 * DAY)])
    (folder / ".DS_Store").write_bytes(b"\0\0")
    (folder / "_SUCCESS").touch()
    (folder / "gone.gz").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.gz")
    (folder / "convertro.toml").write_text("no export")
    options = ["--since", "2024-02-01", "--received-until", "2024-04-05"]
    ended = convertro.replay(sandbox.url, "logs", "--state", "logs/state", *options)
    assert ended.code == 0
    assert ended.summary["messages"]["delivered"] == 1
    assert ended.summary["files"] == {"read": 1, "skipped": 6, "damaged": 0}
    assert ended.summary["unread"] == {
        "day_before_since": 1,
        "not_received_then": 1,
        "hidden": 1,
        "marker": 1,
        "broken_link": 1,
        "no_file": 1,
    }
    assert "1 of a day before --since" in ended.err
    assert "1 no file (a pipe, a socket or a device)" in ended.err
    assert "links to nothing: 'logs/gone.gz'" in ended.err


def test_a_replayed_file_is_named_as_that(convertro: CommandLine, sandbox: Sandbox) -> None:
    """Whoever wonders why nothing was sent reads why."""
    convertro.workspace.write("export.ndjson", order(1))
    assert convertro.replay(sandbox.url, "export.ndjson").code == 0
    again = convertro.replay(sandbox.url, "export.ndjson")
    assert again.summary["unread"] == {"already_replayed": 1}
    assert "1 file left unread (1 replayed before). --reread reads" in again.err


@pytest.mark.parametrize(
    "command",
    [
        ["replay", "--dry-run"],
        ["inspect"],
        ["diff", "convertro.toml", "convertro.toml"],
    ],
)
def test_every_command_refuses_a_file_that_is_something_else(
    convertro: CommandLine, command: list[str]
) -> None:
    """One fault of the file, with the code for unreadable exports; the other files are read."""
    (convertro.workspace.folder / "a.csv").write_bytes(CSV)
    convertro.workspace.write("b.ndjson", order(1))
    ended = convertro(*command, "a.csv", "b.ndjson")
    assert ended.code == 66
    assert "a.csv: no line of this file is a message; it looks like CSV" in ended.err
    assert "1 damaged" in ended.err + ended.out.decode() or "1 file was damaged" in (
        ended.out.decode()
    )


def test_a_file_that_is_something_else_is_never_done(
    convertro: CommandLine, sandbox: Sandbox
) -> None:
    """It leaves no dead letters, and is told again by the next run."""
    (convertro.workspace.folder / "a.csv").write_bytes(CSV)
    for _ in range(2):
        ended = convertro.replay(sandbox.url, "a.csv")
        assert ended.code == 66
        assert ended.summary["messages"]["read"] == 0
        assert ended.summary["files"] == {"read": 0, "skipped": 0, "damaged": 1}
    assert not (convertro.workspace.folder / ".convertro/dead-letters.ndjson").exists()


def shapes() -> dict[str, bytes]:
    """The same three orders, and something that is none, in each shape that is read as it is."""
    some: list[Any] = [order(1), "no message", order(2), order(3)]
    texts = [json.dumps(each).encode() for each in some]
    return {
        "array": json.dumps(some).encode(),
        "pretty": json.dumps(some, indent=2).encode(),
        "batch": json.dumps({"batch": some, "sentAt": "2024-03-01T00:00:00Z"}).encode() + b"\n",
        "rudder": json.dumps({"payload": {"batch": some}}).encode(),
        "rows": b"[" + b"\n,".join(texts) + b"]\n",
    }


@pytest.mark.parametrize("shape", shapes())
def test_arrays_and_batches_are_replayed_as_they_are(
    convertro: CommandLine, sandbox: Sandbox, shape: str
) -> None:
    """Each message has its place, in the dry run, the dead letters and explain alike."""
    (convertro.workspace.folder / "e.json").write_bytes(shapes()[shape])
    dry = convertro("replay", "--dry-run", "--include-skipped", "e.json")
    sources = [line["source"] for line in dry.lines]
    assert sources == [f"e.json:1[{index}]" for index in range(4)]
    ended = convertro.replay(sandbox.url, "e.json")
    assert ended.summary["messages"]["delivered"] == 3
    assert delivered(sandbox) == ["o1", "o2", "o3"]
    assert "not_an_object at e.json:1[1]" in ended.err
    (letter,) = (
        (convertro.workspace.folder / ".convertro/dead-letters.ndjson")
        .read_bytes()
        .split(b"\n")[:-1]
    )
    assert orjson.loads(letter)["source"] == "e.json:1[1]"
    assert orjson.loads(letter)["line"] == '"no message"'
    explained = convertro("explain", "--line", "e.json:1[2]", "--json")
    (message,) = explained.lines[0]["messages"]
    assert (message["source"], message["message_id"]) == ("e.json:1[2]", "m2")
    assert convertro("explain", "--line", "e.json:1[4]").code == 1
    found = convertro("explain", "e.json", "--message-id", "m3", "--json")
    assert found.lines[0]["messages"][0]["source"] == "e.json:1[3]"


def test_a_saved_dry_run_of_an_array_is_compared(convertro: CommandLine) -> None:
    """Messages are matched by their places in the array, those that are gone among them."""
    folder = convertro.workspace.folder
    lines = [{"batch": [order(1), order(2)]}, {"batch": [order(3)]}, order(4)]
    text = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    (folder / "e.ndjson").write_bytes(text)
    assert convertro("replay", "--dry-run", "e.ndjson", "-o", "then").code == 0
    same = convertro("diff", "convertro.toml", "e.ndjson", "--against", "then", "--exit-code")
    assert same.code == 0, same.out
    (folder / "e.ndjson").write_bytes(text.replace(b'"m2"', b'"mX"'))
    other = convertro("diff", "convertro.toml", "e.ndjson", "--against", "then", "-f", "json")
    (report,) = other.lines
    calls = report["calls"]
    assert (calls["unchanged"], calls["added"], calls["removed"]) == (3, 1, 1)


@pytest.mark.parametrize("command", ["replay", "inspect", "diff", "explain"])
def test_a_received_time_that_makes_no_sense(convertro: CommandLine, command: str) -> None:
    """The options are read as the others are, and name themselves."""
    convertro.workspace.write("e.ndjson", order(1))
    before = ["convertro.toml", "convertro.toml"] if command == "diff" else []
    after = ["--event", "x"] if command == "explain" else []
    given = [command, *before, "e.ndjson", *after]
    convertro(*given, "--received-since", "soon").assert_told(2, "--received-since 'soon'")
    span = ["--received-since", "2024-03-02", "--received-until", "2024-03-02"]
    convertro(*given, *span).assert_told(2, "--received-since 2024-03-02 is not before", "left")
