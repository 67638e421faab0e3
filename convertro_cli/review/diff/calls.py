"""A call as the comparison looks at it, and which call before belongs to which after.

Calls are compared as a dry run shows them. Those of one message are paired in three steps:

1. A call is paired with the one of the same kind and event type: it is what it was, or some of
   its fields changed.
2. What is left is paired in order, the first with the first: there the type or kind changed.
3. What is left then was removed, or added.

The order of a message's calls among themselves means nothing to Convertro, and nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from convertro_cli.mapping.calls import Call
from convertro_cli.mapping.dry_run import describe_call
from convertro_cli.mapping.jobs import TOO_LONG
from convertro_cli.mapping.url_limit import UrlLimit
from convertro_cli.mapping.wire import LONGEST_URL, build_url
from convertro_cli.segment.json_text import write_json

Fields = Mapping[str, Any]
"""A call as in a dry run's line, from ``mode`` to ``url``: all but its source and message id."""

WhatChanged = Literal["added", "removed", "changed", "unchanged"]

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


class ShownCall:
    """One call on one side. What is not needed of its line in a dry run is never made."""

    __slots__ = ("_described", "_fields", "_sendable", "_url", "call", "limit")

    def __init__(
        self, call: Call | None = None, limit: UrlLimit | None = None, fields: Fields | None = None
    ) -> None:
        """Take a call with the wire that it goes over, or the fields of a dry run's line.

        Where ``limit`` is the same object on both sides, requests are made alike.
        """
        self.call = call
        self.limit = limit
        self._fields = fields
        self._described: dict[str, Any] | None = None
        self._url: str | None = None
        self._sendable: bool | None = None

    @property
    def kind(self) -> str:
        """The kind of call: event, user or install."""
        return self.call.kind if self.call is not None else str(self.fields["call"])

    @property
    def event_type(self) -> str | None:
        """The Convertro event type of an event call."""
        return self.call.event_type if self.call is not None else self.fields.get("event_type")

    @property
    def event_value(self) -> int | float:
        """The value of an event call; no other call has one."""
        if self.kind != "event":
            return 0
        value: int | float = (
            self.call.event_value if self.call is not None else self.fields["event_value"]
        )
        return value

    @property
    def timestamp(self) -> int:
        """When it happened, in Unix seconds."""
        return self.call.timestamp if self.call is not None else int(self.fields["timestamp"])

    @property
    def described(self) -> Fields:
        """The call as a dry run's line has it, without its request."""
        if self._fields is not None:
            return self._fields
        if self._described is None:
            assert self.call is not None
            self._described = {}
            describe_call(self.call, self._described)
        return self._described

    @property
    def fields(self) -> Fields:
        """The call as a dry run's line has it."""
        if self._fields is None:
            size = len(self.url)
            if size <= LONGEST_URL:
                request = {"method": "GET", "url": self.url}
            else:
                request = {"failed": TOO_LONG, "detail": f"a URL of {size:,} characters"}
            self._fields = {**self.described, **request}
        return self._fields

    @property
    def url(self) -> str:
        """The URL of its request, however long."""
        if self._url is None:
            assert self.call is not None
            assert self.limit is not None
            self._url = build_url(self.call, self.limit.wire)
        return self._url

    @property
    def is_sendable(self) -> bool:
        """Whether its URL is short enough to be sent."""
        if self._sendable is None:
            if self.call is None or self.limit is None:
                self._sendable = "failed" not in self.fields
            else:
                self._sendable = self.limit.allows(self.call)
        return self._sendable


class CallPair(NamedTuple):
    """A call before and after; None where there is none. ``fields`` names what changed."""

    before: ShownCall | None
    after: ShownCall | None
    fields: tuple[str, ...] = ()

    @property
    def verdict(self) -> WhatChanged:
        """What became of the call."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "changed" if self.fields else "unchanged"

    @property
    def sides(self) -> tuple[Fields | None, Fields | None]:
        """The fields of the call on each side."""
        before, after = (None if call is None else call.fields for call in self[:2])
        return before, after


def pair_calls(before: Sequence[ShownCall], after: Sequence[ShownCall]) -> list[CallPair]:
    """Pair the calls of one message, those after in their order and the removed ones last."""
    if len(before) == len(after) == 1:  # most messages: whatever the call became, it is that
        return [CallPair(before[0], after[0], changed_fields(before[0], after[0]))]
    left = list(before)
    partners = [_take_alike(left, call) for call in after]
    for index, partner in enumerate(partners):
        if partner is None and left:
            partners[index] = left.pop(0)
    pairs = [
        CallPair(old, new, changed_fields(old, new) if old is not None else ())
        for old, new in zip(partners, after, strict=True)
    ]
    return pairs + [CallPair(old, None) for old in left]


def changed_fields(before: ShownCall, after: ShownCall) -> tuple[str, ...]:
    """Name the fields that differ.

    The URL follows from the other fields, so it is named only where it alone differs: the
    address, a parameter's name, or what a dry run shows in the URL only, such as the visitor.
    """
    if before.call is not None and before.call == after.call:
        if before.limit is after.limit:
            return ()
        if before.is_sendable and after.is_sendable:
            return () if before.url == after.url else ("url",)
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
