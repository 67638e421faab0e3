"""Users who objected: a suppression list is looked at again, for it may have grown since."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from convertro_cli.mapping.calls import SkipReason
from convertro_cli.mapping.trail import Note, Trail
from convertro_cli.segment.ids import read_id


def is_suppressed(
    message: Mapping[str, Any], suppressed: Container[str], trail: Trail | None = None
) -> bool:
    """Whether a message is of a suppressed user.

    The user id is compared whole, a number as its digits, and no other id is looked at, as
    Segment does.
    """
    user_id = read_id(message.get("userId"))
    is_listed = user_id is not None and user_id in suppressed
    if trail is not None:
        trail.note(
            Note(
                "suppression",
                "stopped" if is_listed else "passed",
                "listed" if is_listed else "unlisted" if user_id is not None else "anonymous",
                value=user_id,
                path=("userId",),
                settings=("privacy.suppressed",),
                reason=SkipReason.SUPPRESSED_USER if is_listed else None,
            )
        )
    return is_listed
