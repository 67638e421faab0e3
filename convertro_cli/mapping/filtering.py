"""The gates of Segment's destination filters and destination transformations."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from convertro_cli.mapping.calls import SkipReason
from convertro_cli.mapping.rules import DroppedByFilter, Filtering
from convertro_cli.mapping.trail import MISSING, Note, Trail
from convertro_cli.segment.ids import read_id

_KEPT = ("type", "messageId")
"""What is read before the filters, and is not theirs to take away; so is the time."""


def filter_message(
    message: Mapping[str, Any], filtering: Filtering, trail: Trail | None = None
) -> Mapping[str, Any] | DroppedByFilter:
    """Apply the filters and transformations: the message as they leave it, or what dropped it.

    Only the message that the calls are made of changes: what the replay itself goes by stays.
    """
    steps: list[Any] | None = None if trail is None else []
    changed = filtering.apply(message, sample_key(message), steps)
    reason = None if isinstance(changed, Mapping) else changed.reason
    if trail is not None:
        for number, step in enumerate(steps or (), 1):
            stopped = reason if number == len(steps or ()) else None
            _tell(trail, step, stopped)
    if not isinstance(changed, Mapping) or changed is message:
        return changed
    kept = {key: message[key] for key in _KEPT if key in message}
    return {**changed, **kept}


def sample_key(message: Mapping[str, Any]) -> str:
    """Give what decides whether a message is in a sample: its id, else a digest of it.

    Segment rolls dice. A replay that can be resumed must decide alike each time.
    """
    message_id = read_id(message.get("messageId"))
    if message_id is not None:
        return message_id
    try:
        content = orjson.dumps(message, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONEncodeError, RecursionError):  # nested deeper than JSON writers go
        content = b"".join(key.encode() for key in message)
    return blake2b(content, digest_size=16).hexdigest()


def _tell(trail: Trail, step: Any, reason: SkipReason | None) -> None:
    trail.note(
        Note(
            "destination filters",
            "found" if reason is None else "stopped",
            value=step,
            evidence=MISSING,
            reason=reason,
        )
    )
