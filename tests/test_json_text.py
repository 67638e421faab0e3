"""JSON that a terminal may see is the same JSON, and says nothing to the terminal."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.json_text import harmless

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@pytest.mark.parametrize(
    ("character", "escape"),
    [
        ("\x7f", rb"\u007f"),
        ("\x9b", rb"\u009b"),
        ("\u202e", rb"\u202e"),
        ("\u2066", rb"\u2066"),
        ("\u2028", rb"\u2028"),
        ("\u2029", rb"\u2029"),
        ("\u200b", rb"\u200b"),
        ("\ufeff", rb"\ufeff"),
        ("\U000e0041", rb"\udb40\udc41"),
    ],
)
def test_what_does_harm_is_escaped(character: str, escape: bytes) -> None:
    """C1 controls, DEL, marks of direction, and what is not seen, as JSON writes them."""
    assert harmless(orjson.dumps({"a": f"x{character}y"})) == b'{"a":"x' + escape + b'y"}'


def test_what_people_write_stays() -> None:
    """Letters of all scripts, and newlines between objects, are as they were."""
    content = '{"a":"Grüße, 東京, עברית, 🎉"}\n{"b":1}\n'.encode()
    assert harmless(content) == content


@given(JSON)
def test_it_stays_the_same_json(value: object) -> None:
    """Whatever is in it; and no character is left that a terminal could obey."""
    content = harmless(orjson.dumps(value))
    assert orjson.loads(content) == value
    assert content.decode().isprintable()
