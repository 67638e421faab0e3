"""Which transport carries the calls."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from convertro_cli.delivery.transport import Transport, TransportOptions
from convertro_cli.errors import ConvertroError

Setting = Literal["auto", "curl", "requests"]


def resolve_transport(setting: Setting) -> Literal["curl", "requests"]:
    """Say which transport a setting means on this machine: curl where pycurl is installed."""
    has_curl = find_spec("pycurl") is not None
    if setting == "curl" and not has_curl:
        raise ConvertroError(
            'delivery.transport is "curl", but pycurl is not installed.',
            hint='pip install \'convertro[curl]\', or set transport to "auto" or "requests".',
        )
    return "curl" if has_curl and setting != "requests" else "requests"


def open_transport(setting: Setting, options: TransportOptions) -> Transport:
    """Open the transport that a setting means. Only that one's library is imported."""
    if resolve_transport(setting) == "curl":
        from convertro_cli.delivery.curl_transport import CurlTransport

        return CurlTransport(options)
    from convertro_cli.delivery.requests_transport import RequestsTransport

    return RequestsTransport(options)
