"""The parameters of a call one by one, for whoever tells people of them."""

from __future__ import annotations

from urllib.parse import unquote

from convertro_cli.mapping.calls import Call
from convertro_cli.mapping.rules import Wire
from convertro_cli.mapping.wire import WRITTEN_FIELDS, endpoint, trait_text


def parameters(call: Call, wire: Wire) -> list[tuple[str, str]]:
    """Give the parameters of a call, under the names before any renaming, as they are sent."""
    fields = WRITTEN_FIELDS[wire.hash_email_ids, endpoint(call)]
    found = [
        (name, unquote(write(value)))
        for name, (_, write), value in zip(
            fields.names, fields.writers, fields.values(call), strict=True
        )
        if value is not None
    ]
    return found + [(name, trait_text(value)) for name, value in (call.traits or {}).items()]
