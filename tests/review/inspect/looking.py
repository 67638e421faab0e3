"""Exports made short to write, and what is found in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from convertro_cli.errors import ExitCode
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.batch import LineBatch
from convertro_cli.review.inspect.findings import Findings
from convertro_cli.review.inspect.job import InspectJob, rules_without_settings
from convertro_cli.review.inspect.report import InspectReport, ReadingFacts, build_report
from convertro_cli.review.report.as_json import write_report
from tests.mapping.messages import make_rules, web_message

Message = dict[str, Any]


def track(event: str | None = "Signed Up", **fields: Any) -> Message:
    """A track from a browser."""
    return web_message("track", **{"event": event, **fields})


def order(total: object = 50.99, **fields: Any) -> Message:
    """An order from a browser, with an id."""
    properties = {"order_id": "o1", "total": total}
    return track("Order Completed", **{"properties": properties, **fields})


def at(*times: str) -> list[Message]:
    """A page view at each of these times."""
    return [{"type": "page", "timestamp": time} for time in times]


def as_line(message: object) -> bytes:
    """A line of an export, without its newline; bytes as they are."""
    return message if isinstance(message, bytes) else orjson.dumps(message)


def batches_of(lines: Sequence[bytes], cuts: Iterable[int] = ()) -> list[LineBatch]:
    """Lines in one batch, or in several that begin at the indexes ``cuts``."""
    starts = sorted({0, *(cut for cut in cuts if cut < len(lines))})
    ends = [*starts[1:], len(lines)]
    return [
        LineBatch(
            0, "export.ndjson", start + 1, b"".join(line + b"\n" for line in lines[start:end]), 0
        )
        for start, end in zip(starts, ends, strict=True)
    ]


def find(lines: Sequence[bytes], rules: Rules, *, cuts: Iterable[int] = ()) -> Findings:
    """Count the lines as a run does."""
    found = Findings()
    job = InspectJob(rules)
    for batch in batches_of(lines, cuts):
        found.add(job(batch).found)
    return found


def report_of(
    *messages: object,
    rules: Rules | None = None,
    cuts: Iterable[int] = (),
    top: int = 25,
) -> InspectReport:
    """Inspect messages and raw lines; without ``rules``, as if there were no settings."""
    used = rules or rules_without_settings()
    found = find([as_line(message) for message in messages], used, cuts=cuts)
    facts = ReadingFacts(
        settings="convertro.toml" if rules is not None else None,
        filtered=bool(used.selection),
        files={"read": 1, "skipped": 0, "damaged": 0},
        unread={},
        bytes_read=1000,
        elapsed_s=1.0,
        interrupted=False,
        exit_code=ExitCode.OK,
    )
    return build_report(found, used, facts, top=top)


def as_read(report: InspectReport) -> dict[str, Any]:
    """The report as programs read it."""
    read: dict[str, Any] = orjson.loads(write_report(report))
    return read


SHOP_RULES = make_rules(
    events={"Signed Up": ["signup", "lead"]},
    convertro={"hybrid_attribution_model": True},
    mapping={"unreadable_amount": "send"},
)
"""Settings under which some of all kinds of message are sent."""
