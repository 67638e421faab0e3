"""Exports become messages: batches are taken apart, and a file without a message is refused."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.mapping.dead_letter import wrap
from convertro_cli.reading import exports
from convertro_cli.reading.batch import PLACE, LineBatch
from convertro_cli.reading.compression import Stream
from convertro_cli.reading.exports import LINES_LOOKED_AT, read_exports
from convertro_cli.reading.lines import read_batches
from convertro_cli.reading.messages import is_message, messages_in
from tests.reading.packing import PACKERS
from tests.reading.running import STDIN, export

TRACK: dict[str, Any] = {"type": "track", "event": "A, [B] {C}", "messageId": "m1"}
IDENTIFY: dict[str, Any] = {"type": "identify", "userId": 9007199254740993}
MESSAGES = [TRACK, IDENTIFY]
GOOD = json.dumps(TRACK).encode()
LETTER = wrap(b"no JSON", reason="invalid_json", detail="", source="e:1", at="2024").rstrip()


def lines(*values: Any) -> bytes:
    return b"".join(
        (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n"
        for value in values
    )


def read(data: bytes) -> list[LineBatch]:
    return list(read_exports([STDIN], stdin=io.BytesIO(data)))


def placed(batches: list[LineBatch]) -> dict[str, bytes]:
    """The lines that are not blank, by their places."""
    return {
        batch.place(number): line
        for batch in batches
        for number, line in enumerate(batch.data.split(b"\n"), batch.first_line)
        if line.strip()
    }


def damage(data: bytes) -> str:
    (batch,) = read(data)
    assert batch.data == b""
    assert batch.end is not None
    assert batch.end.identity is None
    return batch.end.damage or ""


@pytest.mark.parametrize(
    "line",
    [
        GOOD,
        b' {"type":""}\r',
        b'{"type":"anything"}',
        b'{"action":"track"}',
        b'{"type":"track","event":"\\ud83d"}',  # half an emoji, which some readers refuse
        b'{"type":"track","total":1e999}',
        LETTER,
        b'{"reason":"' + b"x" * (1 << 20) + b'","source":"e:1","event":{}}',
    ],
)
def test_a_message_is_told_by_its_type(line: bytes) -> None:
    """Sound or not: what is wrong with it is for the mapping to say."""
    assert is_message(line)


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b'{"type":7}',
        b'{"type":"track"',
        b'["track"]',
        b"null",
        b"",
        b"\xff",
        b"[" * 100_000,
        b'{"type":"track","x":"' + b"x" * (1 << 20) + b'"}',
        b'{"reason":"r","source":"e:1"}',
        b'{"type":"RECORD","record":{}}',
        b'{"type":"nginx","@timestamp":"2024","@version":"1"}',
    ],
)
def test_anything_else_is_no_message(line: bytes) -> None:
    """Nor are other tools' records, though they have a type of their own."""
    assert not is_message(line)


@pytest.mark.parametrize(
    "line",
    [
        lines(MESSAGES),
        lines({"batch": MESSAGES, "sentAt": "2024-03-01T00:00:00Z"}),
        lines({"sentAt": None, "context": {}, "integrations": None, "batch": MESSAGES}),
        lines({"userId": "u", "payload": {"batch": MESSAGES, "writeKey": "w"}}),
        b' {"a":"\\"batch\\":[", "batch" : [ %s ,\t%s ] }\r\n'
        % tuple(lines(*MESSAGES).split(b"\n")[:2]),
    ],
)
def test_an_array_or_batch_in_a_line_is_taken_apart(line: bytes) -> None:
    """Each message keeps its own bytes, and has its place in the line."""
    found = placed(read(lines(GOOD) + line + lines(GOOD)))
    assert list(found) == ["stdin:1", "stdin:2[0]", "stdin:2[1]", "stdin:3"]
    assert [found["stdin:2[0]"], found["stdin:2[1]"]] == lines(*MESSAGES).split(b"\n")[:2]
    assert list(placed(read(line)).values()) == lines(*MESSAGES).split(b"\n")[:2]


