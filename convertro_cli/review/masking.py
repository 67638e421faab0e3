"""Personal data in what people are shown: in full, masked, or not at all.

A masked id keeps just enough to tell two of them apart beside each other (``u…7f``), a masked
e-mail address also where its parts are (``j…@e….com``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct

from convertro_cli.segment.ids import plain_number

Show = Literal["full", "masked", "none"]
"""How much of personal data to show."""

HIDDEN = "…"
"""What stands for that which is not shown."""

ID_FIELDS = frozenset({"device_id", "user_id", "event_id", "message_id"})
"""The fields of a dry run's line that hold an id; a default event id has the visitor's in it."""

_PLAIN_FIELDS = ("event_type", "event_value", "timestamp")
_PLAIN_PARAMETERS = frozenset({"typ", "val", "ts", "event_type", "event_value"})
_PAGES = frozenset({"pag", "ref"})
_LONGEST_DOMAIN_END = 6
_LONG_ENOUGH_FOR_AN_END = 8
_LONG_ENOUGH_FOR_A_START = 4


class Masking(Struct, frozen=True):
    """Shows personal data only as far as ``show`` allows."""

    show: Show

    def text(self, text: str) -> str:
        """Show an id, or any other text that could tell who somebody is."""
        if self.show == "full":
            return text
        return mask(text) if self.show == "masked" else HIDDEN

    def value(self, value: Any) -> Any:
        """Show a JSON value: a trait, a property. Masked, a number or an object is only hinted."""
        if self.show == "full" or value is None:
            return value
        return self.text(value) if isinstance(value, str) else HIDDEN

    def parameter(self, name: str, value: str, plain: Collection[str] = ()) -> str:
        """Show a parameter of a request. ``plain`` has the call's own type, value and time.

        Those are shown; but a parameter can be renamed and a trait can have any name, so it
        takes both the name and the value to tell them. Of a page or a referrer the host is
        left: the rest of an address can name anybody.
        """
        if self.show == "full" or (name in _PLAIN_PARAMETERS and value in plain):
            return value
        if self.show == "masked" and name in _PAGES:
            return _host_alone(value)
        return self.text(value)

    def url(self, url: str, plain: Collection[str] = ()) -> str:
        """Show a request's URL, its parameters masked one by one."""
        if self.show == "full":
            return url
        address, mark, query = url.partition("?")
        shown = []
        for part in query.split("&") if query else ():
            name, equals, value = part.partition("=")
            kept = self.parameter(unquote(name), unquote(value), plain)
            shown.append(name + equals + HIDDEN.join(quote(bit, "") for bit in kept.split(HIDDEN)))
        return address + mark + "&".join(shown)

    def call(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Show the fields of a dry run's line."""
        if self.show == "full":
            return dict(fields)
        plain = plain_values(fields)
        return {name: self._field(name, value, plain) for name, value in fields.items()}

    def _field(self, name: str, value: Any, plain: Collection[str]) -> Any:
        if name in ID_FIELDS:
            return self.value(value)
        if name == "traits" and isinstance(value, dict):
            return {trait: self.value(content) for trait, content in value.items()}
        if name == "url" and isinstance(value, str):
            return self.url(value, plain)
        return value


def plain_values(fields: Mapping[str, Any]) -> frozenset[str]:
    """Give a call's type, value and time, as its request has them."""
    values = (fields.get(name) for name in _PLAIN_FIELDS)
    return frozenset(
        plain_number(value) if isinstance(value, int | float) else str(value)
        for value in values
        if value is not None
    )


def mask(text: str) -> str:
    """Mask an id (``u…7f``) or an e-mail address (``j…@e….com``); of a short one less is left."""
    name, at, host = text.rpartition("@")
    if not (at and name and host):
        return _mask_word(text)
    host, _, end = host.rpartition(".")
    if not host or len(end) > _LONGEST_DOMAIN_END:
        return f"{name[0]}{HIDDEN}@{HIDDEN}"
    return f"{name[0]}{HIDDEN}@{host[0]}{HIDDEN}.{end}"


def _mask_word(text: str) -> str:
    start = text[0] if len(text) >= _LONG_ENOUGH_FOR_A_START else ""
    end = text[-2:] if len(text) >= _LONG_ENOUGH_FOR_AN_END else ""
    return start + HIDDEN + end


def _host_alone(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return mask(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return mask(address)
    alone = f"{parts.scheme}://{parts.hostname}"
    return address if address in {alone, f"{alone}/"} else f"{alone}/{HIDDEN}"
