"""The job that worker processes do for a dry run: from a batch of lines to one JSON line a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from convertro_cli.amounts import Sum
from convertro_cli.mapping.calls import Call, Invalid, Mapped, Skipped
from convertro_cli.mapping.jobs import TOO_LONG, BatchCounts, CallKeys, MappingJob
from convertro_cli.mapping.lines import MappedLine
from convertro_cli.mapping.wire import LONGEST_URL, build_url
from convertro_cli.reading.batch import LineBatch
from convertro_cli.segment.ids import read_id
from convertro_cli.segment.json_text import write_json


@dataclass(slots=True)
class DryRunBatch(BatchCounts):
    """A batch of which it was only written down what would be sent.

    ``output`` has the lines; ``starts`` tells where in it each call's line begins. ``totals`` has
    the calls of each Convertro event type and what they are worth; the failed ones are those that
    could not be sent. All of it is as if no call came before: ``keys`` is for finding those that
    did.
    """

    output: bytes = b""
    starts: list[int] = field(default_factory=list)
    keys: CallKeys = field(default_factory=CallKeys)
    messages: int = 0
    failed_messages: int = 0
    calls: int = 0
    failed_calls: int = 0
    totals: dict[str, Sum] = field(default_factory=dict)


@dataclass(slots=True)
class DryRunJob(MappingJob):
    """Map a batch and write the dry run's lines for it; its calls go nowhere."""

    include_skipped: bool = False

    def __call__(self, batch: LineBatch) -> DryRunBatch:
        result = DryRunBatch()
        output = bytearray()
        if self.include_skipped:
            for line in self.lines(batch, result):
                outcome = result.count(line)
                if outcome is not None:
                    self._write_calls(line, outcome, batch, result, output)
                else:
                    output += _reason_line(line, batch)
        else:
            for line, outcome in self.lines_with_calls(batch, result):
                self._write_calls(line, outcome, batch, result, output)
        result.output = bytes(output)
        return result

    def _write_calls(
        self,
        line: MappedLine,
        outcome: Mapped,
        batch: LineBatch,
        result: DryRunBatch,
        output: bytearray,
    ) -> None:
        failed = 0
        result.keys.add(line, outcome, batch, self.rules)
        for call in outcome.calls:
            url = build_url(call, self.rules.wire)
            fields = _head(line, batch)
            describe_call(call, fields)
            if len(url) <= LONGEST_URL:
                result.calls += 1
                if call.kind == "event":
                    total = result.totals.get(call.event_type or "")
                    if total is None:
                        total = result.totals[call.event_type or ""] = Sum()
                    total.add_one(call.event_value)
                fields["method"] = "GET"
                fields["url"] = url
            else:
                failed += 1
                result.keys.faults.append(len(result.starts))
                fields["failed"] = TOO_LONG
                fields["detail"] = f"a URL of {len(url):,} characters"
            result.starts.append(len(output))
            output += _line(fields)
        result.failed_calls += failed
        result.failed_messages += failed > 0
        result.messages += not failed


def describe_call(call: Call, fields: dict[str, Any]) -> None:
    """Add the fields of a call that a dry run shows, in their order."""
    fields["mode"] = call.mode
    fields["call"] = call.kind
    if call.mode == "cloud":
        fields["device_id"] = call.device_id
    if call.kind == "user":
        fields["user_id"] = call.user_id
        if call.mode == "web":
            fields["traits"] = call.traits
    elif call.kind == "event":
        fields["event_type"] = call.event_type
        fields["event_value"] = call.event_value
        fields["event_id"] = call.event_id
    fields["timestamp"] = call.timestamp


def _reason_line(line: MappedLine, batch: LineBatch) -> bytes:
    fields = _head(line, batch)
    match line.outcome:
        case Skipped(reason):
            fields["skip"] = reason.value
        case Invalid(fault, detail):
            fields["invalid"] = fault.value
            fields["detail"] = detail
    return _line(fields)


def _head(line: MappedLine, batch: LineBatch) -> dict[str, Any]:
    message: Mapping[str, Any] = line.message or {}
    return {
        "source": batch.place(line.number),
        "message_id": read_id(message.get("messageId")),
    }


def _line(fields: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # a trait holds a number beyond 64 bits
        return write_json(fields) + b"\n"
