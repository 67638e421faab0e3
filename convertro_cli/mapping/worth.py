"""What a message that a gate kept back would have been worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping.fields import as_object
from convertro_cli.mapping.modes import decide_mode
from convertro_cli.mapping.orders import find_amount
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.tracks import passes_unmapped


def worth_of(message: Mapping[str, Any], message_type: str, rules: Rules) -> int | float:
    """Give the readable amount of a message that would have been sent, 0 where it has none.

    Only what a gate kept back pays for this.
    """
    event = message.get("event")
    if message_type != "track" or not isinstance(event, str) or not event.strip():
        return 0
    name = rules.events.look_up(event)
    is_web = decide_mode(rules.mode, message_type, message) == "web"
    is_worthless = name.is_install and not is_web
    if is_worthless or not (name.is_order or name.targets or passes_unmapped(name, rules, is_web)):
        return 0
    properties = as_object(message.get("properties"))
    amount = find_amount(properties, looks_at_total=is_web or name.is_order)
    return 0 if amount is None else amount
