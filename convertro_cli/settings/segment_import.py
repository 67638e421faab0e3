"""From the settings of a Segment destination, as JSON, to those of convertro.toml.

They come as Segment's API gives them, for one destination or for all of a workspace, or as
browsers load them (``browser_settings``). Whatever cannot be taken over is told: nothing is lost
silently.
"""

from __future__ import annotations

import json
import sys
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import orjson

from convertro_cli.errors import ConvertroError
from convertro_cli.settings.browser_settings import OTHER_KEYS, are_browser_settings, take_gates
from convertro_cli.settings.faults import shown
from convertro_cli.settings.load import check
from convertro_cli.settings.segment_destinations import choose_destination, listed_destinations
from convertro_cli.settings.taken import SegmentSettings

SEGMENT_KEYS = {
    "account": "account",
    "clientName": "client_name",
    "siteId": "site_id",
    "domain": "domain",
    "hybridAttributionModel": "hybrid_attribution_model",
}
"""Segment's keys, and those of ``[convertro]``. ``events`` is the one key beside them."""

_KNOWN = (*SEGMENT_KEYS, "events")
_WRAPPINGS: tuple[tuple[str, ...], ...] = (
    (),
    ("settings",),
    ("destination", "settings"),
    ("data", "destination", "settings"),
)


def read_segment_settings(file: Path, destination: str | None = None) -> SegmentSettings:
    """Read a Segment destination's settings; ``destination`` is an id to choose one of several by.

    ``file`` is ``-`` for standard input. Raises ConvertroError where there are no settings, or
    several and none is chosen.
    """
    try:
        is_stdin = str(file) == "-"
        content = (sys.stdin.buffer.read() if is_stdin else file.read_bytes()).removeprefix(
            BOM_UTF8
        )
    except OSError as error:
        raise ConvertroError(f"{file} cannot be read: {error.strerror}") from None
    if is_stdin:
        file = Path("standard input")
    try:
        data = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ConvertroError(f"{file} is no JSON: {error}") from None
    taken = _take_any(data, file, destination)
    taken.left_out.extend(
        f"{shown(key)} is there twice: the last counts" for key in _twice(content)
    )
    return taken


def _take_any(data: Any, file: Path, destination: str | None) -> SegmentSettings:
    """Take over settings in whichever of Segment's shapes they come."""
    listed = listed_destinations(data)
    if listed is not None:
        chosen = choose_destination(listed, data, file, destination)
        taken = take_over(chosen.settings)
        taken.left_out.extend(chosen.remarks)
        return taken
    if destination is not None:
        raise ConvertroError(f"{file} is no list of destinations: leave out --destination.")
    if are_browser_settings(data):
        return _take_browser_settings(data, file)
    found = _find(data)
    if found is None:
        raise ConvertroError(
            f"{file} holds no settings of Segment's Convertro destination.",
            hint=f"It needs a JSON object with {', '.join(_KNOWN)}, or some of these, "
            'alone, under "settings" or under "data.destination.settings"; or an answer of '
            "GET /destinations; or the settings that browsers load.",
        )
    return take_over(found)


def _take_browser_settings(data: Mapping[str, Any], file: Path) -> SegmentSettings:
    """Take over what browsers load: the destination's settings, and the gates before it."""
    own = data["integrations"].get("Convertro")
    settings = own if isinstance(own, dict) else {}
    taken = take_over({key: value for key, value in settings.items() if key not in OTHER_KEYS})
    take_gates(data, taken)
    if own is None and not any(taken.values.values()):
        raise ConvertroError(
            f"{file} is what browsers load, and has nothing about Convertro.",
            hint="Take the settings of the source that Convertro is connected to, or the answer "
            "of GET /destinations.",
        )
    return taken


def take_over(segment: Mapping[str, Any]) -> SegmentSettings:
    """Turn Segment's settings into tables of a convertro.toml."""
    taken = SegmentSettings()
    for key, value in segment.items():
        if key == "events":
            _take_events(value, taken)
        elif key in SEGMENT_KEYS:
            _take(key, value, taken)
        else:
            taken.left_out.append(f"{shown(key)} = {shown(value)} is no such setting{_meant(key)}")
    _drop_impossible(taken)
    return taken


def _twice(content: bytes) -> list[str]:
    """Give the keys that stand twice in one object: of these a parser keeps the last only."""
    twice: dict[str, None] = {}

    def note(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                twice[key] = None
            seen.add(key)

    with suppress(RecursionError):
        json.loads(content, object_pairs_hook=note)
    return list(twice)


def _find(data: Any) -> Mapping[str, Any] | None:
    for wrapping in _WRAPPINGS:
        inner = data
        for key in wrapping:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(inner, dict) and not inner.keys().isdisjoint(_KNOWN):
            return inner
    return None


def _take(key: str, value: Any, taken: SegmentSettings) -> None:
    """Take over one value as it is; Segment writes what was never filled in as "" or null."""
    if value is not None and value != "":
        taken.values["convertro"][SEGMENT_KEYS[key]] = value


def _take_events(events: Any, taken: SegmentSettings) -> None:
    for name, targets in _pairs(events, taken):
        if name in ("", None) and targets in ("", None):
            continue  # a row that was never filled in
        added = targets if isinstance(targets, list) else [targets]
        if not isinstance(name, str) or not all(isinstance(target, str) for target in added):
            pair = f"{shown(name)}: {shown(targets)}"
            taken.left_out.append(f"events: {pair} is no event name with a type, or several")
            continue
        known = taken.values["events"].get(name, [])
        before = known if isinstance(known, list) else [known]
        both = list(dict.fromkeys([*before, *added]))
        taken.values["events"][name] = both[0] if len(both) == 1 else both


def _pairs(events: Any, taken: SegmentSettings) -> Iterator[tuple[Any, Any]]:
    """Give the names and types of *Events*, which Segment writes in two ways."""
    if isinstance(events, dict):
        yield from events.items()
    elif isinstance(events, list):
        for row in events:
            if isinstance(row, dict) and row.keys() == {"key", "value"}:
                yield row["key"], row["value"]
            else:
                taken.left_out.append(f'events: {shown(row)} is no {{"key": …, "value": …}}')
    elif events is not None and events != "":
        taken.left_out.append(f"events = {shown(events)} is neither an object nor a list")


def _drop_impossible(taken: SegmentSettings) -> None:
    """Drop what convertro.toml would refuse, with the same words as it would."""
    _, faults = check(taken.values, folder=Path())
    for fault in faults:
        table, _, name = fault.key.partition(".")
        if taken.values[table].pop(name, None) is not None:
            key = next((key for key, known in SEGMENT_KEYS.items() if known == name), fault.key)
            allowed = f"; allowed: {fault.allowed}" if fault.allowed else ""
            taken.left_out.append(f"{key} {fault.problem}{allowed}")


def _meant(key: str) -> str:
    close = get_close_matches(key.lower().replace("_", ""), [known.lower() for known in _KNOWN], 1)
    meant = next((known for known in _KNOWN if known.lower() in close), None)
    return f"; did you mean {meant}?" if meant else ""
