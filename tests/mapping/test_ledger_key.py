"""The key under which the ledger knows a call."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import combinations
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.mapping.calls import Call
from convertro_cli.mapping.jobs import ReplayJob
from convertro_cli.mapping.ledger_key import ledger_key, message_identity, order_key, scope
from convertro_cli.reading.batch import LineBatch
from tests.mapping.messages import (
    Message,
    cloud_message,
    make_rules,
    ready_messages,
    web_message,
)
from tests.mapping.strategies import OBJECTS

ORDER = web_message("track", event="Order Completed", properties={"order_id": "o1", "total": 5})


def keys_of(message: Message | bytes, **tables: Any) -> list[bytes]:
    """The keys of the calls of a message, or of its line."""
    data = message if isinstance(message, bytes) else orjson.dumps(message)
    result = ReplayJob(make_rules(**tables))(LineBatch(0, "x", 1, data, len(data)))
    return [call.key for message in ready_messages(result) for call in message.calls]


def test_what_makes_another_call() -> None:
    """Another message, event type, kind, account, site id, client name or base URL."""
    hybrid = {"hybrid_attribution_model": True}
    repeat = ORDER | {"properties": {"order_id": "o1", "repeat": True}}
    groups = [
        keys_of(ORDER),
        keys_of(ORDER | {"messageId": "m2"}),
        keys_of(ORDER | {"messageId": None}),
        keys_of(ORDER | {"timestamp": "2020-01-01"}),
        keys_of(ORDER | {"properties": {"order_id": "o2"}}),
        keys_of(repeat, convertro=hybrid)[:1],
        keys_of(web_message("identify")),
        keys_of(ORDER, convertro={"account": "other"}),
        keys_of(ORDER, convertro={"site_id": "8"}),
        keys_of(ORDER, wire={"base_url": "https://other.example.com"}),
        keys_of(cloud_message("identify")),
        keys_of(cloud_message("identify"), convertro={"client_name": "other"}),
        keys_of(cloud_message("track", event="Application Installed")),
        keys_of(cloud_message("track", event="X")),
        keys_of(cloud_message("track", event="Y")),
    ]
    assert all(len(keys) == 1 for keys in groups)
    for one, other in combinations(groups, 2):
        assert one != other


def test_what_leaves_a_call_the_same() -> None:
    """Another value, place, domain or name for a parameter is no other call."""
    key = keys_of(ORDER)
    assert keys_of(ORDER | {"sentAt": "2020-01-01", "anonymousId": "x"}) == key
    assert keys_of(ORDER | {"properties": {"Order ID": "o1", "total": 6}}) == key
    assert keys_of(ORDER, wire={"params": {"ts": "time"}, "hash_email_ids": False}) == key
    assert keys_of(ORDER, wire={"base_url": "HTTPS://SP1.convertro.com.:0443/"}) == key
    assert keys_of(ORDER, convertro={"domain": "https://other.example.com"}) == key
    assert keys_of(ORDER, convertro={"client_name": "other"}) == key
    assert keys_of(ORDER, mapping={"mode": "web"}) == key


def call(event_type: str | None = "sale", order_id: str | None = "o1") -> Call:
    return Call("web", "event", 0, event_type=event_type, order_id=order_id)


PREFIXED: dict[str, list[bytes]] = {
    "the base URL": [
        ledger_key(scope("a", "", ""), "m", call()),
        ledger_key(scope("", "a", ""), "m", call()),
        ledger_key(scope("", "", "a"), "m", call()),
    ],
    "the account": [
        ledger_key(scope("u", "bc", "d"), "m", call()),
        ledger_key(scope("u", "b", "cd"), "m", call()),
        ledger_key(scope("ub", "c", "d"), "m", call()),
    ],
    "the site id": [
        ledger_key(scope("u", "b", "1"), "1:m", call()),
        ledger_key(scope("u", "b", "11:"), "m", call()),
    ],
    "the identity": [
        ledger_key(b"", "m", Call("web", "event", 0, event_type="event:")),
        ledger_key(b"", "mevent:", Call("web", "event", 0, event_type="")),
    ],
    "the order": [
        order_key(b"", call("sale", "o")),
        order_key(b"", call("", "osale")),
        order_key(b"", call("ale", "os")),
    ],
    "the word before an order": [
        ledger_key(b"", "1:oevent:", call("sale")),
        order_key(b"", call("event:sale", "1:o")),
    ],
}


@pytest.mark.parametrize("keys", PREFIXED.values(), ids=PREFIXED)
def test_parts_of_a_key_cannot_run_into_each_other(keys: list[bytes]) -> None:
    """What only together spells the same gives different keys, whichever part ends where."""
    assert len(set(keys)) == len(keys)


IDENTITIES: dict[str, list[tuple[str, str, str]]] = {
    "the id": [("a", "", "1:b"), ("a0:", "b", "")],
    "the time": [("m", "b", "c"), ("m", "bc", ""), ("m", "", "bc")],
    "the id and the time": [("a", "b", ""), ("ab", "", ""), ("", "", "ab")],
}


def identity_of(message_id: str, time: str, order_id: str) -> str:
    """The text of the identity of a message with these, of which none but the id is needed."""
    properties = {"id": order_id}
    message = {"messageId": message_id, "timestamp": time, "properties": properties}
    return message_identity(message, b"")[1]


@pytest.mark.parametrize("messages", IDENTITIES.values(), ids=IDENTITIES)
def test_parts_of_an_identity_cannot_run_into_each_other(
    messages: list[tuple[str, str, str]],
) -> None:
    """An id, a time and an order id that only together spell the same are other messages."""
    assert len({identity_of(*message) for message in messages}) == len(messages)


def test_an_id_cannot_pass_for_a_digest() -> None:
    """A message whose id is spelt like the digest of another one is not taken for it."""
    without = message_identity({"type": "track"}, b"")[1]
    assert message_identity({"messageId": without}, b"")[1] != without


@settings(max_examples=200)
@given(st.lists(st.tuples(*[st.text("01:", max_size=4)] * 3), min_size=2, max_size=2, unique=True))
def test_different_messages_have_different_identities(parts: list[tuple[str, str, str]]) -> None:
    """Whatever stands in id, time and order id: two messages share an identity only if alike."""
    one, other = (identity_of(*part) for part in parts)
    assert one != other or not any(part[0] for part in parts)


TIMES: list[tuple[str, Message, str]] = [
    ("timestamp first", {"timestamp": "a", "originalTimestamp": "b"}, "a"),
    ("then the original one", {"originalTimestamp": "b", "sentAt": "c"}, "b"),
    ("then when it was sent", {"sentAt": "c", "receivedAt": "d"}, "c"),
    ("then when it was received", {"receivedAt": "d"}, "d"),
    (
        "what is null or empty is not there",
        {"timestamp": None, "sentAt": "", "receivedAt": "d"},
        "d",
    ),
    ("numbers as their digits", {"timestamp": 1709288430500}, "1709288430500"),
    ("whole floats likewise", {"timestamp": 1709288430500.0}, "1709288430500"),
    ("unreadable ones as they stand", {"timestamp": "soon", "sentAt": "c"}, "soon"),
    ("none", {}, ""),
]


@pytest.mark.parametrize(
    ("fields", "time"), [case[1:] for case in TIMES], ids=[c[0] for c in TIMES]
)
def test_the_time_of_an_identity(fields: Message, time: str) -> None:
    """The time as it stands in the message, the one that copies of a message share."""
    identity = message_identity({"messageId": "m", **fields}, b"")
    assert identity == message_identity({"messageId": "m", "timestamp": time}, b"")


def test_a_time_that_is_none_tells_messages_apart() -> None:
    """Objects and booleans count by their content, whatever the order of their keys."""
    identities = {
        message_identity({"messageId": "m", "timestamp": time}, b"x")
        for time in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2}, True, [1])
    }
    assert len(identities) == 4


@pytest.mark.parametrize(
    "fields",
    [
        {"messageId": None, "context": {"x": "@"}},
        {"messageId": None, "context": {"x": "@"}, "sessionId": "s", "anonymousId": None},
        {"messageId": None, "context": {"x": "@"}, "type": None, "action": "track"},
        {"messageId": None, "context": {"x": "@", "y": ["\ufffd", -1.5, 2**64 - 1, 1e-7]}},
        {"timestamp": "@", "receivedAt": "2024-03-01T10:20:30Z", "context": {"x": "@"}},
        {"timestamp": ["@"], "receivedAt": "2024-03-01T10:20:30Z", "context": {"x": "@"}},
    ],
)
def test_a_message_is_the_same_however_exactly_it_was_read(fields: Message) -> None:
    """Settings that ask for a number's digits make no other call of it than those that do not."""

    def line(digits: bytes) -> bytes:
        return orjson.dumps(ORDER | fields | {"channel": "web"}).replace(b'"@"', digits)

    asking = {"visitor_id": ["context.x"]}
    for one, other in [
        (b"1234567890123456789012", b"1234567890123456789013"),
        (b"9007199254740993.0", b"9007199254740992.0"),
        (b"1e22", b"10000000000000000000001"),
        (b"1e999", b"1"),
    ]:
        keys = keys_of(line(one))
        assert len(keys) == 1
        assert keys_of(line(one), mapping=asking) == keys
        assert keys_of(line(other)) != keys
        assert keys_of(line(other), mapping=asking) != keys
    assert keys_of(line(b"1e22")) == keys_of(line(b"1" + b"0" * 22))


