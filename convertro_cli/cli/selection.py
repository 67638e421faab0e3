"""The filters that replay, inspect and diff share, from their options."""

from __future__ import annotations

import time
from collections.abc import Sequence

from convertro_cli.cli.options import SelectionOptions
from convertro_cli.durations import FORMS, parse_duration
from convertro_cli.errors import ConvertroError
from convertro_cli.mapping.gates import SUPPORTED_TYPES
from convertro_cli.mapping.rules import Selection
from convertro_cli.segment.names import normalise
from convertro_cli.segment.times import UnreadableTimeError, read_time


def read_selection(options: SelectionOptions, events: Sequence[str] | None) -> Selection:
    """Read the filters. An age counts back from now. Raises ConvertroError."""
    now = time.time()
    since, until = _read_window("", options.since, options.until, now)
    received = _read_window("received-", options.received_since, options.received_until, now)
    return Selection(
        since=since,
        until=until,
        types=frozenset(_read_type(name) for name in options.type_ or ()),
        events=frozenset(_read_event(name) for name in events or ()),
        received_since=received[0],
        received_until=received[1],
    )


def _read_window(
    of: str, since: str | None, until: str | None, now: float
) -> tuple[float | None, float | None]:
    start = _read_moment(f"--{of}since", since, now)
    end = _read_moment(f"--{of}until", until, now)
    if start is not None and end is not None and start >= end:
        raise ConvertroError(
            f"--{of}since {since} is not before --{of}until {until}: nothing is left."
        )
    return start, end


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
