"""Whether a call's request is short enough to be sent, mostly without writing it."""

from __future__ import annotations

from convertro_cli.mapping.calls import Call
from convertro_cli.mapping.rules import Wire
from convertro_cli.mapping.wire import LONGEST_URL, PARAMETERS, build_url, endpoint

_ASCII_EXPANDS = 3  # %2F
_TEXT_EXPANDS = 12  # four bytes of UTF-8
_NUMBERS = 400  # a value written plainly has up to 350 digits; a time and a hash have far less


class UrlLimit:
    """Tells the calls that are sent from those whose URL is too long for it."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._room = {
            kind: LONGEST_URL - _NUMBERS - len(target) - _length_of_names(kind, wire)
            for kind, target in wire.targets.items()
        }

    def allows(self, call: Call) -> bool:
        """Whether a call's URL is no longer than what is sent; exact, if only mostly measured."""
        return self._surely_allows(call) or len(build_url(call, self.wire)) <= LONGEST_URL

    def _surely_allows(self, call: Call) -> bool:
        # What is None counts as four letters here: that only makes it less sure.
        text = (
            f"{call.visitor_id}{call.device_id}{call.user_id}{call.event_type}{call.event_id}"
            f"{call.page}{call.referrer}{call.ip}{call.user_agent}"
        )
        for name, value in (call.traits or {}).items():
            if not isinstance(value, str):
                return False
            text += f"{name}{value}&="
        expands = _ASCII_EXPANDS if text.isascii() else _TEXT_EXPANDS
        return expands * len(text) <= self._room[endpoint(call)]


def _length_of_names(kind: str, wire: Wire) -> int:
    """Give the length of all that a query has besides its values."""
    return sum(len(wire.names.get(name, name)) + 2 for name in PARAMETERS[kind])
