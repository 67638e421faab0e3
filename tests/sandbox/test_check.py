"""Which requests Convertro could have understood, and the sentence for those it could not."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.sandbox.check import check
from tests.sandbox.client import HIT

WEB_EVENT = {"sid": "a1", "eid": "o1", "typ": "sale", "val": "50.99", "ts": "1709290000"}
WEB_USER = {"sid": "a1", "id": "u1", "ts": "1709290000"}
CLOUD_EVENT = {
    "device_id": "d1",
    "event_type": "Signed Up",
    "event_value": "1",
    "eid": "m1",
    "ts": "1709290000",
}
CLOUD_USER = {"device_id": "d1", "user_id": "u1", "ts": "1709290000"}
INSTALL = {"device_id": "d1", "ts": "1709290000"}
PATHS = {"event": HIT, "user": "/api/user/acme/1/", "install": "/api/install/acme/1/"}


def query(params: dict[str, str], **changes: str | None) -> str:
    merged = params | changes
    return urlencode({name: value for name, value in merged.items() if value is not None})


@pytest.mark.parametrize(
    ("call", "params"),
    [
        ("event", WEB_EVENT),
        ("event", {"typ": "sale", "val": "1", "ts": "0"}),
        ("event", WEB_EVENT | {"pag": "https://shop.example.com/x?y=1", "cip": "::1", "cua": "ü"}),
        ("event", CLOUD_EVENT),
        ("event", CLOUD_EVENT | {"user_id": "u1", "pag": "https://shop.example.com"}),
        ("user", WEB_USER),
        ("user", WEB_USER | {"plan": "pro", "seats": "3", "empty_trait": "", "typ": "x"}),
        ("user", WEB_USER | {"device_id": "", "user_id": "a trait"}),
        ("user", CLOUD_USER),
        ("install", INSTALL),
        ("install", INSTALL | {"user_id": "u1"}),
    ],
)
def test_each_call_is_known_by_its_path_and_parameters(call: str, params: dict[str, str]) -> None:
    """A whole call, web or cloud, is in order, and all its parameters are read back."""
    checked = check(f"{PATHS[call]}?{query(params)}")
    assert checked.refusal is None
    assert (checked.call, checked.path, checked.params) == (call, PATHS[call], params)


def test_an_events_type_and_value_are_read_from_either_spelling() -> None:
    """Web events name them typ and val, cloud events event_type and event_value."""
    web = check(f"{HIT}?{query(WEB_EVENT)}")
    cloud = check(f"{HIT}?{query(CLOUD_EVENT)}")
    user = check(f"{PATHS['user']}?{query(WEB_USER)}")
    assert (web.event_type, web.value) == ("sale", Decimal("50.99"))
    assert (cloud.event_type, cloud.value) == ("Signed Up", Decimal(1))
    assert (user.event_type, user.value) == (None, None)


@pytest.mark.parametrize(
    ("call", "params", "name"),
    [
        ("event", WEB_EVENT, "typ"),
        ("event", WEB_EVENT, "val"),
        ("event", WEB_EVENT, "ts"),
        ("event", CLOUD_EVENT, "device_id"),
        ("event", CLOUD_EVENT, "event_type"),
        ("event", CLOUD_EVENT, "event_value"),
        ("event", CLOUD_EVENT, "ts"),
        ("user", WEB_USER, "id"),
        ("user", WEB_USER, "ts"),
        ("user", CLOUD_USER, "user_id"),
        ("user", CLOUD_USER, "ts"),
        ("install", INSTALL, "device_id"),
        ("install", INSTALL, "ts"),
    ],
)
def test_a_missing_or_empty_parameter_is_named(
    call: str, params: dict[str, str], name: str
) -> None:
    """A call without a parameter it needs, or with an empty one, is refused by that name."""
    missing = check(f"{PATHS[call]}?{query(params, **{name: None})}")
    empty = check(f"{PATHS[call]}?{query(params, **{name: ''})}")
    assert f"The parameter {name} is missing" in (missing.refusal or "")
    assert f"The parameter {name} is empty" in (empty.refusal or "")
    assert missing.call == empty.call == call


def test_a_call_without_any_parameter_says_what_it_lacks() -> None:
    """An event without a type and a user without an id are told both spellings."""
    assert "typ" in (check(HIT).refusal or "")
    assert "event_type" in (check(HIT).refusal or "")
    assert "device_id" in (check(PATHS["user"] + "?ts=1").refusal or "")


@pytest.mark.parametrize("value", ["0", "12", "12.0", "50.99", "-7.5", "007", "1" * 309])
def test_plain_decimals_are_numbers(value: str) -> None:
    """A value is any plain decimal, negative ones too, in full precision."""
    checked = check(f"{HIT}?{query(WEB_EVENT, val=value)}")
    assert (checked.refusal, checked.value) == (None, Decimal(value))


@pytest.mark.parametrize(
    "value",
    ["1e5", "1E-05", "nan", "inf", "-", ".5", "5.", "+5", " 5", "1,5", "0x1", "$5", "true", "٣"],
)
@pytest.mark.parametrize(("params", "name"), [(WEB_EVENT, "val"), (CLOUD_EVENT, "event_value")])
def test_anything_but_a_plain_decimal_is_refused(
    params: dict[str, str], name: str, value: str
) -> None:
    """Exponents, NaN, signs, separators and other digits are no plain number."""
    refusal = check(f"{HIT}?{query(params, **{name: value})}").refusal
    assert refusal == f"The parameter {name} is not a plain number, such as 12 or 50.99."


def test_a_number_longer_than_a_double_is_refused() -> None:
    """A number of thousands of digits is no amount."""
    assert "val is longer" in (check(f"{HIT}?{query(WEB_EVENT, val='9' * 401)}").refusal or "")


@pytest.mark.parametrize(
    "value", ["now", "-5", "1709290000.5", "1e9", "2024-03-01T10:20:30Z", " 1", "1709290000000"]
)
@pytest.mark.parametrize("call", ["event", "user", "install"])
def test_a_time_is_whole_unix_seconds(call: str, value: str) -> None:
    """Fractions, signs, dates and milliseconds are no time in whole Unix seconds."""
    params = {"event": WEB_EVENT, "user": WEB_USER, "install": INSTALL}[call]
    refusal = check(f"{PATHS[call]}?{query(params, ts=value)}").refusal
    assert refusal is not None
    assert "The parameter ts" in refusal


@pytest.mark.parametrize(
    "path",
    [
        "/api/hit/acme/1",
        "/api/hit/acme/",
        "/api/hit//1/",
        "/api/hit/acme/1/x/",
        "/api/click/acme/1/",
        "/trax/hit/acme/1/",
        "/API/hit/acme/1/",
        "api/hit/acme/1/",
        "//api/hit/acme/1/",
        "/stat",
        "*",
        "",
    ],
)
def test_an_unknown_path_is_refused(path: str) -> None:
    """Only the three calls' paths, whole and with their last slash, are known."""
    checked = check(f"{path}?{query(WEB_EVENT)}")
    assert checked.call is None
    assert checked.refusal is not None
    assert "/api/hit/<name>/<site id>/" in checked.refusal


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("typ=sale&typ=sale", "typ is there more than once"),
        ("typ=%ff", "typ is not UTF-8"),
        ("typ=100%", "typ has a %"),
        ("typ=%zz", "typ has a %"),
        ("typ=sale&=5", "without a name"),
        ("typ=sale&&val=1", "without a name"),
        ("typ=sale&", "without a name"),
        ("a-b=1", "letters, digits and underscores"),
        ("a%20b=1", "letters, digits and underscores"),
        ("%ff=1", "letters, digits and underscores"),
        ("pag=", "pag is empty"),
        ("typ=sale&val=1&ts=1&device_id=d", "typ and device_id belong to different calls"),
        ("typ=é", "percent-encoded"),
        ("typ=a\x1bb", "percent-encoded"),
    ],
)
def test_an_unreadable_query_is_refused(raw: str, words: str) -> None:
    """Repeated names, broken escapes, other encodings and mixed calls each get a sentence."""
    assert words in (check(f"{HIT}?{raw}").refusal or "")


def test_a_long_name_is_cut_in_the_sentence() -> None:
    """A sentence stays a sentence, whatever the parameter is called."""
    name = "n" * 500
    refusal = check(f"{HIT}?{name}=1&{name}=2").refusal
    assert refusal is not None
    assert len(refusal) < 100


@given(st.text(max_size=80))
def test_a_refusal_tells_no_value(value: str) -> None:
    """Whatever a request holds, its refusal is one sentence that repeats no value of it."""
    marked = f"secret-{value}"
    for name in ("val", "ts", "eid"):
        refusal = check(f"{HIT}?{query(WEB_EVENT, **{name: marked}, site='%')}").refusal or ""
        assert "secret" not in refusal
        assert "\n" not in refusal


@given(st.text(max_size=60), st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=5))
def test_any_address_is_read_without_a_fault_of_its_own(path: str, params: dict[str, str]) -> None:
    """For any text at all there is a verdict, and an unknown path is always refused."""
    for target in (path, f"{HIT}?{path}", f"{HIT}?{urlencode(params)}", quote(path)):
        checked = check(target)
        assert checked.refusal is not None or checked.call is not None
