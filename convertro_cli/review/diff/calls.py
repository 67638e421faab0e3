"""A call as the comparison looks at it: out of the mapping, or out of a saved dry run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping.calls import Call
from convertro_cli.mapping.dry_run import describe_call
from convertro_cli.mapping.jobs import TOO_LONG
from convertro_cli.mapping.rules import Wire
from convertro_cli.mapping.wire import LONGEST_URL, build_url, endpoint

Fields = Mapping[str, Any]
"""A call as in a dry run's line, from ``mode`` to ``url``: all but its source and message id."""

_LONGEST_ENCODED = 12
"""Characters that one character takes in a URL at most: four bytes, each as ``%XX``."""

_NAMES_AND_NUMBERS = 1000
"""Characters that the parameters' own names, a value and a time take in a URL at most."""


class ShownCall:
    """One call on one side. What is not needed of its line in a dry run is never made."""

    __slots__ = ("_described", "_fields", "_sendable", "_url", "call", "wire")

    def __init__(
        self, call: Call | None = None, wire: Wire | None = None, fields: Fields | None = None
    ) -> None:
        """Take a call with the wire that it goes over, or the fields of a dry run's line."""
        self.call = call
        self.wire = wire
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
    def address(self) -> str:
        """The URL up to its parameters."""
        if self.call is None or self.wire is None:
            return str(self.fields.get("url", "")).partition("?")[0]
        return self.wire.targets[endpoint(self.call)]

    @property
    def url(self) -> str:
        """The URL of its request, however long."""
        if self._url is None:
            assert self.call is not None
            assert self.wire is not None
            self._url = build_url(self.call, self.wire)
        return self._url

    @property
    def is_sendable(self) -> bool:
        """Whether its URL is short enough to be sent."""
        if self._sendable is None:
            if self.call is None:
                self._sendable = "failed" not in self.fields
            else:
                self._sendable = self._is_surely_short(self.call) or len(self.url) <= LONGEST_URL
        return self._sendable

    def _is_surely_short(self, call: Call) -> bool:
        """Whether the URL is short enough even if every character of it must be encoded."""
        if call.traits or self.wire is None or self.wire.names:
            return False  # nobody knows how long these are
        texts = (
            call.visitor_id,
            call.device_id,
            call.user_id,
            call.event_type,
            call.event_id,
            call.page,
            call.referrer,
            call.ip,
            call.user_agent,
        )
        size = sum([len(text) for text in texts if text])
        fixed = len(self.address) + _NAMES_AND_NUMBERS
        return _LONGEST_ENCODED * size + fixed <= LONGEST_URL