def test_an_order_has_one_key_whichever_message_brings_it() -> None:
    """Its id and event type at its target; a call that is of no order has none."""
    assert order_key(b"x", call()) == order_key(b"x", call()._replace(timestamp=5, visitor_id="v"))
    assert order_key(b"x", call()) != order_key(b"y", call())
    assert order_key(b"x", call()) != order_key(b"x", call("sale.new"))
    assert order_key(b"x", call()) != order_key(b"x", call(order_id="o2"))
    assert order_key(b"x", call(order_id=None)) == b""


def test_only_orders_have_an_order_key_and_only_where_they_go_out_once() -> None:
    """Under repeated_orders = "send" nothing is paid for it."""
    other = web_message("track", event="X", properties={"order_id": "o1"})
    of_app = cloud_message("track", event="X", properties={"order_id": "o1"})
    for message, mapping, wanted in [
        (ORDER, {"repeated_orders": "skip"}, True),
        (ORDER, {}, False),
        (other, {"repeated_orders": "skip"}, False),
        (of_app | {"event": "Order Completed"}, {"repeated_orders": "skip"}, True),
        (of_app, {"repeated_orders": "skip"}, False),
        (web_message("identify"), {"repeated_orders": "skip"}, False),
    ]:
        data = orjson.dumps(message)
        rules = make_rules(mapping=mapping, events={"X": "x"})
        result = ReplayJob(rules)(LineBatch(0, "x", 1, data, len(data)))
        ((ready,),) = [each.calls for each in ready_messages(result)]
        assert bool(ready.order) is wanted


