"""Personal data is shown as far as it may be, and no further."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.review.masking import HIDDEN, Masking, Show, mask, plain_values

URL = (
    "https://sp1.convertro.com/api/hit/acme/1/?sid=3164293d&eid=A-100007&typ=sale&val=51.5"
    "&pag=https%3A%2F%2Fshop.example.com%2Fthanks%3Fuser%3Djane&cip=203.0.113.9&ts=1709288430"
)
CALL: dict[str, Any] = {
    "mode": "web",
    "call": "event",
    "event_type": "sale",
    "event_value": 51.5,
    "event_id": "A-100007",
    "timestamp": 1709288430,
    "method": "GET",
    "url": URL,
}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("user_8a7f", "u…7f"),
        ("john@example.com", "j…@e….com"),
        ("john@mail.example.co.uk", "j…@m….uk"),
        ("jane.doe@localhost", "j…@…"),
        ("jane@host.notatopleveldomain", "j…@…"),
        ("@handle", "@…"),
        ("seven77", "s…"),
        ("four", "f…"),
        ("abc", "…"),
        ("", "…"),
        ("203.0.113.7", "2….7"),
    ],
)
def test_an_id_is_masked_to_its_ends(text: str, masked: str) -> None:
    """A long id keeps its first character and its last two, an address its parts' first ones."""
    assert mask(text) == masked


@given(st.text(min_size=4))
def test_a_masked_text_is_never_the_text(text: str) -> None:
    """Whatever the text: most of it is gone, and it cannot be read off what is shown."""
    assert mask(text) != text
    assert len(mask(text).replace(HIDDEN, "")) <= max(3, min(len(text) - 1, 10))


@given(st.text() | st.integers() | st.lists(st.text()), st.sampled_from(["masked", "none"]))
def test_a_value_is_not_shown_unless_it_may_be(value: Any, show: Show) -> None:
    """Of a trait that is no text nothing is shown; with ``none`` of no trait."""
    shown = Masking(show).value(value)
    if show == "none" or not isinstance(value, str):
        assert shown == HIDDEN
    else:
        assert shown == mask(value)


def test_full_shows_all() -> None:
    """With ``full`` nothing is masked."""
    masking = Masking("full")
    assert masking.text("user_1") == "user_1"
    assert masking.value({"a": [1]}) == {"a": [1]}
    assert masking.url(URL) == URL
    assert masking.call(CALL) == CALL


def test_a_call_is_masked_field_by_field() -> None:
    """Ids and the URL's parameters are masked; the type, the value and the time are not."""
    shown = Masking("masked").call(CALL)
    assert shown["event_id"] == "A…07"
    assert {name: shown[name] for name in CALL if name not in {"event_id", "url"}} == {
        name: CALL[name] for name in CALL if name not in {"event_id", "url"}
    }
    assert shown["url"].startswith("https://sp1.convertro.com/api/hit/acme/1/?")
    assert parse_qsl(shown["url"].partition("?")[2]) == [
        ("sid", "3…3d"),
        ("eid", "A…07"),
        ("typ", "sale"),
        ("val", "51.5"),
        ("pag", "https://shop.example.com/…"),
        ("cip", "2….9"),
        ("ts", "1709288430"),
    ]


def test_traits_keep_their_names_only() -> None:
    """A trait's name stays; its value is masked like an id, and what is no text is hidden."""
    fields = {"call": "user", "traits": {"email": "jane@example.com", "age": 42, "none": None}}
    assert Masking("masked").call(fields)["traits"] == {
        "email": "j…@e….com",
        "age": "…",
        "none": None,
    }
    assert Masking("none").call(fields)["traits"] == {"email": "…", "age": "…", "none": None}


@pytest.mark.parametrize("show", ["masked", "none"])
def test_a_trait_cannot_pass_for_the_value_of_the_event(show: Show) -> None:
    """A user's id that looks like the event's value is masked all the same, and so is a trait."""
    fields = {
        "call": "event",
        "event_value": 1,
        "event_type": "sale",
        "url": "https://x.example/?user_id=1&event_value=1&typ=jane&ts=jane",
    }
    shown = parse_qsl(Masking(show).call(fields)["url"].partition("?")[2])
    assert shown == [
        ("user_id", mask("1") if show == "masked" else HIDDEN),
        ("event_value", "1"),
        ("typ", mask("jane") if show == "masked" else HIDDEN),
        ("ts", mask("jane") if show == "masked" else HIDDEN),
    ]


def test_nothing_of_a_page_is_left_with_none() -> None:
    """With ``none`` not even the host of a page is shown."""
    assert "shop.example.com" not in Masking("none").call(CALL)["url"]


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("https://shop.example.com", "https://shop.example.com"),
        ("https://shop.example.com/", "https://shop.example.com/"),
        ("https://shop.example.com/?q=jane", "https://shop.example.com/…"),
        ("https://jane:secret@shop.example.com/", "https://shop.example.com/…"),
        ("javascript:jane", "j…ne"),
        ("http://[broken", "h…en"),
        ("jane", "j…"),
    ],
)
def test_of_a_page_the_host_is_left(page: str, shown: str) -> None:
    """A page's path and query, or a user name in it, can name anybody; its host cannot."""
    assert Masking("masked").parameter("pag", page) == shown


def test_plain_values_are_as_a_request_has_them() -> None:
    """Numbers stand in a request plainly, so they are told by that form."""
    fields = {"event_type": "sale", "event_value": 1e-05, "timestamp": 5, "event_id": "x"}
    assert plain_values(fields) == {"sale", "0.00001", "5"}


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_any_text_can_be_masked_as_a_url(address: str, query: dict[str, str]) -> None:
    """Nothing that a saved file holds for a URL breaks the masking."""
    url = address + "?" + "&".join(f"{name}={value}" for name, value in query.items())
    assert isinstance(Masking("masked").url(url), str)
    assert isinstance(Masking("none").url(url), str)
