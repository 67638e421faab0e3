"""All that is to be said of one message: its way, its outcome, its calls, and its remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from convertro_cli.errors import ConvertroError
from convertro_cli.mapping.calls import Call, Invalid, Mapped
from convertro_cli.mapping.dry_run import describe_call
from convertro_cli.mapping.jobs import TOO_LONG, calls_of, ready_message
from convertro_cli.mapping.lines import MappedLine
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.trail import Notes
from convertro_cli.mapping.wire import FIELDS, endpoint, parameters
from convertro_cli.record.backends import look_up_calls
from convertro_cli.record.lookup import CallRecord
from convertro_cli.review.explain.find import FoundLine
from convertro_cli.review.explain.proposals import MENDING
from convertro_cli.review.explain.remedy import Remedy, Situation, find_remedies, why_not_sent
from convertro_cli.review.explain.steps import Step
from convertro_cli.review.explain.words import put_into_words
from convertro_cli.segment.ids import read_id
from convertro_cli.settings.load import LoadedSettings

MEANINGS = {
    "sid": "the visitor's id",
    "eid": "the event's id",
    "typ": "the event's type",
    "val": "the event's value",
    "id": "the user's id",
    "pag": "the page's address",
    "ref": "the referrer",
    "cip": "the visitor's IP address",
    "cua": "the visitor's user agent",
    "ts": "the time in Unix seconds",
    "device_id": "the device's id",
    "user_id": "the user's id",
    "event_type": "the event's type",
    "event_value": "the event's value",
}
"""What the parameters of a request mean, under their names before any renaming."""


class Parameter(NamedTuple):
    """A parameter of a request: its name and value as sent, what it means, where it is from."""

    name: str
    value: str
    meaning: str
    source: str


class ExplainedCall(NamedTuple):
    """A call, its request, and what the ledger has of it; ``fault`` says why it cannot be sent.

    ``fields`` are those of a dry run's line, ``settings`` the keys that made the address.
    """

    fields: dict[str, Any]
    url: str
    parameters: list[Parameter]
    settings: tuple[str, ...]
    fault: str
    record: CallRecord | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """One message explained. ``reason`` is None where all its calls are sent.

    ``ledger_fault`` says why the ledger could not be asked, ``no_ledger`` that there is none.
    """

    place: str
    first_place: str | None
    message_id: str | None
    steps: list[Step]
    outcome: str
    reason: str | None
    detail: str | None
    calls: list[ExplainedCall]
    warnings: list[str]
    remedies: list[Remedy]
    mending: str | None
    no_ledger: bool
    ledger_fault: str | None


def explain(found: FoundLine, loaded: LoadedSettings, rules: Rules) -> Explanation | None:
    """Explain a line; None where it is blank. ``rules`` are made of the settings and filters."""
    trail = Notes()
    line = found.mapped(rules, trail)
    if line is None:
        return None
    told = put_into_words(trail.notes, rules)
    if line.message is None and isinstance(line.outcome, Invalid):
        reason_of_line = line.outcome.reason.value
        told.steps.append(Step("line", "stopped", line.outcome.detail, reason=reason_of_line))
    calls, no_ledger, fault = _explain_calls(found, line, loaded, rules, told.sources)
    reason = why_not_sent(line.outcome, rules)
    mending = MENDING.get(reason) if reason else None
    return Explanation(
        place=found.place,
        first_place=line.dead_letter.source if line.dead_letter else None,
        message_id=read_id((line.message or {}).get("messageId")),
        steps=told.steps,
        outcome=_outcome(line, reason),
        reason=reason,
        detail=line.outcome.detail if isinstance(line.outcome, Invalid) else None,
        calls=calls,
        warnings=_warnings(line),
        remedies=_remedies(line, loaded, rules) if reason and mending is None else [],
        mending=mending,
        no_ledger=no_ledger,
        ledger_fault=fault,
    )


def _outcome(line: MappedLine, reason: str | None) -> str:
    if reason is None:
        return "mapped"
    if reason == TOO_LONG:
        return "failed"
    return "invalid" if isinstance(line.outcome, Invalid) else "skipped"


def _warnings(line: MappedLine) -> list[str]:
    if not isinstance(line.outcome, Mapped):
        return []
    return [warning.value for warning in line.outcome.warnings]


def _remedies(line: MappedLine, loaded: LoadedSettings, rules: Rules) -> list[Remedy]:
    if line.message is None:
        return []
    folder = loaded.file.parent
    return find_remedies(Situation(line.message, loaded.settings, rules, folder))


def _explain_calls(
    found: FoundLine,
    line: MappedLine,
    loaded: LoadedSettings,
    rules: Rules,
    sources: dict[str, str],
) -> tuple[list[ExplainedCall], bool, str | None]:
    if not isinstance(line.outcome, Mapped):
        return [], False, None
    ready = calls_of(ready_message(line, line.outcome, found.line, rules))
    records: dict[bytes, CallRecord] | None = {}
    fault = None
    try:
        records = look_up_calls(loaded.ledger, [key for key, *_ in ready])
    except ConvertroError as error:
        fault = error.message
    calls = [
        ExplainedCall(
            _fields(call),
            url,
            _parameters(call, rules, sources),
            _address_settings(call),
            fault_of_url,
            (records or {}).get(key),
        )
        for call, (key, url, *_, fault_of_url, _order) in zip(
            line.outcome.calls, ready, strict=True
        )
    ]
    return calls, records is None, fault


def _fields(call: Call) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    describe_call(call, fields)
    return fields


def _parameters(call: Call, rules: Rules, sources: dict[str, str]) -> list[Parameter]:
    sent = parameters(call, rules.wire)
    own = len(sent) - len(call.traits or {})  # traits come last, and may have any name
    return [
        Parameter(
            rules.wire.names.get(name, name),
            value,
            MEANINGS[name],
            sources.get(FIELDS[name], ""),
        )
        for name, value in sent[:own]
    ] + [
        Parameter(name, value, "a trait of the user", f"traits.{name}")
        for name, value in sent[own:]
    ]


def _address_settings(call: Call) -> tuple[str, ...]:
    name = "account" if call.mode == "web" else "client_name"
    return (
        "wire.base_url",
        f"wire.paths.{endpoint(call)}",
        f"convertro.{name}",
        "convertro.site_id",
    )
