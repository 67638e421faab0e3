"""A call as the comparison looks at it: what it needs not make of it, it knows all the same."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.mapping.calls import Call, Mapped
from convertro_cli.mapping.dry_run import DryRunJob
from convertro_cli.mapping.message import map_message
from convertro_cli.mapping.rules import Wire
from convertro_cli.mapping.url_limit import UrlLimit
from convertro_cli.mapping.wire import LONGEST_URL, build_url
from convertro_cli.reading.batch import LineBatch
from convertro_cli.review.diff.calls import ShownCall
from tests.mapping.messages import cloud_message, make_rules, web_message
from tests.soaking import examples

RULES = make_rules(mapping={"unmapped_events": "send"})
LONG_NAMES = make_rules(wire={"params": {"sid": "s" * 7900}}).wire
LONG_ADDRESS = make_rules(wire={"paths": {"web_event": "/" + "p" * 7900}}).wire

_text = st.integers(0, 900).map(lambda count: "é" * count) | st.integers(0, 9000).map("x".__mul__)
_calls = st.builds(
    Call,
    mode=st.just("web"),
    kind=st.sampled_from(["event", "user"]),
    timestamp=st.just(1709288430),
    visitor_id=st.sampled_from([None, "v"]),
    user_id=st.sampled_from(["u", "u" * 100]),
    event_type=st.just("sale"),
    event_value=st.sampled_from([1, 1e300, 5e-324]),
    event_id=_text,
    traits=st.sampled_from([None, {}, {"n": 1e300}, {"t": "x" * 8000}]),
    page=_text,
    user_agent=st.sampled_from([None, "Mozilla/5.0 (X11; Linux x86_64)"]),
)


@given(_calls, st.sampled_from([RULES.wire, LONG_NAMES, LONG_ADDRESS]))
@settings(max_examples=examples(200))
def test_it_is_known_without_its_url_whether_a_call_can_be_sent(call: Call, wire: Wire) -> None:
    """Whatever the call and the names of its parameters: as if its URL had been made."""
    sendable = len(build_url(call, wire)) <= LONGEST_URL
    assert ShownCall(call, UrlLimit(wire)).is_sendable is sendable
    assert ("url" in ShownCall(call, UrlLimit(wire)).fields) is sendable


@pytest.mark.parametrize(
    "message",
    [
        web_message("track", event="Signed Up", properties={"total": 3.5}),
        web_message("track", event="Signed Up", properties={"id": "x" * 9000}),
        web_message("identify", traits={"plan": "pro"}),
        cloud_message("track", event="Application Installed"),
        cloud_message("track", event="Signed Up"),
        cloud_message("identify"),
    ],
    ids=["event", "too long", "user", "install", "cloud event", "cloud user"],
)
def test_its_fields_are_those_of_the_dry_run(message: dict[str, Any]) -> None:
    """A call out of the mapping has the fields that the dry run writes, in the same order."""
    output = DryRunJob(RULES)(LineBatch(0, "e", 1, orjson.dumps(message), 0)).output
    outcome = map_message(message, RULES)
    assert isinstance(outcome, Mapped)
    (mapped,) = (ShownCall(call, UrlLimit(RULES.wire)) for call in outcome.calls)
    head = {"source": "e:1", "message_id": "m1"}
    assert orjson.dumps(head | dict(mapped.fields)) + b"\n" == output
    saved = ShownCall(
        fields={name: value for name, value in orjson.loads(output).items() if name not in head}
    )
    for name in ("kind", "event_type", "event_value", "timestamp", "is_sendable", "fields"):
        assert getattr(mapped, name) == getattr(saved, name)
