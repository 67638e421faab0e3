"""Every change, as one JSON object a line: what a dry run's lines were, and what they become.

    {"change":"changed","source":"export.ndjson:12","message_id":"m1","fields":["event_value"],
     "before":{"mode":"web","call":"event",…},"after":{"mode":"web","call":"event",…}}

``change`` is ``added``, ``removed`` or ``changed`` for a call, and ``newly_sent``,
``newly_skipped`` or ``skipped_otherwise`` for the line that a dry run with ``--include-skipped``
has of a message without calls. Whoever takes the line ``before`` (where it is not null) out of
the old dry run and puts the line ``after`` in has the new dry run, up to the order of one
message's calls; only a call that came before, which a dry run marks as a repeat, is no change.
"""

from __future__ import annotations

from typing import NamedTuple

from convertro_cli.review.diff.calls import Fields
from convertro_cli.review.masking import Masking
from convertro_cli.segment.json_text import write_json


class Place(NamedTuple):
    """A message: where it stands, its id, and the name of the track (None if it is none)."""

    source: str
    message_id: str | None
    event: str | None


def change_line(
    change: str,
    place: Place,
    before: Fields | None,
    after: Fields | None,
    fields: tuple[str, ...],
    masking: Masking,
) -> bytes:
    """Write one change, with a newline."""
    message_id = masking.value(place.message_id)
    line = {"change": change, "source": place.source, "message_id": message_id}
    if fields:
        line["fields"] = fields
    line["before"] = None if before is None else masking.call(before)
    line["after"] = None if after is None else masking.call(after)
    return write_json(line) + b"\n"
