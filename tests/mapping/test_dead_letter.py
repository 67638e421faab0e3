"""Dead letters: an event in, the same event out."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.mapping.dead_letter import KEPT_OF_OVERLONG, DeadLetter, unwrap, wrap

NESTED = b'{"a":' * 400 + b"1" + b"}" * 400


def letter(original: bytes, detail: str = "HTTP 400", source: str = "export.ndjson:12") -> bytes:
    """The line for an event that failed."""
    return wrap(
        original, reason="http_400", detail=detail, source=source, at="2024-03-01T10:20:30Z"
    )


def opened(line: bytes) -> DeadLetter:
    """Take the event out of a line, as reading the file again does."""
    found = unwrap(orjson.loads(line), line)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("original", "rest"),
    [
        (b'{"type":"track"}', b'"event":{"type":"track"}}\n'),
        (b' {"b" : 1 , "a":1.50}\r', b'"event":{"b" : 1 , "a":1.50}}\n'),
        (b'{"a":\n1}', b'"event":{"a": 1}}\n'),
        (b"[1]", b'"line":"[1]"}\n'),
        (b'{"a":', b'"line":"{\\"a\\":"}\n'),
        (b"", b'"line":""}\n'),
        ("é\x1b".encode(), '"line":"é\\u001b"}\n'.encode()),
        (b"\xff\xfe", b'"line_base64":"//4="}\n'),
        (b'\xef\xbb\xbf{"a":1}', '"line":"\ufeff{\\"a\\":1}"}\n'.encode()),
    ],
)
def test_the_three_forms(original: bytes, rest: bytes) -> None:
    """An object stands as it is, other text as a string, and what is not UTF-8 as base64."""
    head = (
        b'{"reason":"http_400","detail":"HTTP 400","source":"export.ndjson:12",'
        b'"at":"2024-03-01T10:20:30Z",'
    )
    assert letter(original) == head + rest


@pytest.mark.parametrize(
    "original",
    [
        b'{"a":1,"event":{"b":2}}',
        b'{"event":{"event":{}}}',
        b'{"x":",\\"event\\":"}',
        b'{"a":1,"a":2}',
        b'{"n":1.0,"m":1e2,"k":12345678901234567890}',
        b'{"u":"\\u00e9"}',
        b'{"reason":"x","source":"y","event":{}}',
        NESTED,
    ],
    ids=ascii,
)
def test_an_object_comes_out_byte_for_byte(original: bytes) -> None:
    """Even where it holds the marks of a dead letter itself, or writes numbers in its own way."""
    assert opened(letter(original)) == DeadLetter(original, "export.ndjson:12")


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_bytes_come_out_as_they_went_in(original: bytes) -> None:
    """Nothing is lost of what is no object; an object loses the space around it at most."""
    line = letter(original)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert opened(line).original in {original, original.strip()}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(["event", "line", "line_base64", "reason", "source", "type"])
OBJECTS = st.dictionaries(KEYS | st.text(max_size=6), JSON, max_size=5)


@settings(max_examples=50)
@given(OBJECTS, st.text(max_size=20), st.text(max_size=20))
def test_wrapping_again_gives_the_same_event(
    event: dict[str, object], detail: str, source: str
) -> None:
    """An event that fails once more is kept in the same bytes, whatever the fault's words are."""
    original = orjson.dumps(event)
    first = opened(letter(original, detail, source))
    assert first == DeadLetter(original, source)
    again = letter(first.original, "another", first.source)
    assert opened(again) == first
    assert again.endswith(b'"event":' + original + b"}\n")


@settings(max_examples=50)
@given(OBJECTS)
def test_a_reformatted_file_still_gives_the_event(event: dict[str, object]) -> None:
    """An editor or jq may change spacing and order, not the event."""
    line = letter(orjson.dumps(event))
    fields = orjson.loads(line)
    for changed in (dict(reversed(fields.items())), fields):
        spaced = orjson.dumps(changed, option=orjson.OPT_INDENT_2).replace(b"\n", b" ")
        assert orjson.loads(opened(spaced).original) == event


def test_a_reformatted_file_keeps_the_digits_of_ids() -> None:
    """A number beyond 64 bits is not rounded by who only moved its line."""
    line = b'{"reason": "x", "source": "e:1", "event": {"userId": 1234567890123456789012}}'
    assert opened(line).original == b'{"userId":1234567890123456789012}'


def test_an_event_too_deep_to_be_written_is_no_letter_once_reformatted() -> None:
    """Its line is then kept whole, as any line that is no message."""
    line = b'{"source":"export.ndjson:12","event":%s,"reason":"http_400"}' % NESTED
    assert unwrap(orjson.loads(line), line) is None


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b'{"reason":"x"}',
        b'{"reason":"x","source":5,"event":{}}',
        b'{"source":"s","event":{}}',
        b'{"reason":"x","source":"s"}',
        b'{"reason":"x","source":"s","event":5}',
        b'{"reason":"x","source":"s","line":5}',
        b'{"reason":"x","source":"s","line_base64":"?"}',
        '{"reason":"x","source":"s","line_base64":"é"}'.encode(),
    ],
)
def test_what_is_no_letter(line: bytes) -> None:
    """Other objects are left to the mapping."""
    assert unwrap(orjson.loads(line), line) is None


def test_half_a_character_in_a_letter_is_read_as_in_an_export() -> None:
    """No letter is written so, but files are edited; whoever reads it must not fall over it."""
    found = unwrap({"reason": "x", "source": "s", "line": "a\ud83d \U0001f600"}, b"")
    assert found is not None
    assert found.original.decode() == "a\ufffd \U0001f600"


def test_an_answer_stands_before_the_event() -> None:
    """The status and the beginning of the body; the event after it is found as ever."""
    line = wrap(
        b'{"a":1}',
        reason="http_400",
        detail="after 1 attempt",
        source="export.ndjson:12",
        at="2024-03-01T10:20:30Z",
        answer=(400, 'no ,"event":{} here'),
    )

    assert line == (
        b'{"reason":"http_400","detail":"after 1 attempt",'
        b'"answer":{"status":400,"body":"no ,\\"event\\":{} here"},'
        b'"source":"export.ndjson:12","at":"2024-03-01T10:20:30Z","event":{"a":1}}\n'
    )
    assert opened(line) == DeadLetter(b'{"a":1}', "export.ndjson:12")


@pytest.mark.parametrize("byte", [b"x", b"\x01", b"\xff"], ids=ascii)
def test_the_beginning_of_an_overlong_line_is_marked(byte: bytes) -> None:
    """A line that was too long to be read whole says so, with its length; and comes out so."""
    original = byte * (8 << 20)
    line = wrap(
        original,
        reason="line_too_long",
        detail="",
        source="export.ndjson:3",
        at="2024-03-01T10:20:30Z",
        length=50_000_000,
    )

    assert b'"truncated":true,"length":50000000' in line
    assert len(line) < 8 << 20, "a letter must fit into what is read of a line"
    assert opened(line) == DeadLetter(original[:KEPT_OF_OVERLONG], "export.ndjson:3", 50_000_000)
