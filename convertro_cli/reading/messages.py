"""What a message looks like from outside, and what messages come wrapped in.

It is the one thing that reading knows of Segment, and it stands here alone. Without it a file
that is something else (rows of a table, another tool's records) would be taken for messages that
are all wrong, and every line of it become a dead letter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from convertro_cli.reading.batch import MAX_LINE
from convertro_cli.reading.nesting import BLANK, members_of, parts_of

_TYPES = frozenset({"identify", "track", "page", "screen", "group", "alias"})
_LETTER_START = b'{"reason":'
_LETTER_BODIES = frozenset({"event", "line", "line_base64"})
_RECORD_TYPES = frozenset({"RECORD", "SCHEMA", "STATE", "ACTIVATE_VERSION", "LOG", "TRACE"})
_RECORD_BODIES = frozenset({"record", "schema", "value", "state", "stream", "log", "trace"})

# A line that does not begin as most messages do: an array, or an object with another first key.
_UNUSUAL = rb'(?:\[|[ \t\r]|\{(?!"(?:type|anonymousId|messageId|event|channel|properties|traits)"))'
_BEGINS_UNUSUALLY = re.compile(_UNUSUAL)
_UNUSUAL_LINE = re.compile(rb"\n" + _UNUSUAL)

# How a batch of messages begins.
_BATCH = b'"batch"'
_ARRAY_LINE = re.compile(rb"(?:\A|\n)[ \t\r]*\[")
_BATCH_OF = re.compile(rb'"batch"[ \t\r\n]*:[ \t\r\n]*\[')
_EMPTY = frozenset({b"null", b"{}"})


def is_message(line: bytes) -> bool:
    """Whether a line is a message of Segment, sound or not: an object with a string ``type``.

    So is a message of before 2014, which has an ``action`` for it, and a dead letter of ours.
    """
    if len(line) > MAX_LINE and not line.startswith(_LETTER_START):
        return False
    value = parse(line)
    return isinstance(value, dict) and looks_like_message(value)


def looks_like_message(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object is a message, or a dead letter with one in it."""
    kind = value.get("type", value.get("action"))
    if isinstance(kind, str):
        return not (_is_record(kind, value) or _is_logstash(value))
    return isinstance(value.get("source"), str) and (
        "reason" in value and not _LETTER_BODIES.isdisjoint(value)
    )


def is_certain_message(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object is a message and could be nothing else, by Segment's own types."""
    kind = value.get("type", value.get("action"))
    return isinstance(kind, str) and kind.lower() in _TYPES


def messages_in(line: bytes) -> list[bytes] | None:
    """The messages of a line that is an array of objects, or a batch; None for any other line.

    A batch is the body of Segment's batch call, ``{"batch":[…]}``, or has that as its
    ``payload``, as in RudderStack's archive. One with a context or integrations of its own is
    left as it is: they hold for each of its messages, and a message cut out would be without
    the consent or the refusal that stands there.
    """
    line = line.strip(BLANK)
    if line.startswith(b"["):
        parts = parts_of(line, b"]")
        return parts if parts and parts[0].startswith(b"{") else None
    if not line.startswith(b"{") or not _BATCH_OF.search(line):
        return None
    members = members_of(line) or {}
    if b'"payload"' in members:
        members = members_of(members[b'"payload"']) or {}
    batch = members.get(_BATCH, b"")
    if not batch.startswith(b"[") or _has_more(members):
        return None
    return parts_of(batch, b"]")


def may_have_messages_in(data: bytes) -> bool:
    """Whether ``messages_in`` could be anything for one of these lines.

    To look at how each line begins takes a third of the time of a search through all of it.
    """
    if not (_BEGINS_UNUSUALLY.match(data) or _UNUSUAL_LINE.search(data)):
        return False
    if _BATCH in data and _BATCH_OF.search(data):
        return True
    return _ARRAY_LINE.search(data) is not None


def begins_batch(text: bytes) -> bool:
    """Whether a line that is not all there could be a batch."""
    return _BATCH_OF.search(text) is not None


def parse(line: bytes) -> Any:
    """A line as JSON, None where it is none; lone surrogates and endless numbers are let pass."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _has_more(members: Mapping[bytes, bytes]) -> bool:
    """Whether a batch is itself a message, or has more to say of its messages."""
    if b'"type"' in members or b'"action"' in members:
        return True
    shared = (members.get(b'"context"', b"null"), members.get(b'"integrations"', b"null"))
    return not _EMPTY.issuperset(shared)


def _is_record(kind: str, value: Mapping[str, Any]) -> bool:
    """Whether it is a record of Singer or Airbyte, which have a ``type`` of their own."""
    return kind in _RECORD_TYPES and not _RECORD_BODIES.isdisjoint(value)


def _is_logstash(value: Mapping[str, Any]) -> bool:
    return "@timestamp" in value and "@version" in value
