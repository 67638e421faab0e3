"""The key under which the ledger knows a call."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from convertro_cli.mapping.calls import Call
from convertro_cli.segment.ids import read_id

KEY_BYTES = 16


def scope(base_url: str, name: str, site_id: str) -> bytes:
    """Give the part of the key that says where a call goes: one account at one address."""
    parts = [part.encode() for part in (base_url, name, site_id)]
    return b"".join(b"%d:%s" % (len(part), part) for part in parts)


def message_identity(message: Mapping[str, Any], line: bytes) -> str:
    """Give the message id, or a digest of the message where there is none.

    The digest is of the message with its keys sorted, so that it outlives a re-formatted
    export; where the message is nested too deep to be written, of its line.
    """
    message_id = read_id(message.get("messageId"))
    if message_id is not None:
        return message_id
    try:
        content = orjson.dumps(message, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        content = line
    return "digest:" + blake2b(content, digest_size=KEY_BYTES).hexdigest()


def ledger_key(where: bytes, identity: str, call: Call) -> bytes:
    """Give the 128-bit key of a call: its target, message, kind and event type."""
    # The length of the only part of any content keeps two calls from sharing a key.
    content = f"{len(identity)}:{identity}{call.kind}:{call.event_type or ''}"
    return blake2b(where + content.encode(), digest_size=KEY_BYTES).digest()
