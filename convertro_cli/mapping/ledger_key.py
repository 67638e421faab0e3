"""The key under which the ledger knows a call, and a cheaper one that is good for one run."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from math import inf
from struct import Struct
from typing import Any

import orjson

from convertro_cli.mapping.calls import Call
from convertro_cli.mapping.orders import find_order_id
from convertro_cli.segment.ids import EXACT_BELOW, InexactNumberError, plain_number, read_id
from convertro_cli.segment.json_text import read_json_exactly, write_to_compare
from convertro_cli.segment.old_exports import read_old_message

KEY_BYTES = 16

MessageIdentity = tuple[str | None, str]
"""What makes a message itself: its id, None where it has none, and all that tells it apart."""

Parts = tuple[str | None, str, str]
"""Of what an identity is made: the message's id, its time and its order id, empty without.

Without an id that is None, and a digest of the message takes the place of the time.
"""

_pack = Struct("qq").pack
_OTHER_TIMES = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")


def scope(base_url: str, name: str, site_id: str) -> bytes:
    """Give the part of the key that says where a call goes: one account at one address."""
    parts = [part.encode() for part in (base_url, name, site_id)]
    return b"".join(b"%d:%s" % (len(part), part) for part in parts)


def message_identity(message: Mapping[str, Any], line: bytes) -> MessageIdentity:
    """Give the identity of a message as it stands in its export, before anything changed it.

    It is the message id together with the time and the order id: libraries of all kinds have
    sent different messages under one id, such as ``undefined``, while a copy of a message has
    the same of all three. The time is ``timestamp``, which Segment writes into every message,
    and without it the first that is there of ``originalTimestamp``, ``sentAt`` and
    ``receivedAt``: those that were set earlier are less likely to differ from copy to copy.

    Without an id it is a digest of the message with its keys sorted, so that it outlives a
    re-formatted export; where the message is nested too deep to be written, of its line.

    All of it is of the message with every digit, so that it does not depend on whether its calls
    took an exact reading, which other settings may need and these not.
    """
    return identity_of(message_parts(message, line))


def identity_of(parts: Parts) -> MessageIdentity:
    """Put the parts of a message's identity into one text."""
    message_id, time, order_id = parts
    if message_id is None:
        return None, time
    # Each length keeps a part of any content from running into the next one.
    return message_id, f"{len(message_id)}:{message_id}{len(time)}:{time}{order_id}"


def message_parts(message: Mapping[str, Any], line: bytes) -> Parts:
    """Give the parts of a message's identity, as ``message_identity`` has it."""
    try:
        return _parts(message, line)
    except InexactNumberError:
        return _parts(read_json_exactly(line), line)


def _parts(message: Mapping[str, Any], line: bytes) -> Parts:
    message_id = message.get("messageId")
    if type(message_id) is not str or not message_id.strip():  # it nearly always is one
        message_id = read_id(message_id)
    if message_id is None:
        return None, f"digest:{_digest(read_old_message(message), line)}", ""
    time = message.get("timestamp")
    if type(time) is not str or not time:
        time = _time_text(message, line)
    properties = message.get("properties")
    order_id = find_order_id(properties) if type(properties) is dict else None
    return message_id, time, order_id or ""


def ledger_key(where: bytes, identity: str, call: Call) -> bytes:
    """Give the 128-bit key of a call: its target, message, kind and event type."""
    # The length of the only part of any content keeps two calls from sharing a key.
    content = f"{len(identity)}:{identity}{call.kind}:{call.event_type or ''}"
    return blake2b(where + content.encode(), digest_size=KEY_BYTES).digest()


def run_key(where: bytes, parts: Parts, call: Call) -> bytes:
    """Give a key that tells a call from all others of a run, for a fourth of the time.

    It is made of Python's own hashes, which processes share only if they were started with the
    same seed, as the workers of a run are. That two calls have it in common by chance is less
    likely than one in 2**63 for two that look alike, and than one in 2**126 for most. Before Python
    3.12 the hash of None is another one in each process, so there is none in what is hashed.
    """
    known_by = parts if parts[0] is not None else parts[1:]
    call_hash = hash((where, known_by, call.kind, call.event_type or ""))
    return _pack(call_hash, hash(parts[0] or parts[1]))


def hash_parts(parts: Parts) -> int:
    """Give Python's own hash of a message's identity, alike in all the workers of a run.

    None is not hashed: before Python 3.12 its hash is its address, which differs by process.
    """
    return hash(parts) if parts[0] is not None else hash(parts[1:])


def order_key(where: bytes, call: Call) -> bytes:
    """Give the 128-bit key of an order under one event type, whichever message brings it.

    Empty where the call is of no order, or of one without an id. It is no call's key: the
    target is followed by a word here, and by a number there.
    """
    if call.order_id is None:
        return b""
    content = f"order:{len(call.order_id)}:{call.order_id}{call.event_type or ''}"
    return blake2b(where + content.encode(), digest_size=KEY_BYTES).digest()


def _digest(value: Any, line: bytes) -> str:
    try:
        content = write_to_compare(value)
    except orjson.JSONEncodeError:
        content = line
    return blake2b(content, digest_size=KEY_BYTES).hexdigest()


def _time_text(message: Mapping[str, Any], line: bytes) -> str:
    """Give the first time that is there, as text; empty where there is none."""
    for key in _OTHER_TIMES:
        value = message.get(key)
        if isinstance(value, str):
            if value:
                return value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            if isinstance(value, float) and EXACT_BELOW <= abs(value) < inf:
                raise InexactNumberError
            return plain_number(value)
        elif value is not None:  # no time, but it tells two messages apart
            return f"digest:{_digest(value, line)}"
    return ""
