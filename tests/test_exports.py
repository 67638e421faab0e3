"""Generated exports are what the benchmarks take them for."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.exports import iter_lines, write_export

Message = dict[str, Any]


def _messages(events: int, **options: Any) -> list[Message]:
    return [json.loads(line) for line in iter_lines(events, **options)]


def _yields_call(message: Message) -> bool:
    """The rules that matter under the benchmark's settings, said a second time and more simply."""
    mobile = message["channel"] == "mobile"
    if message["integrations"].get("Convertro") is False or message["channel"] == "server":
        return False
    if message["type"] == "identify":
        return message["userId"] is not None
    named = {"Signed Up", "signed_up", "Trial Started", "Lead Submitted", "leadSubmitted"}
    named |= {"Order Completed", "Completed Order"}
    named |= {"Application Installed"} if mobile else set()
    return message["type"] == "track" and message["event"] in named


def test_same_seed_gives_same_bytes() -> None:
    """An export can be made again from its arguments alone, and another seed gives another."""
    assert list(iter_lines(1500, seed=7)) == list(iter_lines(1500, seed=7))
    assert list(iter_lines(10, seed=7)) != list(iter_lines(10, seed=8))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 1.0])
def test_share_sent_is_exact(tmp_path: Path, share: float) -> None:
    """Of each thousand events exactly the wanted share yields a call, and the facts say so."""
    facts = write_export(tmp_path / "export.ndjson", 3000, share_sent=share)
    lines = facts.path.read_bytes().splitlines()
    assert sum(_yields_call(json.loads(line)) for line in lines) == facts.calls == 3000 * share
    assert (facts.events, facts.size) == (len(lines), facts.path.stat().st_size)


def test_calls_are_counted_in_a_part_of_a_block(tmp_path: Path) -> None:
    """The calls are right for a number of events that is no multiple of a thousand."""
    facts = write_export(tmp_path / "export.ndjson", 1234)
    lines = facts.path.read_bytes().splitlines()
    assert len(lines) == 1234
    assert sum(_yields_call(json.loads(line)) for line in lines) == facts.calls


def test_message_ids_are_unique() -> None:
    """No two events share a message id."""
    ids = {message["messageId"] for message in _messages(20_000)}
    assert len(ids) == 20_000


def test_events_are_in_order_of_time() -> None:
    """Events come in the order of their time and span the days asked for."""
    times = [message["timestamp"] for message in _messages(2000, days=730)]
    assert times == sorted(times)
    assert times[0] == "2023-01-01T00:00:00.000Z"
    assert times[-1].startswith("2024-12-30")


def test_every_event_is_received_after_it_happened() -> None:
    """A message is sent, and then received, later than it happened."""
    for message in _messages(3000, days=0.01):
        assert message["timestamp"] < message["sentAt"] < message["receivedAt"]


def test_mixture_looks_like_a_shop() -> None:
    """About 45 % are pages, all types occur, and a line is as long as Segment's are."""
    lines = list(iter_lines(5000))
    types = Counter(json.loads(line)["type"] for line in lines)
    assert set(types) == {"page", "screen", "track", "identify", "group"}
    assert 0.43 < types["page"] / 5000 < 0.47
    assert 600 < sum(map(len, lines)) / len(lines) < 900


def test_orders_carry_what_an_order_needs() -> None:
    """Orders have an id, an amount and products; some are repeats, some new, some neither."""
    orders = [m["properties"] for m in _messages(5000) if "order_id" in m.get("properties", {})]
    assert all(isinstance(order["revenue"], float) and order["products"] for order in orders)
    assert {order.get("repeat") for order in orders} == {True, False, None}
    assert len({order["order_id"] for order in orders}) == len(orders)


def test_lines_are_made_as_they_are_wanted() -> None:
    """The first lines of an endless export come at once: nothing is made ahead of a block."""
    assert len(list(islice(iter_lines(10**12), 5))) == 5
