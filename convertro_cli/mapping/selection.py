"""The user's own filters: which messages a command was asked for, by time, type and name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from convertro_cli.mapping.rules import Selection
from convertro_cli.segment.names import normalise
from convertro_cli.segment.times import UnreadableTimeError, read_time


def is_selected(
    selection: Selection, message: Mapping[str, Any], message_type: str, timestamp: int | None
) -> bool:
    """Whether a message is one that the user's filters ask for.

    A message without a readable time passes the filters by time: it is for a later gate to
    say that it is invalid.
    """
    return next(_against(selection, message, message_type, timestamp), None) is None


def options_against(
    selection: Selection, message: Mapping[str, Any], message_type: str, timestamp: int | None
) -> tuple[str, ...]:
    """Name the options that leave a message out; empty where it is selected."""
    return tuple(_against(selection, message, message_type, timestamp))


def given_options(selection: Selection) -> tuple[str, ...]:
    """Name the options that were given."""
    fields = {
        "--since": selection.since is not None,
        "--until": selection.until is not None,
        "--received-since": selection.received_since is not None,
        "--received-until": selection.received_until is not None,
        "--type": bool(selection.types),
        "--event": bool(selection.events),
    }
    return tuple(option for option, is_given in fields.items() if is_given)


def _against(
    selection: Selection, message: Mapping[str, Any], message_type: str, timestamp: int | None
) -> Iterator[str]:
    if timestamp is not None:
        if selection.since is not None and timestamp < selection.since:
            yield "--since"
        if selection.until is not None and timestamp >= selection.until:
            yield "--until"
    yield from _received_outside(selection, message)
    if selection.types and message_type not in selection.types:
        yield "--type"
    event = message.get("event")
    if selection.events and not (
        message_type == "track" and isinstance(event, str) and normalise(event) in selection.events
    ):
        yield "--event"


def _received_outside(selection: Selection, message: Mapping[str, Any]) -> Iterator[str]:
    """Tell whether a message was received at another time; one that does not say when passes."""
    since, until = selection.received_since, selection.received_until
    if since is None and until is None:
        return
    try:
        received = read_time(message.get("receivedAt"))
    except UnreadableTimeError:
        return
    if since is not None and received < since:
        yield "--received-since"
    if until is not None and received >= until:
        yield "--received-until"
