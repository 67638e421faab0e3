"""The gates of Segment's destination filters and destination transformations."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from convertro_cli.mapping.calls import SkipReason
from convertro_cli.mapping.trail import Note, NoteVerdict, Trail
from convertro_cli.segment.ids import read_id
from convertro_cli.segment.json_text import write_to_compare

if TYPE_CHECKING:  # a replay without filters needs nothing of that room
    from convertro_cli.destination_filters.actions import Dropped
    from convertro_cli.destination_filters.filters import DestinationFilters
    from convertro_cli.destination_filters.steps import FilterStep

_KEPT = ("type", "messageId")
"""What is read before the filters, and is not theirs to take away; so is the time."""


def filter_message(
    message: Mapping[str, Any],
    message_type: str,
    filters: DestinationFilters,
    trail: Trail | None = None,
) -> Mapping[str, Any] | Dropped:
    """Apply the filters and transformations: the message as they leave it, or what dropped it.

    Only the message that the calls are made of changes: what the replay itself goes by stays.
    Conditions are about ``message_type``, in lower case, in whatever case an old library wrote it.
    """
    if message["type"] != message_type:
        message = {**message, "type": message_type}
    steps: list[FilterStep] | None = None if trail is None else []
    key = sample_key(message) if filters.needs_sample_key else ""
    changed = filters.apply(message, key, steps)
    if trail is not None:
        for step in steps or ():
            _tell(trail, step, changed)
    if not isinstance(changed, Mapping) or changed is message:
        return changed
    return {**changed, **{key: message[key] for key in _KEPT if key in message}}


def sample_key(message: Mapping[str, Any]) -> str:
    """Give what decides whether a message is in a sample: its id, else a digest of it.

    Segment rolls dice. A replay that can be resumed must decide alike each time. Raises
    InexactNumberError for a digest of what lost digits in reading.
    """
    message_id = read_id(message.get("messageId"))
    if message_id is not None:
        return message_id
    try:
        content = write_to_compare(message)
    except (orjson.JSONEncodeError, RecursionError):  # nested deeper than JSON writers go
        content = b"".join(key.encode() for key in message)
    return blake2b(content, digest_size=16).hexdigest()


def _tell(trail: Trail, step: FilterStep, outcome: Mapping[str, Any] | Dropped) -> None:
    reason = None
    if step.dropped and not isinstance(outcome, Mapping):
        reason = SkipReason(outcome.reason)
    verdict: NoteVerdict = "passed" if reason is None else "stopped"
    trail.note(Note("destination filters", verdict, value=step, reason=reason))