@pytest.mark.parametrize(
    "line",
    [
        {"batch": MESSAGES, "context": {"consent": {}}},
        {"batch": MESSAGES, "integrations": {"All": False}},
        {"payload": {"batch": MESSAGES, "context": {"ip": "x"}}},
        {"type": "track", "batch": MESSAGES},
        {"batch": {"a": MESSAGES}},
        {"properties": {"batch": MESSAGES}},
        [1, 2],
        [],
        b'{"batch":[{"type":"track"}]',
        b'[{"type":"track"}',
    ],
)
def test_a_line_that_says_more_is_left_whole(line: Any) -> None:
    """A message that was cut out would be without the consent that its batch carries."""
    (text,) = lines(line).splitlines()
    assert messages_in(text) is None
    assert placed(read(lines(GOOD) + text))["stdin:2"] == text


def test_an_empty_batch_has_no_messages() -> None:
    """It is no fault, and the lines after it keep their numbers."""
    found = read(lines({"batch": []}, GOOD, {"batch": []}))
    assert placed(found) == {"stdin:2": GOOD}
    assert found[-1].end is not None
    assert found[-1].end.damage is None


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.sampled_from([GOOD, b"", b"  ", b"[1]", b"{", json.dumps(IDENTIFY).encode()])
        | st.lists(st.sampled_from(MESSAGES), min_size=1, max_size=3).map(
            lambda batch: json.dumps({"batch": batch}).encode()
        ),
        max_size=12,
    ),
    is_ended=st.booleans(),
)
def test_each_place_leads_back_to_its_message(rows: list[bytes], *, is_ended: bool) -> None:
    """Line and index name the same bytes in the file as in the batch."""
    data = b"\n".join([GOOD, *rows]) + b"\n" * is_ended
    for place, line in placed(read(data)).items():
        found = re.fullmatch(PLACE, place)
        assert found is not None
        whole = data.split(b"\n")[int(found["line"]) - 1]
        if found["index"] is None:
            assert line == whole
        else:
            assert json.loads(whole)["batch"][int(found["index"])] == json.loads(line)


@pytest.mark.parametrize("bad", [999, 1_000])
def test_one_message_among_the_first_thousand_lines_is_enough(bad: int) -> None:
    """A file with a message is read line by line; one that shows none until then is not read."""
    data = b"broken\n\n" * bad + lines(GOOD)
    if bad < LINES_LOOKED_AT:
        assert len(placed(read(data))) == bad + 1
    else:
        assert "no line of this file is a message" in damage(data)


def test_what_is_looked_at_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long lines are not collected until there are a thousand of them."""
    monkeypatch.setattr(exports, "_HELD", 1_000_000)
    data = (b"x" * 300_000 + b"\n") * 10 + lines(GOOD)
    assert "(4 looked at)" in damage(data)


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n\t\n" * 200_000, gzip.compress(b"", mtime=0)])
def test_a_blank_file_is_no_fault(data: bytes) -> None:
    """There is nothing in it that could be something else."""
    found = read(data)
    assert found[-1].end is not None
    assert found[-1].end.damage is None


def test_a_first_message_is_not_held_back() -> None:
    """What arrives from a pipe goes on at once, as soon as there is a message in it."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering=0) as raw, os.fdopen(writer, "wb", buffering=0) as out:
        batches = read_exports([STDIN], stdin=raw)
        threading.Timer(20, out.close).start()  # fails instead of hanging
        out.write(lines(b"broken", GOOD))
        assert next(batches).data == lines(b"broken", GOOD)
        out.write(lines(GOOD))
        assert next(batches).data == lines(GOOD)
        out.close()
        batches.close()


def test_a_break_tells_more_than_the_line_that_it_cut() -> None:
    """A truncated file whose only line is incomplete is truncated, not something else."""
    packed = gzip.compress(b'{"type":"track","x":"' + os.urandom(3_000).hex().encode() + b'"}')
    (batch,) = read(packed[:-500])
    assert batch.end is not None
    assert "is cut off" in (batch.end.damage or "")
    assert batch.data


FRAGMENTS = (
    *(lines(each) for each in (TRACK, MESSAGES, {"batch": MESSAGES}, {"n": 1}, TRACK | {"x": "y"})),
    *(
        b"\n",
        b" \n",
        b"[",
        b"]",
        b"{broken\n",
        b"\xef\xbb\xbf",
        GOOD,
        b"\0" * 9,
        b"\x1f\x8b",
        LETTER,
    ),
    *(b"PK\x03\x04", lines({"type": "RECORD", "record": {}}), lines(TRACK) * 400),
)


