"""The report of a comparison: what was compared, the counts, and how it ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson

from convertro_cli.errors import ExitCode
from convertro_cli.review.diff.samples import Group, Kind
from convertro_cli.review.diff.settings_diff import SettingChange
from convertro_cli.review.diff.tally import DiffTally, MessageCounts
from convertro_cli.review.diff.totals import BeforeAfter, Table, Total
from convertro_cli.review.masking import Masking
from convertro_cli.run.retyped import RetypedSearch
from convertro_cli.segment import json_text

VERDICTS = ("added", "removed", "changed", "unchanged")


@dataclass(slots=True)
class DiffReport:
    """What changes between two sides.

    ``before`` and ``after`` name the two settings files; where ``is_saved``, ``before`` is a
    saved dry run, and ``settings`` is None, since nobody knows under which it was made.
    ``notes`` are what the reader must know to read the rest right, a sentence each. ``retyped``
    has what was delivered and would go out again under another type, None where there is no ledger.
    """

    before: str
    after: str
    tally: DiffTally
    settings: list[SettingChange] | None
    is_saved: bool = False
    interrupted: bool = False
    files: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    elapsed_s: float = 0.0
    exit_code: ExitCode = ExitCode.OK
    notes: list[str] = field(default_factory=list)
    retyped: RetypedSearch | None = None

    def as_json(self, masking: Masking) -> dict[str, Any]:
        """Give the report as one JSON object. Values are exact: Decimal, for ``write_json``."""
        tally = self.tally
        report: dict[str, Any] = {
            "before": {"dry_run" if self.is_saved else "settings": self.before},
            "after": {"settings": self.after},
            "calls": {verdict: tally.calls[verdict] for verdict in VERDICTS},
            "by_event_type": _table(tally.by_event_type),
            "by_event": _table(tally.by_event),
            "by_call": _table(tally.by_call),
            "by_day": _table(tally.by_day),
            "changed_fields": dict(tally.fields.most_common()),
            "messages": _messages(tally.messages),
            "settings": None if self.settings is None else [_setting(one) for one in self.settings],
            "samples": [_group(*item, masking) for item in tally.groups.kinds.items()],
            "files": {name: self.files[name] for name in ("read", "skipped", "damaged")},
            "elapsed_s": round(self.elapsed_s, 3),
            "notes": self.notes,
        }
        for name in ("by_event_type", "by_event", "by_day"):
            rest: BeforeAfter = getattr(tally, name).rest
            if rest.before.calls or rest.after.calls:
                report[f"{name}_rest"] = _sides(rest)
        if self.retyped is not None and self.retyped.total:
            report["sent_again"] = self.retyped.as_json()
        if self.unread:
            report["unread"] = dict(self.unread)
        if self.interrupted:
            report["interrupted"] = True
        return report


def write_json(report: DiffReport, masking: Masking) -> bytes:
    """Write the report as one JSON object on a line, with every digit of every value."""
    return json_text.write_json(report.as_json(masking), default=_exact) + b"\n"


def _exact(value: object) -> orjson.Fragment:
    if not isinstance(value, Decimal):
        raise TypeError
    return orjson.Fragment(format(value, "f"))


def _table(table: Table) -> dict[str, Any]:
    return {name: _sides(row) for name, row in sorted(table.rows.items())}


def _sides(row: BeforeAfter) -> dict[str, Any]:
    return {"before": _total(row.before), "after": _total(row.after)}


def _total(total: Total) -> dict[str, Any]:
    return {"calls": total.calls, "value": total.value}


def _messages(messages: MessageCounts) -> dict[str, Any]:
    otherwise: dict[str, dict[str, int]] = {}
    for (was, now), count in messages.otherwise.most_common():
        otherwise.setdefault(was, {})[now] = count
    return {
        "read": messages.read,
        "before": {
            "sent": messages.sent_before,
            "not_sent": _counts(messages.unsent_before),
            **_by_filter(messages.filtered_before),
        },
        "after": {
            "sent": messages.sent_after,
            "not_sent": _counts(messages.unsent_after),
            **_by_filter(messages.filtered_after),
        },
        "newly_sent": _counts(messages.newly_sent),
        "newly_skipped": _counts(messages.newly_skipped),
        "skipped_otherwise": otherwise,
    }


def _by_filter(counter: Counter[tuple[str, str]]) -> dict[str, dict[str, dict[str, int]]]:
    """Give what filters dropped, by reason and title; nothing where they dropped nothing."""
    by_reason: dict[str, dict[str, int]] = {}
    for (reason, title), number in counter.most_common():
        by_reason.setdefault(reason, {})[title] = number
    return {"by_filter": by_reason} if by_reason else {}


def _counts(counter: Counter[str]) -> dict[str, int]:
    return dict(counter.most_common())


def _setting(change: SettingChange) -> dict[str, Any]:
    return {"key": change.key, "before": change.before, "after": change.after}


def _group(kind: Kind, group: Group, masking: Masking) -> dict[str, Any]:
    said: Mapping[str, Any] = kind._asdict()
    return {
        **{name: value for name, value in said.items() if value},
        "count": group.count,
        "examples": [
            {
                "source": sample.source,
                "message_id": masking.value(sample.message_id),
                "event": sample.event,
                "before": None if sample.before is None else masking.call(sample.before),
                "after": None if sample.after is None else masking.call(sample.after),
            }
            for sample in group.samples
        ],
    }
