"""From a call to its URL."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.mapping.calls import Call, Mapped, MappingWarning
from convertro_cli.mapping.message import map_message
from convertro_cli.mapping.parameters import parameters
from convertro_cli.mapping.rules import Rules, Wire
from convertro_cli.mapping.wire import (
    PARAMETERS,
    _Encoded,
    build_url,
    encode,
    find_trait_faults,
    trait_text,
    wire_user_id,
)
from tests.mapping.messages import Message, cloud_message, make_rules, web_message
from tests.soaking import examples

HOST = "https://sp1.convertro.com"

WEB_WHO = (
    "&pag=https%3A%2F%2Fshop.example.com%2Fx%3Fy%3D1&ref=https%3A%2F%2Fwww.example.org%2F"
    "&cip=203.0.113.9&cua=Mozilla%2F5.0&ts=1709288430"
)
CLOUD_WHO = "&pag=https%3A%2F%2Fshop.example.com&cip=198.51.100.7&cua=Shop%2F1.0&ts=1709288430"


def url_of(message: Message, rules: Rules) -> str:
    """Map a message that yields one call, and give its URL."""
    outcome = map_message(message, rules)
    assert isinstance(outcome, Mapped)
    (call,) = outcome.calls
    return build_url(call, rules.wire)


def query_of(message: Message, rules: Rules) -> dict[str, str]:
    """The parameters of a message's one call, decoded."""
    return dict(parse_qsl(urlsplit(url_of(message, rules)).query, keep_blank_values=True))


ORDER = {"order_id": "o 1/2", "total": 50.99}


@pytest.mark.parametrize(
    ("message", "url"),
    [
        pytest.param(
            web_message("track", event="Order Completed", properties=ORDER),
            f"{HOST}/api/hit/acme/7/?sid=anon-1&eid=o%201%2F2&typ=sale&val=50.99{WEB_WHO}",
            id="web event",
        ),
        pytest.param(
            web_message("identify", traits={"plan": "pro & more", "age": 30}),
            f"{HOST}/api/user/acme/7/?sid=anon-1&id=u1{WEB_WHO}&plan=pro%20%26%20more&age=30",
            id="web user",
        ),
        pytest.param(
            cloud_message("track", event="Level Won", properties={"revenue": 12.0}),
            f"{HOST}/api/hit/acme-inc/7/?device_id=D-1&user_id=u1&event_type=Level%20Won"
            f"&event_value=12&eid=m1{CLOUD_WHO}",
            id="cloud event",
        ),
        pytest.param(
            cloud_message("identify"),
            f"{HOST}/api/user/acme-inc/7/?device_id=D-1&user_id=u1{CLOUD_WHO}",
            id="cloud user",
        ),
        pytest.param(
            cloud_message("track", event="Application Installed"),
            f"{HOST}/api/install/acme-inc/7/?device_id=D-1&user_id=u1{CLOUD_WHO}",
            id="install",
        ),
    ],
)
def test_the_default_requests(message: Message, url: str) -> None:
    """Each kind of call has its path and its parameters, in order, percent-encoded."""
    assert url_of(message, make_rules()) == url


def test_web_calls_send_site_id_0_where_none_is_set() -> None:
    """That is what Convertro's tag does."""
    rules = make_rules(convertro={"site_id": None})
    url = url_of(web_message("track", event="Order Completed", properties=ORDER), rules)
    assert url.startswith(f"{HOST}/api/hit/acme/0/?")


def test_a_parameter_without_a_value_is_left_out() -> None:
    """No page, referrer, address, agent, visitor or user: no parameter, not an empty one."""
    context: Message = {"library": {"name": "analytics.js"}, "ip": "", "page": {"url": None}}
    rules = make_rules(mapping={"require_order_id": False})
    message = web_message(
        "track", event="Order Completed", context=context, anonymousId=None, userId=None
    )
    assert query_of(message, rules) == {"typ": "sale", "val": "1", "ts": "1709288430"}
    message = cloud_message(
        "track", event="X", context={"device": {"id": "D"}}, userId=None, messageId=None
    )
    assert query_of(message, rules) == {
        "device_id": "D",
        "event_type": "X",
        "event_value": "1",
        "pag": "https://shop.example.com",
        "ts": "1709288430",
    }


def test_a_value_of_0_is_sent() -> None:
    """A free order is worth 0, which is a value."""
    message = web_message(
        "track", event="Order Completed", properties={"order_id": "o1", "total": 0}
    )
    assert query_of(message, make_rules())["val"] == "0"


