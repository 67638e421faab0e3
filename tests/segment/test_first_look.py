"""A first look at a line tells what reading it would tell, or nothing."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.segment.first_look import glimpse_type, glimpse_usual
from convertro_cli.segment.json_text import read_json

SEEN = [
    b'{"type":"page"}',
    b' { "a" : [1, {"type": 5}], "type" : "page" } \r',
    b'{"\\u0074ype":"track","type":"page"}',
    b'{"type":"page","a":1e999}',
    '{"type":"page","a":"Müller"}'.encode(),
    b'{"type":"page","a":' + b"9" * 500 + b"}",
    b'{"type":"page","a":' + b"[" * 500 + b"]" * 500 + b"}",
]
UNSEEN = [
    b"",
    b"[]",
    b'["page"]',
    b'"page"',
    b'{"type":null}',
    b'{"type":5,"type":"page"}',
    b'{"type":"page","a":"\\ud83d"}',
    b'{"type":"page","type":null}',
    b'{"action":"page"}',
    b'{"type":"page"',
    b'{"type":"page",}',
    b'{"type":"page"} x',
    b'{"type":"page","a":NaN}',
    b'{"type":"page","a":01}',
    b'{"type":"page","a":"\x01"}',
    b'{"type":"page","a":"\xff"}',
    b'{"type":"page","a":"\xed\xa0\x80"}',
    b'{"type":"page","a":"\\x"}',
    b'\xef\xbb\xbf{"type":"page"}',
    b'{"type":"page","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
]
TOKENS = [
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"-", b".", b"e5", b"1e999", b"null"),
    *(b'"type":"page",', b'"type":1,', b'"\\u0074ype":"alias",', b"\\ud83d", b"\\ude00", b"\\u"),
    *(b"\xff", b"\xc3", b"\xe2\x80\xa8", b"\x00", b"\x1f", b"\x7f", b"\t", b"\x0b", b"NaN"),
]


@st.composite
def spoilt_lines(draw: st.DrawFn) -> bytes:
    """A line of sound JSON with something put in, taken out or put in place of something."""
    values = st.recursive(
        st.none() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
        max_leaves=8,
    )
    message = {"type": draw(st.sampled_from(["page", "track", "Page", "", 5])), "a": draw(values)}
    line = orjson.dumps(message)
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(line)))
        end = start + draw(st.integers(0, 3))
        line = line[:start] + draw(st.sampled_from([*TOKENS, b""])) + line[end:]
    return line


@pytest.mark.parametrize("line", SEEN)
def test_a_type_is_seen_where_reading_finds_it(line: bytes) -> None:
    """The type is the message's own, the last one of two, whatever else stands in the line."""
    assert glimpse_type(line) == "page" == read_json(line)["type"]


@pytest.mark.parametrize("line", UNSEEN)
def test_nothing_is_said_of_other_lines(line: bytes) -> None:
    """What is no object with a type, no sound JSON, or rare in it, is left to the reading of it."""
    assert glimpse_type(line) is None


@given(spoilt_lines())
def test_what_is_seen_is_what_reading_finds(line: bytes) -> None:
    """However a line is spoilt: a type is given only where reading gives an object with it."""
    seen = glimpse_type(line)
    if seen is not None:
        message = read_json(line)
        assert isinstance(message, dict)
        assert message["type"] == seen


def nested(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


HEADS = [
    b'{"type":"page","messageId":"m","timestamp":"t","context":{"library":{"name":"l"}}}',
    b'{"type":"page","messageId":"m","messageId":"n","timestamp":"t","channel":"c",'
    b'"context":{"library":{"name":"l","name":"k"},"channel":"d"}}',
    b'{"type":"page","messageId":"","timestamp":"","channel":null,'
    b'"context":{"library":{"version":1,"name":""},"channel":null}}',
]
PARTS = [*TOKENS, b'"messageId":5,', b'"context":{},', b'"channel":"c",', b'"library":"l",', b"{}"]


@given(st.sampled_from(HEADS), st.lists(st.tuples(st.floats(0, 1), st.sampled_from(PARTS))))
def test_the_head_of_a_message_is_what_reading_finds(
    line: bytes, changes: list[tuple[float, bytes]]
) -> None:
    """Whatever was put into the line: all that is given is where reading has it, or nothing is."""
    for share, part in changes[:3]:
        at = int(share * len(line))
        line = line[:at] + part + line[at:]
    found = glimpse_usual(line)
    if found is None:
        assert changes
        return
    read = read_json(line)
    assert (found.type, found.message_id) == (read["type"], read["messageId"])
    assert (found.timestamp, found.channel) == (read["timestamp"], read.get("channel"))
    assert found.context.library.name == nested(read, "context", "library", "name")
    assert found.context.channel == nested(read, "context", "channel")
