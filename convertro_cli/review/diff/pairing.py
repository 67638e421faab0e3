"""Which call of a message before belongs to which call after.

Calls are compared as a dry run shows them. Those of one message are paired in three steps:

1. A call is paired with the one of the same kind and event type: it is what it was, or some of
   its fields changed.
2. What is left is paired in order, the first with the first: there the type or kind changed.
3. What is left then was removed, or added.

The order of a message's calls among themselves means nothing to Convertro, and nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from convertro_cli.review.diff.calls import Fields, ShownCall
from convertro_cli.segment.json_text import write_json

Verdict = Literal["added", "removed", "changed", "unchanged"]

DESCRIBED = (
    "mode",
    "call",
    "device_id",
    "user_id",
    "traits",
    "event_type",
    "event_value",
    "event_id",
    "timestamp",
)
REQUEST = ("url", "detail")
"""What follows from the other fields too, and so counts as changed only by itself."""


class Pair(NamedTuple):
    """A call before and after; None where there is none. ``fields`` names what changed."""

    before: ShownCall | None
    after: ShownCall | None
    fields: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What became of the call."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "changed" if self.fields else "unchanged"


def pair_calls(before: Sequence[ShownCall], after: Sequence[ShownCall]) -> list[Pair]:
    """Pair the calls of one message, those after in their order and the removed ones last."""
    if len(before) == len(after) == 1:  # most messages: whatever the call became, it is that
        return [Pair(before[0], after[0], changed_fields(before[0], after[0]))]
    left = list(before)
    partners = [_take_alike(left, call) for call in after]
    for index, partner in enumerate(partners):
        if partner is None and left:
            partners[index] = left.pop(0)
    pairs = [
        Pair(old, new, changed_fields(old, new) if old is not None else ())
        for old, new in zip(partners, after, strict=True)
    ]
    return pairs + [Pair(old, None) for old in left]


def changed_fields(before: ShownCall, after: ShownCall) -> tuple[str, ...]:
    """Name the fields that differ.

    The URL follows from the other fields, so it is named only where it alone differs: the
    address, a parameter's name, or what a dry run shows in the URL only, such as the visitor.
    """
    if before.call is not None and before.call == after.call:
        if before.wire is after.wire:
            return ()
        if before.is_sendable and after.is_sendable:
            return () if before.address == after.address and before.url == after.url else ("url",)
    changed = _differing(DESCRIBED, before.described, after.described)
    if before.is_sendable is not after.is_sendable:
        changed += ("failed",)
    return changed or _differing(REQUEST, before.fields, after.fields)


def _take_alike(calls: list[ShownCall], wanted: ShownCall) -> ShownCall | None:
    """Take the first call of the same kind and event type out of a list."""
    for index, call in enumerate(calls):
        if call.event_type == wanted.event_type and call.kind == wanted.kind:
            return calls.pop(index)
    return None


def _differing(names: Sequence[str], before: Fields, after: Fields) -> tuple[str, ...]:
    return tuple([name for name in names if not _same(before.get(name), after.get(name))])


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, dict) and isinstance(after, dict):
        # As JSON: Python takes true for 1, and compares what is nested deep at its own risk.
        return before is after or _canonical(before) == _canonical(after)
    return bool(before == after)


def _canonical(value: Any) -> bytes:
    return write_json(value, sort_keys=True)