@pytest.mark.parametrize(
    ("total", "text"),
    [(50.99, "50.99"), (12.0, "12"), (0.00001, "0.00001"), (1e16, "10000000000000000"), (-5, "-5")],
)
def test_values_are_written_plainly(total: float, text: str) -> None:
    """Never 12.0 or 1e-05."""
    message = web_message(
        "track", event="Order Completed", properties={"order_id": "o1", "total": total}
    )
    assert query_of(message, make_rules())["val"] == text


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("abc-._~XYZ09", "abc-._~XYZ09"),
        (" ", "%20"),
        ("+", "%2B"),
        ("&=?#/", "%26%3D%3F%23%2F"),
        ("%41", "%2541"),
        ("é", "%C3%A9"),
        ("購", "%E8%B3%BC"),
        ("😀", "%F0%9F%98%80"),
        ("\x00\n\r\x1b", "%00%0A%0D%1B"),
        ("٣", "%D9%A3"),
        ("²", "%C2%B2"),
        ('"<>\\^`{|}', "%22%3C%3E%5C%5E%60%7B%7C%7D"),
        ("!'()*;:@,$[]", "%21%27%28%29%2A%3B%3A%40%2C%24%5B%5D"),
        ("", ""),
        ("é" * 300, "%C3%A9" * 300),
        ("é" * 600, "%C3%A9" * 600),
    ],
)
def test_everything_is_percent_encoded_as_utf_8(text: str, encoded: str) -> None:
    """All but letters a-z, digits and four marks, whatever the length."""
    assert encode(text) == encoded


# Worked out by a program of its own in JavaScript, with charCodeAt.
@pytest.mark.parametrize(
    ("user_id", "sent"),
    [
        ("a@b", "hashed-193484840"),
        ("jane@example.com", "hashed-2603151228"),
        ("Jane@Example.com", "hashed-1760398140"),
        ("ü@example.com", "hashed-3116128314"),
        ("😀@example.com", "hashed-4039447355"),
        ("@b@", "hashed-193449991"),
        ("u1@", "hashed-193506091"),
        ("x" * 200 + "@example.com", "hashed-3642104670"),
        ("@jane", "@jane"),
        ("@", "@"),
        ("jane", "jane"),
        ("12345", "12345"),
    ],
)
def test_ids_that_look_like_an_e_mail_are_hashed(user_id: str, sent: str) -> None:
    """An @ after the first character makes the tag send a hash in place of the id."""
    message = web_message("identify", userId=user_id)
    assert query_of(message, make_rules())["id"] == sent
    rules = make_rules(wire={"hash_email_ids": False})
    assert query_of(message, rules)["id"] == user_id
    assert wire_user_id(user_id, hash_email_ids=True) == sent


def test_cloud_calls_send_user_ids_as_they_are() -> None:
    """Only the tag hashes them."""
    message = cloud_message("identify", userId="jane@example.com")
    assert query_of(message, make_rules())["user_id"] == "jane@example.com"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("pro", "pro"),
        ("", ""),
        (30, "30"),
        (1.0, "1"),
        (0.00001, "0.00001"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        ([1, "a"], '[1,"a"]'),
        ({"city": "Köln"}, '{"city":"Köln"}'),
        ([], "[]"),
    ],
)
def test_how_traits_are_written(value: Any, text: str) -> None:
    """A string as it is, a number plainly, anything else as JSON."""
    assert trait_text(value) == text


@pytest.mark.parametrize(
    ("params", "name", "warning"),
    [
        ({}, "sid", MappingWarning.TRAIT_NAME_TAKEN),
        ({}, "ts", MappingWarning.TRAIT_NAME_TAKEN),
        ({}, "cip", MappingWarning.TRAIT_NAME_TAKEN),
        ({}, "typ", None),
        ({}, "email", None),
        ({}, "_x9", None),
        ({"sid": "visitor"}, "sid", None),
        ({"sid": "visitor"}, "visitor", MappingWarning.TRAIT_NAME_TAKEN),
        ({}, "first name", MappingWarning.TRAIT_NAME_UNSUPPORTED),
        ({}, "first-name", MappingWarning.TRAIT_NAME_UNSUPPORTED),
        ({}, "größe", MappingWarning.TRAIT_NAME_UNSUPPORTED),
        ({}, "a&b=c", MappingWarning.TRAIT_NAME_UNSUPPORTED),
        ({}, "plan\n", MappingWarning.TRAIT_NAME_UNSUPPORTED),
        ({}, "", MappingWarning.TRAIT_NAME_UNSUPPORTED),
    ],
)
def test_which_traits_a_request_can_carry(
    params: Message, name: str, warning: MappingWarning | None
) -> None:
    """A name of word characters that is no parameter of the call; the rest is counted."""
    rules = make_rules(wire={"params": params})
    outcome = map_message(web_message("identify", traits={name: "x", "plan": "pro"}), rules)
    assert isinstance(outcome, Mapped)
    assert outcome.warnings == ([] if warning is None else [warning])
    kept = {"plan": "pro"} if warning else {name: "x", "plan": "pro"}
    assert outcome.calls[0].traits == kept
    query = dict(parse_qsl(urlsplit(build_url(outcome.calls[0], rules.wire)).query))
    assert {key: query[key] for key in kept} == kept