@st.composite
def small_files(draw: st.DrawFn) -> bytes:
    """Sound ones and others: packed once, twice, several in one, cut short, padded."""
    pack = PACKERS[draw(st.sampled_from(sorted(PACKERS)))]
    some = st.lists(st.sampled_from(FRAGMENTS), max_size=6).map(b"".join)
    content = b"".join(pack(each) for each in draw(st.lists(some, min_size=1, max_size=2)))
    if draw(st.booleans()):
        content = content[: draw(st.integers(0, len(content)))] + draw(
            st.sampled_from([b"", b"\0"])
        )
    return content


@given(content=small_files())
def test_a_small_file_is_the_same_in_one_step_as_in_many(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its lines, their places, and what is wrong with it; only what it takes is less."""
    path = tmp_path_factory.getbasetemp() / "small"
    path.write_bytes(content)

    def found() -> tuple[object, ...]:
        batches = list(read_exports([export(path)]))
        assert batches[-1].end is not None
        assert batches[-1].position <= len(content)
        return placed(batches), batches[-1].end

    at_once = found()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(Stream, "whole", lambda _: None)
        assert found() == at_once


def test_a_truncated_file_without_messages_is_what_it_is() -> None:
    """What a file is goes before where it breaks off."""
    packed = gzip.compress(lines(*({"n": n, "x": os.urandom(9).hex()} for n in range(90))))
    assert "no line of this file is a message" in damage(packed[:-300])


def pretty(value: Any) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"


def text(value: Any) -> str:
    return json.dumps(value)


SHAPES: list[tuple[str, bytes, str]] = [
    ("own context", lines({"batch": MESSAGES, "context": {"ip": "x"}}), "a context of their own"),
    (
        "rudder",
        lines({"payload": {"batch": [TRACK], "context": {"a": 1}}}),
        "a context of their own",
    ),
    ("pretty", pretty(TRACK) + pretty(IDENTIFY), "pretty-printed JSON"),
    ("pretty batch", pretty({"batch": MESSAGES}), "pretty-printed JSON"),
    ("glued", GOOD + json.dumps(IDENTIFY).encode(), "JSON objects without newlines"),
    ("quoted", lines(text(TRACK), text(IDENTIFY)), "as JSON in a JSON string"),
    (
        "quoted as CSV",
        b"".join(b'"%s"\r\n' % text(m).replace('"', '""').encode() for m in MESSAGES),
        "as a spreadsheet writes them",
    ),
    ("commas", GOOD + b",\n" + json.dumps(IDENTIFY).encode() + b",\n", "a comma after each"),
    ("vector", lines({"message": text(TRACK), "host": "h"}), "a wrapper of Vector, Fluent Bit"),
    ("docker", lines({"log": text(TRACK) + "\n", "stream": "stdout"}), "a wrapper of Docker"),
    (
        "logstash",
        lines({"@timestamp": "2024", "@version": "1", "type": "x", "message": text(TRACK)}),
        "Logstash",
    ),
    (
        "singer",
        lines(
            {"type": "SCHEMA", "stream": "s", "schema": {"type": "object"}},
            {"type": "RECORD", "stream": "s", "record": TRACK},
            {"type": "STATE", "value": {}},
        ),
        "records of Singer",
    ),
    (
        "airbyte",
        lines({"type": "RECORD", "record": {"stream": "s", "data": TRACK, "emitted_at": 1}}),
        "records of Airbyte",
    ),
    ("airbyte raw", lines({"_airbyte_ab_id": "1", "_airbyte_data": TRACK}), "records of Airbyte"),
    ("elastic", lines({"_index": "i", "_source": TRACK}), "documents of Elasticsearch"),
    ("other", lines({"body": {"value": TRACK}}), "the message in 'body.value'"),
    ("log", b"2024-03-01 INFO " + lines(GOOD), "a log with JSON at the end of each line"),
]
ADVICE: list[tuple[str, bytes, str]] = [
    ("singer rows", lines({"type": "RECORD", "record": {"id": 1}}), "records of Singer"),
    ("logstash lines", lines({"@timestamp": "2024", "@version": "1"}), "records of Logstash"),
    ("rows", lines({"id": 1}), "JSON objects that are no messages"),
    ("values", lines(1, "a", None), "JSON that is no objects"),
    ("arrays", lines([[1, 2]]), "JSON that is no objects"),
    ("csv", b"type,event,total\ntrack,Order Completed,9\n", "CSV"),
    ("tabs", b"type\tevent\ntrack\tOrder\n", "CSV"),
    ("xml", b'<?xml version="1.0"?>\n<a/>\n', "XML"),
    ("html", b"<!DOCTYPE html>\n<html></html>\n", "a web page"),
    ("python", b"{'type': 'track'}\n", "Python's dictionaries"),
    ("text", b"Nothing here.\n", "plain text"),
    ("bytes", bytes(range(256)) * 4, "bytes that are no text"),
    ("zeros", b"\0" * 700, "bytes that are no text"),
    ("cut off", GOOD[:-9], "JSON that breaks off"),
    ("open bracket", b"[", "JSON that breaks off"),
    ("a long line", lines({"type": "track", "properties": {"x": "x" * (2 << 20)}}), "too long"),
]


@pytest.mark.parametrize(
    ("data", "what"), [pytest.param(*shape, id=name) for name, *shape in SHAPES + ADVICE]
)
def test_a_file_without_a_message_is_one_fault(data: bytes, what: str) -> None:
    """It says what the file looks like and what to do, and nothing of it is handed on."""
    told = damage(data)
    assert told.startswith("stdin: no line of this file is a message; it looks like ")
    assert what in told
    assert told.isprintable()
    assert "Convert it" in told or told.endswith((" instead.", "fetch the export again."))


def command_in(told: str) -> str:
    found = re.search(r"Convert it(?: with [^:]*)?: (.*)", told)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data, _ in SHAPES])
def test_the_proposed_command_makes_messages_of_it(
    tmp_path: Path, data: bytes, pack: Callable[[bytes], bytes]
) -> None:
    """What the message says to type works as it stands, and what it makes is read."""
    path = tmp_path / "it's [one] file"
    # The jq here may be an old one, which rounds what a new one does not.
    path.write_bytes(pack(data.replace(b"9007199254740993", b"12345")))
    (batch,) = read_exports([export(path)])
    assert batch.end is not None
    told = batch.end.damage or ""
    command = command_in(told)
    assert ("jq 1.7 or newer" in told) == ("jq -c" in command)
    if not shutil.which("jq") and "jq" in command:
        pytest.skip("jq is not installed")
    subprocess.run(["bash", "-c", command], check=True)
    found = placed(list(read_exports([export(Path(f"{path}.ndjson"))])))
    assert json.loads(next(iter(found.values())))["event"] == TRACK["event"]
    assert len(found) == max(1, data.count(b"identify") + data.count(b"A, [B]"))


def test_a_batch_too_long_for_a_line_is_told_as_that() -> None:
    """It cannot be held to look at all of its keys, and the command takes it apart all the same."""
    told = damage(b'{"batch":[' + (GOOD + b",") * 200_000 + GOOD + b"]}")
    assert "it looks like a batch of messages too long to be held" in told
    assert "$b.batch[]" in command_in(told)


def test_a_batch_gives_its_context_to_its_messages(tmp_path: Path) -> None:
    """The command for such batches merges as Segment does: what a message says itself wins."""
    if not shutil.which("jq"):
        pytest.skip("jq is not installed")
    path = tmp_path / "export"
    message = {**TRACK, "context": {"a": 2}, "integrations": {"Convertro": True}}
    batch = {"context": {"a": 1, "b": 1}, "integrations": {"All": False}}
    path.write_bytes(lines({"batch": [message, TRACK], **batch}))
    (only,) = read_exports([export(path)])
    assert only.end is not None
    command = command_in(only.end.damage or "")
    subprocess.run(["bash", "-c", command], check=True)
    first, second = map(json.loads, Path(f"{path}.ndjson").read_text().splitlines())
    assert first["context"] == {"a": 2, "b": 1}
    assert first["integrations"] == {"All": False, "Convertro": True}
    assert (second["context"], second["integrations"]) == tuple(batch.values())


def test_lines_of_any_kind_can_be_read() -> None:
    """A saved dry run is no export of messages, and its lines are read all the same."""
    data = lines({"source": "e:1", "call": "event"})
    assert b"".join(b.data for b in read_batches([STDIN], stdin=io.BytesIO(data))) == data
