"""Messages, rules and outcomes, made short to write in a table of cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from convertro_cli.mapping.calls import Call, Invalid, Mapped
from convertro_cli.mapping.dry_run import describe_call
from convertro_cli.mapping.jobs import MappedBatch
from convertro_cli.mapping.message import map_message
from convertro_cli.mapping.rules import Rules, Selection
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import check
from convertro_cli.settings.model import Settings

TIME = "2024-03-01T10:20:30.500Z"
SECONDS = 1709288430

WEB_CONTEXT = {
    "library": {"name": "analytics.js", "version": "2.11.1"},
    "ip": "203.0.113.9",
    "userAgent": "Mozilla/5.0",
    "page": {"url": "https://shop.example.com/x?y=1", "referrer": "https://www.example.org/"},
}
CLOUD_CONTEXT = {
    "library": {"name": "analytics-ios"},
    "device": {"id": "D-1"},
    "ip": "198.51.100.7",
    "userAgent": "Shop/1.0",
}

Message = dict[str, Any]
Tables = dict[str, Any]


def settings_of(tables: Tables) -> Settings:
    """Check tables of a convertro.toml, which must be sound."""
    settings, faults = check(tables, folder=Path())
    assert settings is not None
    assert not faults
    return settings


def make_rules(
    *,
    events: Tables | None = None,
    mapping: Tables | None = None,
    convertro: Tables | None = None,
    wire: Tables | None = None,
    selection: Selection | None = None,
    **others: Any,
) -> Rules:
    """Compile rules for an account that has all cloud settings, unless told otherwise.

    ``others`` are more tables of the settings.
    """
    account = {
        "account": "acme",
        "client_name": "acme-inc",
        "site_id": "7",
        "domain": "https://shop.example.com",
    }
    tables = {
        "convertro": account | (convertro or {}),
        "events": events or {},
        "mapping": mapping or {},
        "wire": wire or {},
        **others,
    }
    return compile_rules(settings_of(tables), selection)


def web_message(message_type: str, **fields: Any) -> Message:
    """A message as analytics.js sends it. A field of None is left out."""
    return _message(message_type, WEB_CONTEXT, fields)


def cloud_message(message_type: str, **fields: Any) -> Message:
    """A message as a mobile library sends it. A field of None is left out."""
    return _message(message_type, CLOUD_CONTEXT, fields)


def outcome_of(message: Message, rules: Rules) -> str | list[Message]:
    """Map a message: its calls as a dry run shows them, or the name of the reason for none."""
    outcome = map_message(message, rules)
    if isinstance(outcome, Mapped):
        return calls_of(message, rules)
    kind = "invalid" if isinstance(outcome, Invalid) else "skip"
    return f"{kind} {outcome.reason}"


def calls_of(message: Message, rules: Rules) -> list[Message]:
    """Map a message that yields calls, and give them as a dry run shows them."""
    outcome = map_message(message, rules)
    assert isinstance(outcome, Mapped)
    return [shown(call) for call in outcome.calls]


def only_call(message: Message, rules: Rules) -> Message:
    """Map a message that yields one call, and give it as a dry run shows it."""
    (call,) = calls_of(message, rules)
    return call


def shown(call: Call) -> Message:
    """Give a call as a dry run shows it."""
    fields: Message = {}
    describe_call(call, fields)
    return fields


def types_of(message: Message, rules: Rules) -> str | list[str]:
    """Map a track: the event types of its calls, or the name of the reason for none."""
    outcome = outcome_of(message, rules)
    return outcome if isinstance(outcome, str) else [call["event_type"] for call in outcome]


def _message(message_type: str, context: Message, fields: Message) -> Message:
    message = {
        "type": message_type,
        "messageId": "m1",
        "anonymousId": "anon-1",
        "userId": "u1",
        "timestamp": TIME,
        "context": context,
    }
    return {key: value for key, value in (message | fields).items() if value is not None}


class Request(NamedTuple):
    """A call ready to go, with names for its parts."""

    key: bytes
    url: str
    event_type: str
    value: str
    fault: str
    order: bytes


class Ready(NamedTuple):
    """A message ready to go, with names for its parts."""

    number: int
    start: int
    end: int
    calls: list[Request]
    original: bytes | None
    source: str | None


def ready_messages(batch: MappedBatch) -> list[Ready]:
    """The messages of a batch that have calls."""
    return [
        Ready(number, start, end, [Request(*call) for call in calls], original, source)
        for number, start, end, calls, original, source, _ in batch.messages
    ]
