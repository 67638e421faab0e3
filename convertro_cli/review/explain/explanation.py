"""All that is to be said of one message: its way, its outcome, its calls, and its remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from msgspec import Struct

from convertro_cli.errors import ConvertroError
from convertro_cli.mapping.calls import Call, Invalid, Mapped
from convertro_cli.mapping.dry_run import describe_call
from convertro_cli.mapping.jobs import TOO_LONG, calls_of, ready_message
from convertro_cli.mapping.lines import MappedLine
from convertro_cli.mapping.parameters import parameters
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.trail import Notes
from convertro_cli.mapping.wire import FIELDS, endpoint
from convertro_cli.record.backends import look_up_calls
from convertro_cli.review.explain.changes import Situation
from convertro_cli.review.explain.find import FoundLine
from convertro_cli.review.explain.proposals import MENDING
from convertro_cli.review.explain.remedy import find_remedies, why_not_sent
from convertro_cli.review.explain.steps import ShownSetting, Step, Telling
from convertro_cli.review.explain.words import Told, put_into_words
from convertro_cli.review.masking import Masking, plain_values
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
    from_: str


class ExplainedCall(Struct, frozen=True):
    """A call as a dry run's ``line`` has it, and its request.

    ``fault`` says why it cannot be sent, ``address`` has the settings that made its address,
    ``ledger`` what became of it before, or why nothing of it is known.
    """

    line: Mapping[str, Any]
    fault: str | None
    detail: str | None
    parameters: Sequence[Parameter]
    address: Sequence[ShownSetting]
    ledger: Mapping[str, Any]

    SPREAD: ClassVar = {"line"}


class Explanation(Struct, frozen=True):
    """One message explained, with personal data only as far as it may be shown.

    ``first_source`` is where a dead letter was first met. ``reason`` is None where all calls are
    sent. ``mending`` says what is to be done where no change of a setting or a value would help.
    """

    source: str
    first_source: str | None
    message_id: str | None
    outcome: str
    reason: str | None
    detail: str | None
    steps: Sequence[Step]
    calls: Sequence[ExplainedCall]
    warnings: Sequence[str]
    remedies: Sequence[Sequence[Mapping[str, Any]]]
    mending: str | None


def explain(
    found: FoundLine, loaded: LoadedSettings, rules: Rules, masking: Masking
) -> Explanation | None:
    """Explain a line; None where it is blank. ``rules`` are made of the settings and filters."""
    trail = Notes()
    line = found.mapped(rules, trail)
    if line is None:
        return None
    telling = Telling(rules, loaded, masking)
    told, outcome = put_into_words(trail.notes, telling), line.outcome
    detail = outcome.detail if isinstance(outcome, Invalid) else None
    reason = why_not_sent(outcome, rules)
    if line.message is None and detail is not None:
        told.steps.append(Step("line", "stopped", "", detail, reason, ()))
    mending = MENDING.get(reason) if reason else None
    return Explanation(
        source=found.place,
        first_source=line.dead_letter.source if line.dead_letter else None,
        message_id=masking.value(read_id((line.message or {}).get("messageId"))),
        outcome=_outcome(line, reason),
        reason=reason,
        detail=detail,
        steps=told.steps,
        calls=list(_explain_calls(found, line, telling, told)),
        warnings=[each.value for each in outcome.warnings] if isinstance(outcome, Mapped) else [],
        remedies=_remedies(line, telling) if reason and mending is None else [],
        mending=mending,
    )


def _outcome(line: MappedLine, reason: str | None) -> str:
    if reason is None:
        return "mapped"
    if reason == TOO_LONG:
        return "failed"
    return "invalid" if isinstance(line.outcome, Invalid) else "skipped"


def _remedies(line: MappedLine, telling: Telling) -> list[list[dict[str, Any]]]:
    if line.message is None:
        return []
    loaded = telling.loaded
    situation = Situation(line.message, loaded.settings, telling.rules, loaded.file.parent)
    return [[change.as_json() for change in remedy] for remedy in find_remedies(situation)]


def _explain_calls(
    found: FoundLine, line: MappedLine, telling: Telling, told: Told
) -> Iterator[ExplainedCall]:
    if not isinstance(line.outcome, Mapped):
        return
    ready = calls_of(ready_message(line, line.outcome, found.line, telling.rules))
    known = _look_up(telling.loaded, [key for key, *_ in ready])
    for call, (key, url, *_, fault, _order) in zip(line.outcome.calls, ready, strict=True):
        fields: dict[str, Any] = {}
        describe_call(call, fields)
        masked = telling.masking.call({**fields, "method": "GET", "url": url})
        yield ExplainedCall(
            line=masked,
            fault=fault or None,
            detail=f"a URL of {len(url):,} characters" if fault else None,
            parameters=list(_parameters(call, fields, telling, told)),
            address=telling.settings(_address_settings(call)),
            ledger=known.get(key) or known[_OTHERS],
        )


_OTHERS = b""


def _look_up(loaded: LoadedSettings, keys: Sequence[bytes]) -> dict[bytes, dict[str, Any]]:
    """Give what the ledger has of calls, by their keys; ``_OTHERS`` has what is so of the rest."""
    try:
        records = look_up_calls(loaded.ledger, keys)
    except ConvertroError as error:
        return {_OTHERS: {"state": "unknown", "fault": error.message}}
    if records is None:
        return {_OTHERS: {"state": "no_ledger"}}
    known = {key: record._asdict() for key, record in records.items()}
    return {**known, _OTHERS: {"state": "not_there"}}


def _parameters(
    call: Call, fields: Mapping[str, Any], telling: Telling, told: Told
) -> Iterator[Parameter]:
    wire, plain = telling.rules.wire, plain_values(fields)
    sent = parameters(call, wire)
    own = len(sent) - len(call.traits or {})  # traits come last, and may have any name
    for index, (name, value) in enumerate(sent):
        shown = wire.names.get(name, name) if index < own else name
        masked = telling.masking.parameter(shown, value, plain)
        if index < own:
            yield Parameter(shown, masked, MEANINGS[name], told.sources.get(FIELDS[name], ""))
        else:
            yield Parameter(shown, masked, "a trait of the user", f"traits.{name}")


def _address_settings(call: Call) -> tuple[str, ...]:
    name = "account" if call.mode == "web" else "client_name"
    return (
        "wire.base_url",
        f"wire.paths.{endpoint(call)}",
        f"convertro.{name}",
        "convertro.site_id",
    )
