"""The filters that replay, inspect and diff share, from their options."""

from __future__ import annotations

import time
from collections.abc import Sequence

from convertro_cli.durations import FORMS, parse_duration
from convertro_cli.errors import ConvertroError
from convertro_cli.mapping.gates import SUPPORTED_TYPES
from convertro_cli.mapping.rules import Selection
from convertro_cli.segment.names import normalise
from convertro_cli.segment.times import UnreadableTimeError, read_time


def read_selection(
    *,
    since: str | None,
    until: str | None,
    types: Sequence[str] | None,
    events: Sequence[str] | None,
    received_since: str | None = None,
    received_until: str | None = None,
) -> Selection:
    """Read the filters. An age counts back from now. Raises ConvertroError."""
    now = time.time()
    selection = Selection(
        since=_read_moment("--since", since, now),
        until=_read_moment("--until", until, now),
        types=frozenset(_read_type(name) for name in types or ()),
        events=frozenset(_read_event(name) for name in events or ()),
        received_since=_read_moment("--received-since", received_since, now),
        received_until=_read_moment("--received-until", received_until, now),
    )
    if _is_empty(selection.since, selection.until):
        raise ConvertroError(f"--since {since} is not before --until {until}: nothing is left.")
    if _is_empty(selection.received_since, selection.received_until):
        raise ConvertroError(
            f"--received-since {received_since} is not before --received-until {received_until}: "
            "nothing is left."
        )
    return selection


def _is_empty(since: float | None, until: float | None) -> bool:
    return since is not None and until is not None and since >= until


def _read_moment(option: str, text: str | None, now: float) -> float | None:
    if text is None:
        return None
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        return float(read_time(text))
    except UnreadableTimeError:
        raise ConvertroError(
            f"{option} {text!r} is neither an ISO date or time nor {FORMS}.",
            hint="For example 2024-03-01, 2024-03-01T12:00:00Z or 36h. Dates are UTC.",
        ) from None


def _read_event(name: str) -> str:
    if not name.strip():
        raise ConvertroError("--event is empty.", hint="Name an event, in any spelling.")
    return normalise(name)


def _read_type(name: str) -> str:
    if name.lower() not in SUPPORTED_TYPES:
        raise ConvertroError(
            f"--type {name!r} is never sent.", hint="Convertro takes identify and track only."
        )
    return name.lower()
