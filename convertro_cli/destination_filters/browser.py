"""Destination filters out of the settings that Segment's browser library loads.

::

    {"middlewareSettings": {"routingRules": [
        {"destinationName": "Convertro",
         "matchers": [{"type": "fql", "ir": "[\\"=\\",\\"event\\",{\\"value\\":\\"X\\"}]",
                       "config": {"expr": "event = \\"X\\""}}],
         "transformers": [[{"type": "drop"}]]}]}}

Each matcher has its list of transformers. A rule without a destination's name is for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from convertro_cli.destination_filters.ir import condition_of
from convertro_cli.destination_filters.raw_table import RawTable
from convertro_cli.destination_filters.shapes import PUBLIC_API, filter_of
from convertro_cli.destination_filters.specs import DestinationFilter
from convertro_cli.fql.errors import FqlError
from convertro_cli.fql.parser import parse
from convertro_cli.fql.printer import print_condition

DESTINATION = "Convertro"

_TYPES = {
    "drop": "DROP",
    "sample_event": "SAMPLE",
    "drop_properties": "DROP_PROPERTIES",
    "allow_properties": "ALLOW_PROPERTIES",
}


class _LeftOutError(ValueError):
    """Why a rule is not taken over."""


def filters_from_browser_settings(data: Any) -> tuple[list[DestinationFilter], list[str]]:
    """Give the filters for Convertro, and a sentence for each rule that cannot be taken over.

    ``data`` is the JSON as loaded, whatever it is. Rules for other destinations are passed over.
    """
    filters: list[DestinationFilter] = []
    left_out: list[str] = []
    middleware = data.get("middlewareSettings") if isinstance(data, Mapping) else None
    rules = middleware.get("routingRules") if isinstance(middleware, Mapping) else None
    if rules is not None and not isinstance(rules, list):
        left_out.append("middlewareSettings.routingRules is no list")
    for number, rule in enumerate(rules if isinstance(rules, list) else []):
        place = f"middlewareSettings.routingRules[{number}]"
        if not isinstance(rule, Mapping):
            left_out.append(f"{place} is no object")
        elif rule.get("destinationName", DESTINATION) == DESTINATION:
            _take(rule, place, filters, left_out)
    return filters, left_out


def _take(
    rule: Mapping[str, Any], place: str, filters: list[DestinationFilter], left_out: list[str]
) -> None:
    matchers, transformers = rule.get("matchers"), rule.get("transformers")
    if not isinstance(matchers, list) or not isinstance(transformers, list):
        left_out.append(f"{place} has no lists of matchers and transformers")
        return
    if len(matchers) != len(transformers):
        left_out.append(f"{place} has not as many transformers as matchers")
        return
    for number, (matcher, actions) in enumerate(zip(matchers, transformers, strict=True)):
        where = place if len(matchers) == 1 else f"{place}.matchers[{number}]"
        try:
            filters.append(_filter(matcher, actions, len(filters) + 1))
        except _LeftOutError as reason:
            left_out.append(f"{where}: {reason}")


def _filter(matcher: Any, transformers: Any, number: int) -> DestinationFilter:
    condition = _condition(matcher)
    if not isinstance(transformers, list):
        raise _LeftOutError("its transformers are no list")
    actions = list(_actions(transformers))
    fields = {"title": f"Filter {number}", "if": condition, "actions": actions}
    raw = RawTable(fields, "it", spelling=PUBLIC_API)
    found = filter_of(raw)
    if found is None:
        raise _LeftOutError("; ".join(map(str, raw.faults)))
    return found


def _condition(matcher: Any) -> str:
    """Give a matcher's condition: as it was written, if that is there, else from its other form."""
    if not isinstance(matcher, Mapping):
        raise _LeftOutError("its matcher is no object")
    if matcher.get("type") == "all":
        return "all"
    config = matcher.get("config")
    expr = config.get("expr") if isinstance(config, Mapping) else None
    if isinstance(expr, str):
        try:
            parse(expr)
        except FqlError:
            pass  # a mix of "and" and "or", most likely, which the other form has in order
        else:
            return expr.strip()
    return _printed(matcher.get("ir"), expr)


def _printed(form: Any, expr: Any) -> str:
    """Write a condition from the form that browsers evaluate."""
    told = f" ({expr})" if isinstance(expr, str) else ""
    try:
        condition = print_condition(condition_of(json.loads(form)))
        parse(condition)
    except (TypeError, ValueError, RecursionError):
        raise _LeftOutError(f"its condition cannot be read{told[:100]}") from None
    return condition


def _actions(transformers: list[Any]) -> Iterator[dict[str, Any]]:
    for transformer in transformers:
        kind = transformer.get("type") if isinstance(transformer, Mapping) else None
        name = _TYPES.get(kind) if isinstance(kind, str) else None
        if name is None:
            raise _LeftOutError(f"what it does ({kind}) is no action of a filter")
        config = transformer.get("config")
        config = config if isinstance(config, Mapping) else {}
        if name == "SAMPLE":
            sample = config.get("sample")
            sample = sample if isinstance(sample, Mapping) else {}
            path = sample.get("path") or None
            yield {"type": name, "percent": sample.get("percent"), "path": path}
        elif name == "DROP":
            yield {"type": name}
        else:
            key = "drop" if name == "DROP_PROPERTIES" else "allow"
            yield {"type": name, "fields": config.get(key)}
