"""The lines of a batch, each with its place and outcome."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.mapping.calls import Invalid, Mapped, Skipped
from convertro_cli.mapping.dead_letter import DeadLetter, wrap
from convertro_cli.mapping.jobs import BatchCounts
from convertro_cli.mapping.lines import MappedLine, map_lines
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.batch import MAX_LINE, LineBatch
from tests.mapping.messages import cloud_message, make_rules

RULES = make_rules()
SENT = orjson.dumps(cloud_message("track", event="Level Won"))


def batch_of(data: bytes, first_line: int = 1, overlong: int = 0) -> LineBatch:
    """A batch as reading gives it."""
    return LineBatch(0, "export.ndjson", first_line, data, len(data), overlong)


def lines_of(data: bytes, rules: Rules = RULES) -> list[MappedLine]:
    """Map the lines of some bytes."""
    return list(map_lines(batch_of(data), rules))


def outcome(line: MappedLine) -> str:
    """An outcome in a word."""
    found = line.outcome
    return "calls" if isinstance(found, Mapped) else str(found.reason)


def test_lines_are_numbered_and_cut_out() -> None:
    """Blank lines count as lines, and are no messages; numbers go on from the batch's first."""
    data = b"\n" + SENT + b"\r\n \t\n{}\n\n" + SENT
    lines = list(map_lines(batch_of(data, first_line=7), RULES))
    assert [(line.number, outcome(line)) for line in lines] == [
        (8, "calls"),
        (10, "missing_type"),
        (12, "calls"),
    ]
    assert [data[line.start : line.end] for line in lines] == [SENT + b"\r", b"{}", SENT]


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        (b"{", "invalid_json", "at character 2"),
        (b'{"type":"track",}', "invalid_json", "at character 16"),
        (b"nonsense", "invalid_json", "at character 1"),
        (b'{"type":NaN}', "invalid_json", "at character 9"),
        (b'{"a":"\xff"}', "invalid_json", "not UTF-8 at byte 7"),
        (b"[" * 3000 + b"]" * 3000, "invalid_json", "at character"),
        (b"[1, 2]", "not_an_object", "a JSON array that is not one of messages"),
        (b"5", "not_an_object", "no object"),
        (b'"track"', "not_an_object", "no object"),
        (b"null", "not_an_object", "no object"),
        (b"{}", "missing_type", "no string 'type'"),
        (b'{"type":5}', "missing_type", "no string 'type'"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_lines_that_are_no_message(line: bytes, reason: str, detail: str) -> None:
    """The reason is named, with the place in the line and none of its content."""
    (mapped,) = lines_of(line)
    assert isinstance(mapped.outcome, Invalid)
    assert mapped.outcome.reason == reason
    assert detail in mapped.outcome.detail


def test_no_fault_repeats_what_the_line_holds() -> None:
    """An export holds personal data, and a fault's words go to logs."""
    secret = b"jane.doe.secret"
    lines = [
        b'{"type":"track" "%s"}' % secret,
        b"%s" % secret,
        b'{"type":"track","event":"X","timestamp":"%s","context":{"device":{"id":"d"}}}' % secret,
        b'{"%s":"\xff"}' % secret,
        b'["%s"]' % secret,
    ]
    for mapped in lines_of(b"\n".join(lines)):
        assert isinstance(mapped.outcome, Invalid)
        assert secret.decode() not in mapped.outcome.detail


def test_a_line_too_long() -> None:
    """One byte more than the most is invalid; the size told is that of the whole line."""
    fits = SENT[:-1] + b" " * (MAX_LINE - len(SENT)) + b"}"
    assert [outcome(line) for line in lines_of(fits + b"\n" + fits + b" ")] == [
        "calls",
        "line_too_long",
    ]
    (cut,) = map_lines(batch_of(b"x" * (MAX_LINE + 1), overlong=50_000_000), RULES)
    assert isinstance(cut.outcome, Invalid)
    assert "50,000,000 bytes" in cut.outcome.detail


@pytest.mark.parametrize("message_type", ["page", "track"])
def test_a_message_id_of_many_digits_is_read_with_all_of_them(message_type: str) -> None:
    """Whatever becomes of a message, it goes by its id: in a dead letter's first place, too."""
    message = {"type": message_type, "messageId": 0}
    line = orjson.dumps(message).replace(b":0", b":1234567890123456789012")
    for data in (line, letter(line)):
        (mapped,) = lines_of(data)
        assert mapped.message is not None
        assert mapped.message["messageId"] == 1234567890123456789012


def letter(original: bytes) -> bytes:
    """A dead letter without its newline."""
    return wrap(original, reason="http_400", detail="", source="old.ndjson:3", at="").rstrip(b"\n")


def test_a_dead_letter_is_its_event() -> None:
    """It is mapped as the event itself, under its first place."""
    (line,) = lines_of(letter(SENT))
    assert outcome(line) == "calls"
    assert line.message == orjson.loads(SENT)
    assert line.dead_letter == DeadLetter(SENT, "old.ndjson:3")


@pytest.mark.parametrize(
    ("original", "reason"),
    [(b"{", "invalid_json"), (b"[1]", "not_an_object"), (b"\xff", "invalid_json")],
)
def test_a_dead_letter_that_is_still_no_message(original: bytes, reason: str) -> None:
    """It is invalid again, with its original bytes."""
    (line,) = lines_of(letter(original))
    assert outcome(line) == reason
    assert line.dead_letter == DeadLetter(original, "old.ndjson:3")


def test_a_dead_letter_may_be_longer_than_its_event() -> None:
    """The most counts for the event, not for what is wrapped around it."""
    event = SENT[:-1] + b" " * (MAX_LINE - len(SENT)) + b"}"
    (line,) = lines_of(letter(event))
    assert outcome(line) == "calls"
    assert line.dead_letter == DeadLetter(event, "old.ndjson:3")
    too_long = b"\x01" * (MAX_LINE + 1)
    (line,) = lines_of(letter(too_long))
    assert outcome(line) == "line_too_long"
    assert line.dead_letter == DeadLetter(too_long, "old.ndjson:3")


def test_the_beginning_of_a_line_is_never_taken_for_the_whole() -> None:
    """What a letter has only the beginning of is too long, whatever that beginning would be."""
    line = wrap(
        SENT, reason="line_too_long", detail="", source="old.ndjson:3", at="", length=9_000_000
    )
    line = line.replace(b'"event":' + SENT, b'"line":' + orjson.dumps(SENT.decode()))

    (mapped,) = lines_of(line.removesuffix(b"\n"))

    assert isinstance(mapped.outcome, Invalid)
    assert mapped.outcome.reason == "line_too_long"
    assert "9,000,000 bytes" in mapped.outcome.detail
    assert mapped.dead_letter == DeadLetter(SENT, "old.ndjson:3", 9_000_000)


def test_a_message_with_a_type_is_no_dead_letter() -> None:
    """Segment's messages never lack a type, and dead letters never have one."""
    (line,) = lines_of(b'{"type":"page","reason":"x","source":"y","event":{"type":"track"}}')
    assert outcome(line) == "unsupported_type"
    assert line.dead_letter is None


@pytest.mark.parametrize("old", [{"action": "Track"}, {"action": "Track", "type": None}])
def test_a_message_from_before_2014_is_handed_on_as_one_of_today(old: dict[str, str]) -> None:
    """Whoever looks at it after the mapping finds its type; a null is none."""
    message = cloud_message("track", event="Level Won")
    del message["type"]
    (line,) = lines_of(orjson.dumps(message | old))
    assert outcome(line) == "calls"
    assert line.message is not None
    assert line.message["type"] == "Track"


@given(st.lists(st.sampled_from([SENT, b"", b"  ", b"{}", b"x", b'{"type":"page"}']), max_size=12))
def test_lines_keep_their_order(lines: list[bytes]) -> None:
    """What comes out stands in the order of what went in, line by line."""
    data = b"\n".join(lines)
    mapped = lines_of(data)
    wanted = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    assert [(line.number, data[line.start : line.end]) for line in mapped] == wanted
    alone = [outcome(lines_of(line)[0]) for _, line in wanted]
    assert [outcome(line) for line in mapped] == alone


def test_every_outcome_is_one_of_three() -> None:
    """Calls, skipped or invalid, and nothing beside."""
    kinds = {type(line.outcome) for line in lines_of(SENT + b'\n{"type":"page"}\n{}')}
    assert kinds == {Mapped, Skipped, Invalid}


@given(
    st.lists(
        st.sampled_from(
            [
                SENT,
                b"",
                b" \t",
                b"{}",
                b'{"type":"page"}',
                b'{"type":"Page"}',
                b'{"type":"screen","messageId":1e30}',
                b'{"type":"group","a":"\xff"}',
                b'{"type":"alias"',
                b'{"type":"track","type":"page"}',
                b'{"type":"page","type":"track"}',
                b'{"type":"page","a":"' + b"a" * MAX_LINE + b'"}',
                wrap(b'{"type":"page"}', reason="r", detail="", source="a:1", at="")[:-1],
            ]
        ),
        max_size=8,
    )
)
def test_what_is_only_counted_counts_as_if_it_were_handed_on(lines: list[bytes]) -> None:
    """Where messages that yield no call are only counted, the counts and the rest are the same."""
    batch, counts = batch_of(b"\n".join(lines)), BatchCounts()
    handed_on = list(map_lines(batch, RULES))
    skipped = Counter(
        line.outcome.reason for line in handed_on if isinstance(line.outcome, Skipped)
    )
    left = [line for line in handed_on if not isinstance(line.outcome, Skipped)]
    assert list(map_lines(batch, RULES, counts)) == left
    assert counts.skipped == skipped
