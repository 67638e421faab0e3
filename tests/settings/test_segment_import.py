"""From a Segment destination's settings to those of convertro.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.errors import ConvertroError
from convertro_cli.settings.load import check
from convertro_cli.settings.segment_import import SEGMENT_KEYS, read_segment_settings, take_over
from tests.mapping.strategies import JSON
from tests.soaking import examples

SEGMENT: dict[str, Any] = {
    "account": "acme",
    "clientName": "acme-inc",
    "siteId": "7",
    "domain": "https://shop.example.com",
    "hybridAttributionModel": True,
    "events": {"Signed Up": "signup", "Trial Started": ["trial", "lead"]},
}
OURS = {
    "convertro": {
        "account": "acme",
        "client_name": "acme-inc",
        "site_id": "7",
        "domain": "https://shop.example.com",
        "hybrid_attribution_model": True,
    },
    "events": {"Signed Up": "signup", "Trial Started": ["trial", "lead"]},
}


def written(tmp_path: Path, data: Any) -> Path:
    """A file with JSON, or with bytes as they are."""
    path = tmp_path / "destination.json"
    path.write_bytes(data if isinstance(data, bytes) else orjson.dumps(data))
    return path


@pytest.mark.parametrize(
    "data",
    [
        SEGMENT,
        {"settings": SEGMENT},
        {"id": "5", "enabled": True, "settings": SEGMENT},
        {"destination": {"settings": SEGMENT}},
        {"data": {"destination": {"id": "5", "settings": SEGMENT}}},
        b"\xef\xbb\xbf" + orjson.dumps(SEGMENT),
    ],
)
def test_all_settings_are_taken_over_wherever_they_stand(tmp_path: Path, data: Any) -> None:
    """Alone, or wrapped as Segment's API answers."""
    taken = read_segment_settings(written(tmp_path, data))
    assert taken.values == OURS
    assert taken.left_out == []


@pytest.mark.parametrize(
    ("events", "ours"),
    [
        ({"A": "a"}, {"A": "a"}),
        ({"A": ["a", "b"]}, {"A": ["a", "b"]}),
        ([{"key": "A", "value": "a"}, {"key": "B", "value": "b"}], {"A": "a", "B": "b"}),
        ([{"key": "A", "value": "a"}, {"key": "A", "value": "b"}], {"A": ["a", "b"]}),
        ([{"key": "A", "value": "a"}, {"key": "A", "value": "a"}], {"A": "a"}),
        ([{"key": "A", "value": ["a", "b"]}], {"A": ["a", "b"]}),
        ([{"key": "", "value": ""}, {"key": "A", "value": "a"}], {"A": "a"}),
        ({"signed_up": "a", "Signed Up": "b"}, {"signed_up": "a", "Signed Up": "b"}),
        ({}, {}),
        ([], {}),
        (None, {}),
    ],
)
def test_events_as_an_object_or_as_a_list(events: Any, ours: dict[str, Any]) -> None:
    """In their order; a name that stands twice has both types; rows never filled in are none."""
    taken = take_over({"account": "acme", "events": events})
    assert taken.values["events"] == ours
    assert list(taken.values["events"]) == list(ours)
    assert taken.left_out == []


@pytest.mark.parametrize("key", list(SEGMENT))
@pytest.mark.parametrize("empty", ["", None])
def test_what_was_never_filled_in_is_not_set(key: str, empty: Any) -> None:
    """Segment writes it as empty text or null."""
    taken = take_over(SEGMENT | {key: empty})
    assert taken.left_out == []
    assert len(taken.values["convertro"]) == (5 if key == "events" else 4)


