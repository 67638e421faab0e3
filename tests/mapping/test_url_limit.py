"""Which calls are short enough to be sent, told without writing most of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.mapping.calls import Call
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.url_limit import UrlLimit
from convertro_cli.mapping.wire import LONGEST_URL, build_url
from tests.mapping.messages import make_rules
from tests.soaking import examples

RULES = [
    make_rules(),
    make_rules(wire={"params": {"sid": "s" * 300, "device_id": "d" * 300}}),
    make_rules(wire={"base_url": "https://shop.example.com/" + "p" * 4000}),
]
TEXTS = st.builds(
    lambda character, length: character * length,
    st.sampled_from("a/é円😀"),
    st.integers(1, 2700),
)
CALLS = st.builds(
    Call,
    st.sampled_from(["web", "cloud"]),
    st.sampled_from(["event", "user", "install"]),
    st.integers(0, 2**38),
    visitor_id=st.none() | TEXTS,
    device_id=st.none() | TEXTS,
    user_id=st.none() | TEXTS | st.just("a@b"),
    event_type=st.none() | TEXTS,
    event_value=st.sampled_from([1, 5e-324, 1e308, -1e308]),
    page=st.none() | TEXTS,
    traits=st.none() | st.dictionaries(st.sampled_from("ab"), TEXTS | st.just(1e300)),
)


@settings(max_examples=examples(200))
@given(CALLS, st.sampled_from(RULES))
def test_a_call_is_allowed_if_its_url_is_short_enough(call: Call, rules: Rules) -> None:
    """Whatever its characters expand to, and however long names and addresses are."""
    wire = rules.wire
    assert UrlLimit(wire).allows(call) == (len(build_url(call, wire)) <= LONGEST_URL)


@pytest.mark.parametrize("value", [1, 5e-324])
def test_it_is_exact_where_nothing_is_to_spare(value: float) -> None:
    """Around the limit, with characters that expand as far as they can and a long number."""
    wire = make_rules().wire
    limit = UrlLimit(wire)
    for length in range(2300, 2700):
        call = Call("web", "event", 2**38, event_value=value, page="/" * length)
        assert limit.allows(call) == (len(build_url(call, wire)) <= LONGEST_URL)
