"""From a call to its request: a GET whose URL says it all.

Convertro published no reference for this interface. The paths and parameters are what public
code that talked to it used, and every one of them can be set otherwise in ``[wire]``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import isinf
from operator import itemgetter
from string import ascii_letters, digits
from typing import Any, NamedTuple

import orjson

from convertro_cli.mapping.calls import Call, MappingWarning
from convertro_cli.mapping.rules import Wire
from convertro_cli.segment.ids import EXACT_BELOW, InexactNumberError, plain_number
from convertro_cli.segment.json_text import write_json

LONGEST_URL = 8000
"""Longer requests are not sent: servers and proxies commonly refuse lines beyond 8 KiB."""

PARAMETERS = {
    "web_event": ("sid", "eid", "typ", "val", "pag", "ref", "cip", "cua", "ts"),
    "web_user": ("sid", "id", "pag", "ref", "cip", "cua", "ts"),
    "cloud_event": (
        "device_id",
        "user_id",
        "event_type",
        "event_value",
        "eid",
        "pag",
        "cip",
        "cua",
        "ts",
    ),
    "cloud_user": ("device_id", "user_id", "pag", "cip", "cua", "ts"),
    "install": ("device_id", "user_id", "pag", "cip", "cua", "ts"),
}

FIELDS = {
    "sid": "visitor_id",
    "eid": "event_id",
    "typ": "event_type",
    "val": "event_value",
    "id": "user_id",
    "pag": "page",
    "ref": "referrer",
    "cip": "ip",
    "cua": "user_agent",
    "ts": "timestamp",
    "device_id": "device_id",
    "user_id": "user_id",
    "event_type": "event_type",
    "event_value": "event_value",
}
"""The field of a call that each parameter has the value of, under their names before renaming."""

_ENDPOINTS: dict[tuple[Any, ...], str] = {
    ("web", "event"): "web_event",
    ("web", "user"): "web_user",
    ("cloud", "event"): "cloud_event",
    ("cloud", "user"): "cloud_user",
    ("web", "install"): "install",
    ("cloud", "install"): "install",
}
_PLAIN = (ascii_letters + digits + "-._~").encode()
_WRITTEN = [chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in range(256)]
_REMEMBERED_LENGTH = 512
_MOST_REMEMBERED = 4096


def endpoint(call: Call) -> str:
    """Name the endpoint that a call goes to: a key of ``PARAMETERS``."""
    return _ENDPOINTS[call[:2]]


def build_url(call: Call, wire: Wire) -> str:
    """Give the whole URL of a call's request. A parameter without a value is left out.

    Names need no encoding: the settings take only plain ones, and so are those of the traits
    that are sent.
    """
    where = _ENDPOINTS[call[:2]]
    names, writers, values = WRITTEN_FIELDS[wire.hash_email_ids, where]
    if wire.names:
        writers = _renamed(names, writers, wire)
    parts = [
        start + write(value)
        for (start, write), value in zip(writers, values(call))  # noqa: B905 - time counts
        if value is not None
    ]
    if call.traits:
        parts += [f"&{name}={encode(trait_text(value))}" for name, value in call.traits.items()]
    return f"{wire.targets[where]}?{''.join(parts)[1:]}"


def wire_user_id(user_id: str, *, hash_email_ids: bool) -> str:
    """Give a user id as Convertro's tag sends it: one that looks like an e-mail is hashed.

    The hash is the tag's own: n = 5381, then (33 n + c) mod 2**32 for each UTF-16 code unit c.
    """
    if not hash_email_ids or user_id.find("@", 1) < 0:
        return user_id
    units = user_id.encode("utf-16-le")
    hashed = 5381
    for low, high in zip(units[::2], units[1::2], strict=True):
        hashed = (33 * hashed + (high << 8 | low)) & 0xFFFFFFFF
    return f"hashed-{hashed}"


def trait_text(value: Any) -> str:
    """Write a trait as the tag does: a string as it is, a number plainly, the rest as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return plain_number(value)
    return write_json(value).decode()