def test_a_trait_nested_too_deep_is_left_out() -> None:
    """JSON is read deeper than it is written; such a trait is counted, and the rest is sent."""
    deep = orjson.loads("[" * 500 + "]" * 500)
    outcome = map_message(web_message("identify", traits={"deep": deep, "n": [[]]}), make_rules())
    assert isinstance(outcome, Mapped)
    assert outcome.calls[0].traits == {"n": [[]]}
    assert outcome.warnings == [MappingWarning.TRAIT_TOO_DEEP]


RENAMED = {
    "web_event": web_message("track", event="Order Completed", properties=ORDER),
    "web_user": web_message("identify"),
    "cloud_event": cloud_message("track", event="X"),
    "cloud_user": cloud_message("identify"),
    "install": cloud_message("track", event="Application Installed"),
}


@pytest.mark.parametrize("endpoint", PARAMETERS)
def test_every_parameter_can_be_renamed(endpoint: str) -> None:
    """[wire.params] changes the name, never the value."""
    message = RENAMED[endpoint]
    plain = query_of(message, make_rules())
    assert set(plain) == set(PARAMETERS[endpoint])
    params = {name: f"x-{name}.1" for name in PARAMETERS[endpoint]}
    renamed = query_of(message, make_rules(wire={"params": params}))
    assert renamed == {f"x-{name}.1": value for name, value in plain.items()}


@pytest.mark.parametrize("endpoint", PARAMETERS)
def test_every_path_can_be_set(endpoint: str) -> None:
    """[wire.paths] changes one call's path, with its placeholders filled in and encoded."""
    path = "/v2/{client_name}/x-{account}.{site_id}/hit"
    convertro = {"account": "a/b", "client_name": "c d", "site_id": "é"}
    rules = make_rules(wire={"paths": {endpoint: path}}, convertro=convertro)
    assert urlsplit(url_of(RENAMED[endpoint], rules)).path == "/v2/c%20d/x-a%2Fb.%C3%A9/hit"
    others = [
        urlsplit(url_of(RENAMED[name], rules)).path for name in PARAMETERS if name != endpoint
    ]
    assert all(other.startswith("/api/") for other in others)


def test_a_base_url_with_a_path_and_a_port() -> None:
    """The calls' paths come after it."""
    rules = make_rules(wire={"base_url": "http://127.0.0.1:8020/proxy/"})
    url = url_of(RENAMED["cloud_user"], rules)
    assert url.startswith("http://127.0.0.1:8020/proxy/api/user/acme-inc/7/?")


TEXT = st.text(max_size=30)
MAYBE = st.none() | TEXT
WORD = st.from_regex(r"[A-Za-z0-9_]{1,10}", fullmatch=True)
CALLS = st.builds(
    Call,
    mode=st.sampled_from(["web", "cloud"]),
    kind=st.sampled_from(["event", "user", "install"]),
    timestamp=st.integers(-(10**11), 10**12),
    visitor_id=MAYBE,
    device_id=MAYBE,
    user_id=MAYBE,
    event_type=MAYBE,
    event_value=st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    event_id=MAYBE,
    traits=st.none(),
    page=MAYBE,
    referrer=MAYBE,
    ip=MAYBE,
    user_agent=MAYBE,
)
TRAITS = st.dictionaries(WORD, TEXT | st.integers(-(2**63), 2**64 - 1) | st.lists(st.booleans()))


@settings(max_examples=examples(50))
@given(CALLS, TRAITS, st.booleans())
def test_any_url_is_ascii_and_gives_back_its_parameters(
    call: Call, traits: dict[str, Any], hashed: bool
) -> None:
    """Whatever a call holds, its URL is plain ASCII and decodes to the same names and values."""
    wire: Wire = make_rules(wire={"hash_email_ids": hashed, "params": {"ts": "time"}}).wire
    if call.kind == "user" and call.mode == "web":
        faults = find_trait_faults(traits, wire)
        sent = {name: value for name, value in traits.items() if name not in faults}
        call = call._replace(traits=sent)
    url = build_url(call, wire)
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
    target, _, query = url.partition("?")
    assert target in wire.targets.values()
    expected = [("time" if name == "ts" else name, value) for name, value in parameters(call, wire)]
    assert parse_qsl(query, keep_blank_values=True, strict_parsing=True) == expected


@given(TEXT)
def test_any_encoded_text_decodes_to_itself(text: str) -> None:
    """Encoding loses nothing, and is the one that all others have of RFC 3986."""
    assert unquote(encode(text), errors="strict") == text
    assert encode(text) == quote(text, safe="")


def test_endless_different_values_do_not_fill_the_memory() -> None:
    """What is remembered of encoded values is bounded in number and in length."""
    remembered = _Encoded()
    for number in range(10_000):
        assert remembered[f"/page {number}"] == f"%2Fpage%20{number}"
    assert remembered["é" * 10_000] == "%C3%A9" * 10_000
    assert len(remembered) <= 4096
    assert all(len(text) <= 512 for text in remembered)
