"""The key under which the ledger knows a call."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import orjson
from hypothesis import given, settings

from convertro_cli.mapping.calls import Call
from convertro_cli.mapping.jobs import ReplayJob
from convertro_cli.mapping.ledger_key import ledger_key, message_identity, scope
from convertro_cli.reading.lines import LineBatch
from tests.mapping.messages import (
    Message,
    cloud_message,
    make_rules,
    ready_messages,
    web_message,
)
from tests.mapping.strategies import OBJECTS

ORDER = web_message("track", event="Order Completed", properties={"order_id": "o1", "total": 5})


def keys_of(message: Message, **tables: Any) -> list[bytes]:
    """The keys of a message's calls."""
    data = orjson.dumps(message)
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
    """Another value, time, place, domain or name for a parameter is no other call."""
    key = keys_of(ORDER)
    assert keys_of(ORDER | {"timestamp": "2020-01-01", "anonymousId": "x"}) == key
    assert keys_of(ORDER | {"properties": {"order_id": "o2", "total": 6}}) == key
    assert keys_of(ORDER, wire={"params": {"ts": "time"}, "hash_email_ids": False}) == key
    assert keys_of(ORDER, convertro={"domain": "https://other.example.com"}) == key
    assert keys_of(ORDER, convertro={"client_name": "other"}) == key
    assert keys_of(ORDER, mapping={"mode": "web"}) == key


def test_parts_cannot_run_into_each_other() -> None:
    """Names that only together spell the same give different keys."""
    call = Call("web", "event", 0, event_type="sale")
    keys = {
        ledger_key(scope(*names), "m1", call)
        for names in [("a", "bc", "d"), ("ab", "c", "d"), ("a", "b", "cd"), ("abc", "", "d")]
    }
    assert len(keys) == 4
    assert ledger_key(b"", "m", call._replace(event_type="1")) != ledger_key(
        b"", "m1", call._replace(event_type="")
    )


@settings(max_examples=40)
@given(OBJECTS)
def test_the_identity_of_a_message_without_an_id(message: Message) -> None:
    """A digest of what it says: the order of its keys and the spacing do not count."""
    message.pop("messageId", None)
    turned = dict(reversed(message.items()))
    identity = message_identity(message, b"one line")
    assert identity.startswith("digest:")
    assert message_identity(turned, b"another line") == identity
    assert message_identity(message | {"more": 1}, b"one line") != identity
    assert message_identity(message | {"messageId": 5}, b"") == "5"


def test_the_identity_of_a_message_too_deep_to_be_written() -> None:
    """A digest of its line."""
    deep = orjson.loads('{"a":' * 500 + "1" + "}" * 500)
    assert message_identity(deep, b"x") == message_identity(deep, b"x")
    assert message_identity(deep, b"x") != message_identity(deep, b"y")