def find_trait_faults(traits: Mapping[str, Any], wire: Wire) -> dict[str, MappingWarning]:
    """Name the traits that a request cannot carry, and why.

    These are names with anything but word characters, names that are already parameters of the
    call, values nested deeper than JSON writers go, and numbers beyond the floats. Raises
    InexactNumberError where the digits of a number were lost in reading.
    """
    taken = _names_on_user_call(tuple(wire.names.items()))
    return {
        name: fault
        for name, value in traits.items()
        if (fault := _trait_fault(name, value, taken)) is not None
    }


@lru_cache(maxsize=8)
def _names_on_user_call(renamed: tuple[tuple[str, str], ...]) -> frozenset[str]:
    names = dict(renamed)
    return frozenset(names.get(name, name) for name in PARAMETERS["web_user"])


def _trait_fault(name: str, value: Any, taken: frozenset[str]) -> MappingWarning | None:
    if name in taken:
        return MappingWarning.TRAIT_NAME_TAKEN
    if not (name.isascii() and name.replace("_", "0").isalnum()):
        return MappingWarning.TRAIT_NAME_UNSUPPORTED
    if isinstance(value, dict | list):
        try:
            write_json({"traits": {name: value}})
        except orjson.JSONEncodeError:
            return MappingWarning.TRAIT_TOO_DEEP
    elif isinstance(value, float) and abs(value) >= EXACT_BELOW:
        if isinf(value):
            return MappingWarning.TRAIT_TOO_LARGE
        raise InexactNumberError
    return None


def encode(text: str) -> str:
    """Percent-encode as UTF-8 everything but letters, digits and ``-._~``."""
    content = text.encode()
    if not content.translate(None, _PLAIN):  # as most ids are: there is nothing to encode
        return text
    return "".join([_WRITTEN[byte] for byte in content])  # takes 40 % of urllib's quote


class _Encoded(dict[str, str]):
    """Values that come again and again (pages, browsers, event types), each encoded once.

    What is kept is bounded, so that an export of endless values cannot fill the memory.
    """

    def __missing__(self, text: str) -> str:
        encoded = encode(text)
        if len(text) <= _REMEMBERED_LENGTH:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[text] = encoded
        return encoded


encode_common = _Encoded().__getitem__
"""``encode``, for values that come again and again."""


def _hashed_id(user_id: str) -> str:
    return encode(wire_user_id(user_id, hash_email_ids=True))


_Writer = tuple[str, Callable[[Any], str]]
"""How a parameter begins, and how its value is written."""


class WrittenFields(NamedTuple):
    """An endpoint's parameters; ``values`` gives what a call has for each, in their order."""

    names: tuple[str, ...]
    writers: tuple[_Writer, ...]
    values: Callable[[Call], tuple[Any, ...]]


def _renamed(names: Sequence[str], writers: Sequence[_Writer], wire: Wire) -> tuple[_Writer, ...]:
    pairs = zip(names, writers, strict=True)
    return tuple((f"&{wire.names.get(name, name)}=", write) for name, (_, write) in pairs)


def _fields(names: Sequence[str], write_id: Callable[[str], str]) -> WrittenFields:
    writers: dict[str, Callable[[Any], str]] = {
        "visitor_id": encode,
        "event_id": encode,
        "event_type": encode_common,
        "event_value": plain_number,
        "page": encode_common,
        "referrer": encode_common,
        "ip": encode_common,
        "user_agent": encode_common,
        "timestamp": str,
        "device_id": encode,
        "user_id": encode,
    }
    own = {"id": write_id}
    return WrittenFields(
        tuple(names),
        tuple((f"&{name}=", own.get(name) or writers[FIELDS[name]]) for name in names),
        itemgetter(*(Call._fields.index(FIELDS[name]) for name in names)),
    )


WRITTEN_FIELDS = {
    (hashes, where): _fields(names, write_id)
    for hashes, write_id in ((True, _hashed_id), (False, encode))
    for where, names in PARAMETERS.items()
}
"""The parameters of each endpoint, by whether the ids that are e-mails are hashed."""
