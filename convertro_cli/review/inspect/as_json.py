"""The report as one JSON object, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from convertro_cli.amounts import Sum
from convertro_cli.review.inspect.report import (
    Gates,
    InspectReport,
    NamedEvents,
    Rest,
    Times,
    Trouble,
    TypeTotal,
)


def write_json(report: InspectReport) -> bytes:
    """Write the report as one JSON object on a line."""
    return orjson.dumps(describe(report), option=orjson.OPT_APPEND_NEWLINE)


def describe(report: InspectReport) -> dict[str, Any]:
    """Give the report's fields. Times are ISO 8601 in UTC; null stands for what is not there."""
    run, outcome, before = report.run, report.outcome, report.came_before
    other_types = {"(other)": report.other_types} if report.other_types else {}
    return {
        "settings": run.settings,
        "messages": {
            "read": report.read,
            "described": report.described,
            "unreadable": report.unreadable,
            "left_out": report.left_out,
        },
        "types": {**report.types, **other_types},
        "modes": dict(report.modes),
        "sources": [
            {"library": library or None, "channel": channel or None, "messages": count}
            for library, channel, count in report.sources
        ],
        "events": {
            "names": len(report.events),
            "names_are_all": report.dropped_events.is_exact,
            "top": [_event(event) for event in report.top_events],
            "others": _rest(report.other_events),
        },
        "time": _times(report.times),
        "lacking": [lack._asdict() for lack in report.lacks],
        "repeated_message_ids": {
            "messages": report.repeats.messages,
            "approximate": not report.repeats.is_exact,
            "one_in": report.repeats.one_in,
        },
        "would_be_sent": {
            "messages": outcome.sent,
            "already_delivered": outcome.already_delivered,
            "already_failed": outcome.already_failed,
            "skipped": dict(outcome.skipped),
            "invalid": dict(outcome.invalid),
            "failed": dict(outcome.failed),
            "calls": dict(outcome.calls),
        },
        "copies": _sum("calls", before.copies),
        "shared_message_ids": _sum("messages", before.shared_ids),
        "repeated_orders": _sum("calls", before.repeated_orders),
        **_gates(report.gates),
        "invalid": _troubles(report.faults),
        "warnings": _troubles(report.warnings),
        "by_event_type": {total.event_type: _type(total) for total in report.by_type},
        "files": dict(run.files),
        **({"unread": dict(run.unread)} if run.unread else {}),
        "bytes_read": run.bytes_read,
        "elapsed_s": round(run.elapsed_s, 3),
        **({"interrupted": True} if run.interrupted else {}),
        "exit_code": int(run.exit_code),
    }


def _rest(rest: Rest) -> dict[str, Any]:
    return {"names": rest.names, "names_are_all": rest.is_exact, "messages": rest.messages}


def _event(event: NamedEvents) -> dict[str, Any]:
    return {
        "name": event.name or None,
        "spellings": list(event.spellings),
        "kind": event.kind,
        "targets": list(event.targets),
        "messages": event.messages,
        "would_be_sent": event.sent,
        "with_amount": event.valued,
        "value_found": float(event.value),
        "value_sent": float(event.sent_value),
    }


def _times(times: Times | None) -> dict[str, Any] | None:
    if times is None:
        return None
    return {
        "first": f"{times.first:%Y-%m-%dT%H:%M:%SZ}",
        "last": f"{times.last:%Y-%m-%dT%H:%M:%SZ}",
        "by_day": {day.isoformat(): count for day, count in times.by_day.items()},
        "by_hour": {f"{hour:%Y-%m-%dT%HZ}": count for hour, count in times.by_hour.items()},
        "gaps": [
            {"first": gap.first.isoformat(), "last": gap.last.isoformat(), "days": gap.days}
            for gap in times.gaps
        ],
    }


def _gates(gates: Gates) -> dict[str, Any]:
    return {
        "web_messages": [
            {"month": month or None, **marks} for month, marks in gates.by_month.items()
        ],
        "consent": {
            "carrying": gates.carrying,
            "of": gates.of,
            "categories": {
                category: {"given": given, "refused": refused}
                for category, (given, refused) in gates.categories.items()
            },
            **({"hint": gates.hint} if gates.hint else {}),
        },
        "kept_back": [
            {
                "reason": kept.reason,
                **({"title": kept.title} if kept.title else {}),
                "messages": kept.messages,
                "value": float(kept.value),
            }
            for kept in gates.kept_back
        ],
    }


def _sum(of: str, found: Sum) -> dict[str, Any]:
    return {of: found.count, "value": float(found.value)}


def _troubles(troubles: Sequence[Trouble]) -> dict[str, Any]:
    return {
        trouble.reason: {
            "count": trouble.count,
            "places": [
                {"source": place, "detail": detail} if detail else {"source": place}
                for place, detail in trouble.places
            ],
        }
        for trouble in troubles
    }


def _type(total: TypeTotal) -> dict[str, Any]:
    by_month = {month: _sum("calls", worth) for month, worth in total.by_month.items()}
    return {"calls": total.calls, "value": float(total.value), "by_month": by_month}
