"""Whatever a message holds, it becomes calls or a reason, and nothing is lost in between."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.mapping.calls import Invalid, InvalidReason, Mapped, Skipped, SkipReason
from convertro_cli.mapping.dry_run import DryRunJob
from convertro_cli.mapping.jobs import ReplayJob
from convertro_cli.mapping.lines import map_lines
from convertro_cli.mapping.message import map_message
from convertro_cli.mapping.rules import Rules, Selection
from convertro_cli.mapping.wire import LONGEST_URL, build_url
from convertro_cli.reading.batch import LineBatch
from convertro_cli.segment.json_text import read_json
from tests.mapping.gated import GATED
from tests.mapping.messages import TIME, make_rules, ready_messages
from tests.mapping.strategies import MESSAGES, OBJECTS

RULES = {
    "default": make_rules(),
    "mapped": make_rules(
        events={"Signed Up": ["signup", "lead"]},
        mapping={"cloud_orders": "sale", "require_order_id": False, "unmapped_events": "send"},
        convertro={"hybrid_attribution_model": True},
    ),
    "web": make_rules(mapping={"mode": "web", "visitor_id": ["properties.x", "userId"]}),
    "gated": GATED,
    "filtered": make_rules(selection=Selection(since=0, events=frozenset({"order completed"}))),
}
ANY_RULES = st.sampled_from(list(RULES.values()))


def batch_of(data: bytes) -> LineBatch:
    """A batch as reading gives it."""
    return LineBatch(0, "export.ndjson", 1, data, len(data))


@settings(max_examples=150)
@given(MESSAGES | OBJECTS, ANY_RULES)
def test_any_object_is_mapped_or_gets_a_reason(message: dict[str, Any], rules: Rules) -> None:
    """No JSON object makes the mapping fail, nor a message with anything in any place."""
    match map_message(message, rules):
        case Skipped(reason):
            assert reason in SkipReason
        case Invalid(fault, detail):
            assert fault in InvalidReason
            assert detail
        case Mapped(calls):
            assert calls
            for call in calls:
                assert build_url(call, rules.wire).isascii()


BLANKS_AND_WRECKS = [b"", b" \t", b"[]", b"{", b"\xff", b'{"reason":"x","source":"y","line":"z"}']
LINES = st.lists(
    MESSAGES.map(orjson.dumps)
    | OBJECTS.map(orjson.dumps)
    | st.binary(max_size=20).map(lambda raw: raw.replace(b"\n", b" "))
    | st.sampled_from(BLANKS_AND_WRECKS),
    max_size=4,
).map(b"\n".join)


@settings(max_examples=50)
@given(LINES | st.binary(max_size=80), ANY_RULES)
def test_every_line_of_any_bytes_is_accounted_for(data: bytes, rules: Rules) -> None:
    """What was read is what was skipped, invalid or mapped, in the order of the lines."""
    result = ReplayJob(rules)(batch_of(data))
    numbers = [number for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    assert result.read == len(numbers)
    assert result.mapped == len(result.messages)
    kept = [(line.number, data[line.start : line.end]) for line in result.invalid]
    sent = [
        (message.number, data[message.start : message.end]) for message in ready_messages(result)
    ]
    assert kept == sorted(kept)
    assert sent == sorted(sent)
    assert {number for number, _ in kept + sent} <= set(numbers)
    assert all(raw == data.split(b"\n")[number - 1] for number, raw in kept + sent)


@settings(max_examples=50)
@given(LINES | st.binary(max_size=80), ANY_RULES, st.booleans())
def test_a_dry_run_of_any_bytes_shows_what_a_replay_would_send(
    data: bytes, rules: Rules, include_skipped: bool
) -> None:
    """The same calls with the same URLs, in the order of the lines, and the same counts."""
    replayed = ReplayJob(rules)(batch_of(data))
    dry = DryRunJob(rules, include_skipped=include_skipped)(batch_of(data))
    lines = [orjson.loads(line) for line in dry.output.splitlines()]
    places = [int(line["source"].rpartition(":")[2]) for line in lines]
    assert places == sorted(places)
    sent = [call for message in ready_messages(replayed) for call in message.calls]
    urls = [call.url for call in sent if not call.fault]
    assert [line["url"] for line in lines if "url" in line] == urls
    assert (dry.read, dry.skipped, dry.invalid) == (
        replayed.read,
        replayed.skipped,
        replayed.invalid,
    )
    assert dry.messages + dry.failed_messages == len(replayed.messages)
    assert dry.calls == len(urls)
    reasons = sum("skip" in line or "invalid" in line for line in lines)
    assert reasons == (dry.skipped.total() + len(dry.invalid) if include_skipped else 0)


@settings(max_examples=50)
@given(LINES, ANY_RULES)
def test_lines_are_mapped_alike_alone_and_together(data: bytes, rules: Rules) -> None:
    """No line depends on those before it, so any number of processes may share the work."""
    together = [line.outcome for line in map_lines(batch_of(data), rules)]
    alone = [
        line.outcome for part in data.split(b"\n") for line in map_lines(batch_of(part), rules)
    ]
    assert together == alone


@pytest.mark.parametrize("depth", [200, 260, 500, 1000])
@pytest.mark.parametrize(
    "template",
    [
        '{{"type":"track","event":"X","context":{{"device":{{"id":"d"}}}},"timestamp":"2024-03-01","x":{}}}',
        '{{"type":"identify","userId":"u","channel":"web","timestamp":"2024-03-01","traits":{{"x":{}}}}}',
        '{{"type":"track","event":"Order Completed","properties":{{"id":{0},"total":{0}}}}}',
        '{{"type":{0},"integrations":{0},"context":{0}}}',
        '{{"reason":"x","source":"y","event":{{"x":{}}},"at":""}}',
    ],
)
def test_deep_nesting(template: str, depth: int) -> None:
    """JSON that is read but too deep to be written harms nothing."""
    data = template.format("[" * depth + "]" * depth).encode()
    for job in (ReplayJob(RULES["default"]), DryRunJob(RULES["default"], include_skipped=True)):
        result = job(batch_of(data))
        assert result.read == 1


def test_a_long_url_is_not_sent() -> None:
    """More than 8,000 characters make a fault of the call, shown in a dry run too."""
    message = {
        "type": "track",
        "event": "X",
        "timestamp": TIME,
        "messageId": "m1",
        "context": {"device": {"id": ""}},
    }

    def of_length(length: int) -> bytes:
        context = {"device": {"id": "d" * length}}
        return orjson.dumps(message | {"context": context})

    (sample,) = ready_messages(ReplayJob(RULES["default"])(batch_of(of_length(1))))
    room = LONGEST_URL - len(sample.calls[0].url) + 1
    data = of_length(room) + b"\n" + of_length(room + 1)
    fits, too_long = ready_messages(ReplayJob(RULES["default"])(batch_of(data)))
    assert (len(fits.calls[0].url), fits.calls[0].fault) == (8000, "")
    assert (len(too_long.calls[0].url), too_long.calls[0].fault) == (8001, "request_too_long")
    dry = DryRunJob(RULES["default"])(batch_of(data))
    lines = [orjson.loads(line) for line in dry.output.splitlines()]
    assert "url" in lines[0]
    assert "url" not in lines[1]
    assert lines[1]["failed"] == "request_too_long"
    assert (dry.messages, dry.failed_messages, dry.calls, dry.failed_calls) == (1, 1, 1, 1)


HUGE = st.integers(10**29, 10**30 - 1).map(str) | st.sampled_from(["1e999", "-1e999", "9" * 400])
PLACES = st.sampled_from(["userId", "messageId", "traits", "traits.n", "properties.total", "x"])


@settings(max_examples=100)
@given(MESSAGES, PLACES, HUGE, ANY_RULES)
def test_numbers_of_any_size_are_no_trouble(
    message: dict[str, Any], place: str, digits: str, rules: Rules
) -> None:
    """A number beyond 64 bits or the floats, an id or inside a trait, is read and written again."""
    top, _, inner = place.partition(".")
    value: Any = {inner or "n": ["@", {"n": "@"}] if inner == "n" else "@"}
    mark = value if top in {"traits", "properties"} else "@"
    line = orjson.dumps(message | {top: mark}).replace(b'"@"', digits.encode())
    replayed = ReplayJob(rules)(batch_of(line))
    dry = DryRunJob(rules, include_skipped=True)(batch_of(line))
    assert replayed.read == dry.read == 1
    lines = [read_json(written) for written in dry.output.splitlines()]
    urls = [call.url for one in ready_messages(replayed) for call in one.calls if not call.fault]
    assert [written["url"] for written in lines if "url" in written] == urls


@pytest.mark.parametrize(
    ("digits", "sent"),
    [
        ("9012345678901234567890", "9012345678901234567890"),
        ("9007199254740993", "9007199254740993"),
        ("1e999", None),
        ("[1e999,9012345678901234567890]", "[null,9012345678901234567890]"),
        ("[9012345678901234567890]", "[9.012345678901235e+21]"),
    ],
)
def test_a_number_in_a_trait_keeps_its_digits(digits: str, sent: str | None) -> None:
    """Only what is beyond the floats is left out; inside of lists numbers are as JavaScript's."""
    message = {"type": "identify", "userId": "u", "channel": "web", "timestamp": TIME}
    line = orjson.dumps(message | {"traits": {"n": "@"}}).replace(b'"@"', digits.encode())
    (mapped,) = map_lines(batch_of(line), RULES["default"])
    assert isinstance(mapped.outcome, Mapped)
    (call,) = mapped.outcome.calls
    shown = dict(parse_qsl(build_url(call, RULES["default"].wire).partition("?")[2]))
    assert shown.get("n") == sent
    assert mapped.outcome.warnings == ([] if sent else ["trait_too_large"])
