"""An explanation as plain JSON, with personal data only as far as it may be shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convertro_cli.destination_filters.steps import FilterStep
from convertro_cli.record.lookup import CallRecord
from convertro_cli.review.explain.changes import (
    REMOVED,
    Change,
    DataChange,
    FilterSwitchedOff,
    OptionDropped,
)
from convertro_cli.review.explain.explanation import ExplainedCall, Explanation
from convertro_cli.review.explain.steps import Step
from convertro_cli.review.masking import Masking, plain_values
from convertro_cli.settings.load import LoadedSettings

NameOrigin = Callable[[LoadedSettings, str], str]
"""Says where a setting's value is from, by its dotted key."""


def describe(
    explanation: Explanation, loaded: LoadedSettings, masking: Masking, name_origin: NameOrigin
) -> dict[str, Any]:
    """Give an explanation as JSON."""
    settings = _Settings(loaded, name_origin)
    return {
        "source": explanation.place,
        "first_source": explanation.first_place,
        "message_id": masking.value(explanation.message_id),
        "outcome": explanation.outcome,
        "reason": explanation.reason,
        "detail": explanation.detail,
        "steps": [_step(step, settings, masking) for step in explanation.steps],
        "calls": [_call(call, explanation, settings, masking) for call in explanation.calls],
        "warnings": explanation.warnings,
        "remedies": [[_change(change) for change in remedy] for remedy in explanation.remedies],
        "mending": explanation.mending,
    }


class _Settings:
    """The settings as they are told: key, value, and where the value is from."""

    def __init__(self, loaded: LoadedSettings, name_origin: NameOrigin) -> None:
        self._loaded = loaded
        self._name_origin = name_origin
        self._tables = loaded.settings.model_dump()

    def describe(self, key: str) -> dict[str, Any]:
        table, _, name = key.partition(".")
        value: Any = self._tables[table]
        for part in [name] if table == "events" else name.split("."):
            value = value[part]
        origin = self._name_origin(self._loaded, key)
        given = self._loaded.suppressed_options
        if key == "privacy.suppressed" and given:
            value = [*value, *map(str, given)]
            origin = "option" if origin == "default" else f"{origin}, option"
        return {"key": key, "value": value, "origin": origin}


def _step(step: Step, settings: _Settings, masking: Masking) -> dict[str, Any]:
    return {
        "topic": step.topic,
        "verdict": step.verdict,
        "value": masking.text(step.value) if step.personal and step.value else step.value,
        "says": step.says,
        "reason": step.reason or None,
        "settings": [settings.describe(key) for key in step.settings],
        **({"filter": _filter(step.filter, masking)} if step.filter is not None else {}),
    }


def _filter(step: FilterStep, masking: Masking) -> dict[str, Any]:
    """Describe a filter as it met the message; what it found there is the message's own data."""
    return {
        "kind": step.kind,
        "title": step.title,
        "condition": step.condition,
        "does": step.does or None,
        "passed_over": step.passed_over,
        "held": step.held,
        "dropped": step.dropped,
        "parts": [
            {
                "part": part.text,
                "held": part.held,
                "found": [
                    {"what": found.text, "value": masking.value(found.value)}
                    for found in part.found
                ],
            }
            for part in step.parts
        ],
        "changes": [
            {
                "path": change.path,
                "how": change.how,
                "before": masking.value(change.before),
                "after": masking.value(change.after),
            }
            for change in step.changes
        ],
    }


def _call(
    call: ExplainedCall, explanation: Explanation, settings: _Settings, masking: Masking
) -> dict[str, Any]:
    plain = plain_values(call.fields)
    shown = masking.call({**call.fields, "method": "GET", "url": call.url})
    return {
        **shown,
        "fault": call.fault or None,
        "detail": f"a URL of {len(call.url):,} characters" if call.fault else None,
        "parameters": [
            {
                "name": parameter.name,
                "value": masking.parameter(parameter.name, parameter.value, plain),
                "meaning": parameter.meaning,
                "from": parameter.source,
            }
            for parameter in call.parameters
        ],
        "address": [settings.describe(key) for key in call.settings],
        "ledger": _ledger(call.record, explanation),
    }


def _ledger(record: CallRecord | None, explanation: Explanation) -> dict[str, Any]:
    if explanation.ledger_fault:
        return {"state": "unknown", "fault": explanation.ledger_fault}
    if record is None:
        return {"state": "no_ledger" if explanation.no_ledger else "not_there"}
    return {
        "state": record.state,
        "run": record.run,
        "run_started_at": record.run_started_at,
        "reason": record.reason,
    }


def _change(change: Change) -> dict[str, Any]:
    if isinstance(change, OptionDropped):
        return {"where": "command", "without": change.option}
    if isinstance(change, DataChange):
        shown = {"where": "export", "path": ".".join(change.path), "note": change.note}
        if change.value is REMOVED:
            return {**shown, "remove": True}
        return {**shown, "value": change.value, "example": change.example}
    if isinstance(change, FilterSwitchedOff):
        return {
            "where": "settings",
            "table": change.table,
            "title": change.title,
            "values": {"enabled": False},
            "note": "or in the file that it is read from; this lets all pass that it holds back",
        }
    return {
        "where": "settings",
        "table": change.table,
        "values": dict(change.values),
        "note": change.note,
    }
