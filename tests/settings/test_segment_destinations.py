"""From the answer of GET /destinations to the settings of the one that is Convertro's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from convertro_cli.errors import ConvertroError
from convertro_cli.settings.segment_import import read_segment_settings
from convertro_cli.settings.taken import SegmentSettings

BY_SLUG = {"id": "other", "slug": "convertro", "name": "Convertro"}
BY_ID = {"id": "54521fd525e721e32a72eea4", "slug": "convertro-2", "name": "Convertro"}
AMPLITUDE = {"id": "54521fd525e721e32a72ee91", "slug": "amplitude", "name": "Amplitude"}


def destination(name: str, metadata: Any = BY_SLUG, **more: Any) -> dict[str, Any]:
    """A destination as the Public API gives it."""
    return {
        "id": name,
        "name": f"{name}'s",
        "enabled": True,
        "sourceId": "s1",
        "metadata": metadata,
        "settings": {"account": f"acme-{name}", "siteId": "7"},
    } | more


def read(folder: Path, *listed: Any, wanted: str | None = None, **answer: Any) -> SegmentSettings:
    """Read an answer with these destinations."""
    path = folder / "destinations.json"
    data = {"data": {"destinations": listed, "pagination": {"current": "MA=="}} | answer}
    path.write_bytes(orjson.dumps(data))
    return read_segment_settings(path, wanted)


@pytest.mark.parametrize("metadata", [BY_SLUG, BY_ID])
def test_the_only_one_is_taken(tmp_path: Path, metadata: dict[str, str]) -> None:
    """It is known by its slug or by its id in Segment's catalogue, wherever it stands."""
    others = [destination("a", AMPLITUDE), None, {}, destination("x", None)]
    taken = read(tmp_path, *others, destination("b", metadata), destination("c", AMPLITUDE))
    assert taken.values == {"convertro": {"account": "acme-b", "site_id": "7"}, "events": {}}
    assert taken.left_out == []


def test_of_several_it_is_asked_which(tmp_path: Path) -> None:
    """All are named, with what tells them apart."""
    several = [destination("a"), destination("b", BY_ID, sourceId="s2", enabled=False)]
    with pytest.raises(ConvertroError) as raised:
        read(tmp_path, *several)
    assert raised.value.message.endswith(
        "destinations.json lists 2 destinations of Convertro. Which is it?\n"
        '  a, "a\'s", of the source s1\n'
        '  b, "b\'s", of the source s2, switched off'
    )
    assert raised.value.hint == "Name it with --destination ID."
    assert read(tmp_path, *several, wanted="a").values["convertro"]["account"] == "acme-a"
    taken = read(tmp_path, *several, wanted="b")
    assert taken.values["convertro"]["account"] == "acme-b"
    assert taken.left_out == ["the destination is switched off at Segment (enabled = false)"]


def test_an_id_that_none_has(tmp_path: Path) -> None:
    """Of another destination, too, it is no id of Convertro's."""
    with pytest.raises(ConvertroError, match="None of them has the id 'c'") as raised:
        read(tmp_path, destination("a"), destination("c", AMPLITUDE), wanted="c")
    assert "  a, " in raised.value.message
    assert "lists 1 destination of Convertro" in raised.value.message


@pytest.mark.parametrize(
    ("more", "hint"),
    [
        ({}, "Convertro's has the slug convertro or the id 54521fd525e721e32a72eea4"),
        ({"pagination": {"current": "a", "next": "b"}}, "get the next page"),
    ],
)
def test_none_of_them_is_convertros(tmp_path: Path, more: dict[str, Any], hint: str) -> None:
    """The answer may have been the first of several pages."""
    with pytest.raises(ConvertroError, match="lists 1 destinations, and none is") as raised:
        read(tmp_path, destination("a", AMPLITUDE), **more)
    assert hint in (raised.value.hint or "")


@pytest.mark.parametrize("settings", [None, [], {}])
def test_one_without_settings(tmp_path: Path, settings: Any) -> None:
    """It was never filled in: nothing is made up."""
    taken = read(tmp_path, destination("a", settings=settings))
    assert taken.values == {"convertro": {}, "events": {}}


def test_an_id_goes_with_a_list(tmp_path: Path) -> None:
    """In a file with one destination there is nothing to choose."""
    path = tmp_path / "destination.json"
    path.write_bytes(orjson.dumps({"data": {"destination": destination("a")}}))
    assert read_segment_settings(path).values["convertro"]["account"] == "acme-a"
    with pytest.raises(ConvertroError, match="is no list of destinations"):
        read_segment_settings(path, "a")
