"""An explanation as plain JSON, with personal data only as far as it may be shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convertro_cli.destination_filters.steps import FilterStep
from convertro_cli.review.explain.explanation import ExplainedCall, Explanation
from convertro_cli.review.explain.steps import Step
from convertro_cli.review.masking import Masking, plain_values
from convertro_cli.settings.load import LoadedSettings

TellSteps = Callable[[Sequence[str]], list[dict[str, Any]]]
"""Gives settings as they are told: key, value, and where the value is from."""


def describe(explanation: Explanation, loaded: LoadedSettings, masking: Masking) -> dict[str, Any]:
    """Give an explanation as JSON."""
    tables = loaded.settings.model_dump()

    def tell(keys: Sequence[str]) -> list[dict[str, Any]]:
        return [_setting(key, loaded, tables) for key in keys]

    return {
        "source": explanation.place,
        "first_source": explanation.first_place,
        "message_id": masking.value(explanation.message_id),
        "outcome": explanation.outcome,
        "reason": explanation.reason,
        "detail": explanation.detail,
        "steps": [_step(step, tell, masking) for step in explanation.steps],
        "calls": [_call(call, explanation, tell, masking) for call in explanation.calls],
        "warnings": explanation.warnings,
        "remedies": [[change.as_json() for change in remedy] for remedy in explanation.remedies],
        "mending": explanation.mending,
    }


def _setting(key: str, loaded: LoadedSettings, tables: dict[str, Any]) -> dict[str, Any]:
    table, _, name = key.partition(".")
    value: Any = tables[table]
    for part in [name] if table == "events" else name.split("."):
        value = value[part]
    origin = loaded.origin_of(key)
    if key == "privacy.suppressed" and loaded.suppressed_options:
        value = [*value, *map(str, loaded.suppressed_options)]
        origin = "option" if origin == "default" else f"{origin}, option"
    return {"key": key, "value": value, "origin": origin}


def _step(step: Step, tell: TellSteps, masking: Masking) -> dict[str, Any]:
    return {
        "topic": step.topic,
        "verdict": step.verdict,
        "value": masking.text(step.value) if step.personal and step.value else step.value,
        "says": step.says,
        "reason": step.reason or None,
        "settings": tell(step.settings),
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
    call: ExplainedCall, explanation: Explanation, tell: TellSteps, masking: Masking
) -> dict[str, Any]:
    plain = plain_values(call.fields)
    return {
        **masking.call({**call.fields, "method": "GET", "url": call.url}),
        "fault": call.fault or None,
        "detail": f"a URL of {len(call.url):,} characters" if call.fault else None,
        "parameters": [
            {
                "name": name,
                "value": masking.parameter(name, value, plain),
                "meaning": meaning,
                "from": source,
            }
            for name, value, meaning, source in call.parameters
        ],
        "address": tell(call.settings),
        "ledger": _ledger(call, explanation),
    }


def _ledger(call: ExplainedCall, explanation: Explanation) -> dict[str, Any]:
    if explanation.ledger_fault:
        return {"state": "unknown", "fault": explanation.ledger_fault}
    if call.record is None:
        return {"state": "no_ledger" if explanation.no_ledger else "not_there"}
    return call.record._asdict()
