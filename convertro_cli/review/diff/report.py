"""The report of a comparison: what was compared, the counts, and how it ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson

from convertro_cli.amounts import Sum
from convertro_cli.errors import ExitCode
from convertro_cli.review.diff.samples import ChangeKind, ChangeSample, Group
from convertro_cli.review.diff.tally import BeforeAfter, DiffTally, MessageCounts, Totals
from convertro_cli.review.masking import Masking
from convertro_cli.run.retyped import RetypedSearch
from convertro_cli.segment import json_text
from convertro_cli.settings.compare import SettingDifference

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
    settings: list[SettingDifference] | None
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
        tables = {name: getattr(tally, name) for name in _TABLES}
        rests = {f"{name}_rest": table.rest for name, table in tables.items()}
        again = self.retyped.as_json() if self.retyped is not None else []
        return {
            "before": {"dry_run" if self.is_saved else "settings": self.before},
            "after": {"settings": self.after},
            "calls": {verdict: tally.calls[verdict] for verdict in VERDICTS},
            **{name: _table(table) for name, table in tables.items()},
            "changed_fields": dict(tally.fields.most_common()),
            "messages": _messages(tally.messages),
            "settings": None
            if self.settings is None
            else [change._asdict() for change in self.settings],
            "samples": [_group(*item, masking) for item in tally.groups.kinds.items()],
            "files": {name: self.files[name] for name in ("read", "skipped", "damaged")},
            "elapsed_s": round(self.elapsed_s, 3),
            "notes": self.notes,
            **{name: _sides(rest) for name, rest in rests.items() if rest != BeforeAfter()},
            **({"sent_again": again} if again else {}),
            **({"unread": dict(self.unread)} if self.unread else {}),
            **({"interrupted": True} if self.interrupted else {}),
        }


_TABLES = ("by_event_type", "by_event", "by_call", "by_day")


def write_json(report: DiffReport, masking: Masking) -> bytes:
    """Write the report as one JSON object on a line, with every digit of every value."""
    return json_text.write_json(report.as_json(masking), default=_exact) + b"\n"


def _exact(value: object) -> orjson.Fragment:
    if not isinstance(value, Decimal):
        raise TypeError
    return orjson.Fragment(format(value, "f"))


def _table(table: Totals) -> dict[str, Any]:
    return {name: _sides(row) for name, row in sorted(table, key=lambda item: item[0])}


def _sides(row: BeforeAfter) -> dict[str, Any]:
    return {"before": _total(row.before), "after": _total(row.after)}


def _total(total: Sum) -> dict[str, Any]:
    return {"calls": total.count, "value": total.value}


def _messages(messages: MessageCounts) -> dict[str, Any]:
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
        "skipped_otherwise": _nested(messages.otherwise),
    }


def _by_filter(counter: Counter[tuple[str, str]]) -> dict[str, Any]:
    """Give what filters dropped, by reason and title; nothing where they dropped nothing."""
    return {"by_filter": _nested(counter)} if counter else {}


def _nested(counter: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (first, second), count in counter.most_common():
        nested.setdefault(first, {})[second] = count
    return nested


def _counts(counter: Counter[str]) -> dict[str, int]:
    return dict(counter.most_common())


def _group(kind: ChangeKind, group: Group, masking: Masking) -> dict[str, Any]:
    return {
        **{name: value for name, value in kind._asdict().items() if value},
        "count": group.count,
        "examples": [_sample(sample, masking) for sample in group.samples],
    }


def _sample(sample: ChangeSample, masking: Masking) -> dict[str, Any]:
    return {
        "source": sample.source,
        "message_id": masking.value(sample.message_id),
        "event": sample.event,
        "before": None if sample.before is None else masking.call(sample.before),
        "after": None if sample.after is None else masking.call(sample.after),
    }
