"""The user's own filters: which messages a command was asked for, by time, type and name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convertro_cli.mapping.rules import Selection
from convertro_cli.segment.names import normalise


def is_selected(selection: Selection, message_type: str, event: Any, timestamp: int | None) -> bool:
    """Whether a message is one that the user's filters ask for.

    A message without a readable time passes the filters by time: it is for a later gate to
    say that it is invalid.
    """
    return next(_against(selection, message_type, event, timestamp), None) is None


def options_against(
    selection: Selection, message_type: str, event: Any, timestamp: int | None
) -> tuple[str, ...]:
    """Name the options that leave a message out; empty where it is selected."""
    return tuple(_against(selection, message_type, event, timestamp))


def given_options(selection: Selection) -> tuple[str, ...]:
    """Name the options that were given."""
    fields = {
        "--since": selection.since is not None,
        "--until": selection.until is not None,
        "--type": bool(selection.types),
        "--event": bool(selection.events),
    }
    return tuple(option for option, is_given in fields.items() if is_given)


def _against(
    selection: Selection, message_type: str, event: Any, timestamp: int | None
) -> Iterator[str]:
    if timestamp is not None:
        if selection.since is not None and timestamp < selection.since:
            yield "--since"
        if selection.until is not None and timestamp >= selection.until:
            yield "--until"
    if selection.types and message_type not in selection.types:
        yield "--type"
    if selection.events and not (
        message_type == "track" and isinstance(event, str) and normalise(event) in selection.events
    ):
        yield "--event"
