"""Rules that have every gate, for the messages of ``strategies``."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from convertro_cli.mapping.rules import Rules, Selection
from convertro_cli.settings.compile import compile_rules
from tests.mapping.messages import settings_of


def _filter(user_id: str, **actions: Any) -> dict[str, Any]:
    return {"title": f"No {user_id}", "if": f'userId = "{user_id}"', **actions}


GATED_TABLES: dict[str, Any] = {
    "convertro": {
        "account": "acme",
        "client_name": "acme-inc",
        "site_id": "7",
        "domain": "https://shop.example.com",
    },
    "events": {"Signed Up": ["signup", "lead"]},
    "consent": {"categories": ["Advertising"], "without": "skip"},
    "schema": {"disabled_events": ["Test Event"]},
    "filters": [
        _filter("dropped", actions=[{"type": "DROP"}]),
        _filter("sampled", actions=[{"type": "SAMPLE", "percent": 0}]),
        _filter("nobody", actions=[{"type": "DROP_PROPERTIES", "fields": {"": ["event"]}}]),
    ],
    "transformations": [_filter("transformed", drop=True)],
}


def gated_rules(**tables: Any) -> Rules:
    """Rules with every gate set, and these tables in place of those above."""
    rules = compile_rules(settings_of(GATED_TABLES | tables), Selection(since=1_100_000_000))
    return replace(rules, suppressed=frozenset({"suppressed"}))


GATED = gated_rules()