def test_a_site_id_as_a_number() -> None:
    """Its digits are the id."""
    taken = take_over({"account": "acme", "siteId": 7})
    settings, faults = check(taken.values, folder=Path())
    assert settings is not None
    assert not faults
    assert settings.convertro.site_id == "7"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"account": 5}, "account = 5; allowed: the Convertro account's name"),
        ({"account": ".."}, "account = '..' is nothing but dots"),
        ({"clientName": ["x"]}, "clientName = ['x']; allowed: "),
        ({"siteId": True}, "siteId = true; allowed: "),
        ({"siteId": 1.5}, "siteId = 1.5; allowed: "),
        ({"domain": " "}, "domain = ' ' is blank"),
        ({"domain": "a\x1b[2J"}, "domain = 'a\\x1b[2J' holds a control character"),
        ({"hybridAttributionModel": "true"}, "hybridAttributionModel = 'true'; allowed: "),
        ({"events": 5}, "events = 5 is neither an object nor a list"),
        ({"events": "Signed Up"}, "events = 'Signed Up' is neither"),
        ({"events": {"A": 5}}, "events: 'A': 5 is no event name with a type"),
        ({"events": {"A": None}}, "events: 'A': None is no event name with a type"),
        ({"events": {"A": ["a", 5]}}, "events: 'A': ['a', 5] is no event name"),
        ({"events": {"A": ""}}, "events.A = '' is blank"),
        ({"events": {"A": []}}, "events.A = []; allowed: "),
        ({"events": {"": "a"}}, "events = '' is blank"),
        ({"events": {"A.b\n": "a"}}, "events.A.b\n = 'A.b\\n' holds a control character"),
        ({"events": ["A"]}, 'events: \'A\' is no {"key": …, "value": …}'),
        ({"events": [{"key": "A"}]}, "events: {'key': 'A'} is no "),
        ({"events": [{"key": "A", "value": "a", "on": 1}]}, "is no {"),
        ({"events": [{"key": ["A"], "value": "a"}]}, "events: ['A']: 'a' is no event name"),
        ({"client_name": "x"}, "'client_name' = 'x' is no such setting; did you mean clientName?"),
        ({"SiteID": "x"}, "'SiteID' = 'x' is no such setting; did you mean siteId?"),
        ({"trackAll": True}, "'trackAll' = true is no such setting"),
    ],
)
def test_what_cannot_be_taken_over_is_told(changed: dict[str, Any], told: str) -> None:
    """Unknown keys, wrong types and impossible values, each with its value; the rest is taken."""
    taken = take_over({"account": "acme", "domain": "x"} | changed)
    (sentence,) = taken.left_out
    assert told in sentence
    _, faults = check({"convertro": {"account": "acme"}} | taken.values, folder=Path())
    assert [fault.key for fault in faults] in ([], ["convertro.account"])
    kept = {"account", "domain"} - changed.keys()
    assert kept <= taken.values["convertro"].keys()


def test_a_key_that_stands_twice_is_told(tmp_path: Path) -> None:
    """A parser keeps the last only, and the first would be lost unseen."""
    data = b'{"account":"acme","events":{"A":"a","B":"b","A":"c"}}'
    taken = read_segment_settings(written(tmp_path, data))
    assert taken.values["events"] == {"A": "c", "B": "b"}
    assert taken.left_out == ["'A' is there twice: the last counts"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "is no JSON: "),
        (b"", "is no JSON: "),
        (b"\xff\xfe{}", "is no JSON: "),
        ([], "holds no settings"),
        (5, "holds no settings"),
        ({}, "holds no settings"),
        ({"settings": {}}, "holds no settings"),
        ({"data": {"destination": {"settings": {"apiKey": "x"}}}}, "holds no settings"),
        ({"data": "account"}, "holds no settings"),
    ],
)
def test_a_file_without_such_settings(tmp_path: Path, data: Any, message: str) -> None:
    """One sentence, and nothing is made up."""
    with pytest.raises(ConvertroError, match=message):
        read_segment_settings(written(tmp_path, data))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Not there, or a folder."""
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(ConvertroError, match="cannot be read: "):
            read_segment_settings(path)


@settings(max_examples=examples(50))
@given(st.dictionaries(st.sampled_from([*SEGMENT, "more"]), JSON))
def test_whatever_the_values_are_the_rest_is_sound(segment: dict[str, Any]) -> None:
    """What is taken over always loads, and what has a value and is not taken over is told."""
    taken = take_over(segment)
    values = taken.values | {"convertro": {"account": "acme"} | taken.values["convertro"]}
    settings, faults = check(values, folder=Path())
    assert settings is not None
    assert not faults
    for key, value in segment.items():
        if key != "events" and value is not None and value != "":
            told = any(sentence.startswith((key, repr(key))) for sentence in taken.left_out)
            assert told or SEGMENT_KEYS[key] in taken.values["convertro"]