@settings(max_examples=40)
@given(OBJECTS)
def test_the_identity_of_a_message_without_an_id(message: Message) -> None:
    """A digest of what it says: the order of its keys and the spacing do not count."""
    message.pop("messageId", None)
    turned = dict(reversed(message.items()))
    identity = message_identity(message, b"one line")
    assert identity[0] is None
    assert identity[1].startswith("digest:")
    assert message_identity(turned, b"another line") == identity
    assert message_identity(message | {"more": 1}, b"one line") != identity
    assert message_identity(message | {"messageId": 5}, b"")[0] == "5"


def test_the_identity_of_a_message_too_deep_to_be_written() -> None:
    """A digest of its line."""
    deep = orjson.loads('{"a":' * 500 + "1" + "}" * 500)
    assert message_identity(deep, b"x") == message_identity(deep, b"x")
    assert message_identity(deep, b"x") != message_identity(deep, b"y")


def test_a_key_of_one_run_is_the_same_in_all_processes_of_one_seed() -> None:
    """Whatever is lacking in it: before Python 3.12 None has another hash in each process."""
    program = """
from convertro_cli.mapping.ledger_key import run_key
class Lacking:
    kind, event_type = "user", None
for parts in ((None, "digest:1", ""), ("m", "", "")):
    print(run_key(b"scope", parts, Lacking()).hex())
"""
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            env=os.environ | {"PYTHONHASHSEED": "5"},
        ).stdout
        for _ in range(3)
    }
    assert len(found) == 1
