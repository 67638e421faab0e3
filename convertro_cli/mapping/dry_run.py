"""The job that worker processes do for a dry run: from a batch of lines to one JSON line a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from msgspec import Struct, field

from convertro_cli.amounts import Sum
from convertro_cli.mapping.calls import Call, Invalid, Skipped
from convertro_cli.mapping.jobs import TOO_LONG, BatchCounts, CallKeys, MappingJob
from convertro_cli.mapping.lines import MappedLine
from convertro_cli.mapping.retyping import Retyping, TypedKeys
from convertro_cli.mapping.rules import Wire
from convertro_cli.mapping.wire import LONGEST_URL, build_url
from convertro_cli.reading.batch import LineBatch
from convertro_cli.segment.ids import read_id
from convertro_cli.segment.json_text import write_json


class DryRunBatch(BatchCounts):
    """A batch of which it was only written down what would be sent.

    ``output`` has the lines; ``starts`` tells where in it each call's line begins. ``totals`` has,
    for each Convertro event type, the number of calls and the exact sum of their values; the
    failed ones are those that could not be sent. All of it is as if no call came before:
    ``keys`` is for finding those that did.
    """

    output: bytes = b""
    starts: list[int] = field(default_factory=list)
    keys: CallKeys = field(default_factory=CallKeys)
    messages: int = 0
    failed_messages: int = 0
    calls: int = 0
    failed_calls: int = 0
    totals: dict[str, Sum] = field(default_factory=dict)
    typed: list[TypedKeys] = field(default_factory=list)

    def note_types(self, keys: TypedKeys | None) -> None:
        """Note under which types a message's events may be known already."""
        if keys is not None:
            self.typed.append(keys)


class DryRunJob(MappingJob):
    """Map a batch and write the dry run's lines for it; its calls go nowhere.

    ``for_ledger`` says that there is a ledger in which the calls are looked for.
    """

    include_skipped: bool = False
    for_ledger: bool = False
    retyping: Retyping | None = None
    """Where earlier runs may have sent events under other types."""

    def __call__(self, batch: LineBatch) -> DryRunBatch:
        result = DryRunBatch()
        writing = _Writing(batch, result, self.rules.wire)
        # One thing after the other for the whole batch, not for each message: the processor
        # keeps the code of one thing in its caches, and not that of all (a tenth of the time).
        if self.include_skipped:
            found = [(line, result.count(line)) for line in self.lines(batch, result)]
        else:
            found = [*self.lines_with_calls(batch, result)]
        mapped = [(line, outcome) for line, outcome in found if outcome is not None]
        add, for_ledger = result.keys.add, self.for_ledger
        ids = [add(*each, batch, self.rules, for_ledger=for_ledger) for each in mapped]
        if self.retyping is not None:
            for each in mapped:
                result.note_types(self.retyping.keys(*each, batch))
        urls = [[build_url(call, writing.wire) for call in one.calls] for _, one in mapped]
        with_calls = zip(ids, urls, strict=True)
        for line, outcome in found:
            if outcome is None:
                writing.add_reason(line)
            else:
                writing.add_calls(line, outcome.calls, *next(with_calls))
        result.output = bytes(writing.output)
        return result


class _Writing(Struct):
    """Writes the lines of a batch."""

    batch: LineBatch
    result: DryRunBatch
    wire: Wire
    output: bytearray = field(default_factory=bytearray)

    def add_calls(
        self, line: MappedLine, calls: Sequence[Call], message_id: str | None, urls: Sequence[str]
    ) -> None:
        """Write the lines of a message's calls, and count them."""
        failed = 0
        result, source = self.result, self.batch.place(line.number)
        for call, url in zip(calls, urls, strict=True):
            fields: dict[str, Any] = {"source": source, "message_id": message_id}
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
            result.starts.append(len(self.output))
            self.output += _line(fields)
        result.failed_calls += failed
        result.failed_messages += failed > 0
        result.messages += not failed

    def add_reason(self, line: MappedLine) -> None:
        """Write the line of a message that yields no call, with the reason."""
        message: Mapping[str, Any] = line.message or {}
        fields: dict[str, Any] = {
            "source": self.batch.place(line.number),
            "message_id": read_id(message.get("messageId")),
        }
        match line.outcome:
            case Skipped(reason):
                fields["skip"] = reason.value
            case Invalid(fault, detail):
                fields["invalid"] = fault.value
                fields["detail"] = detail
        self.output += _line(fields)


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


def _line(fields: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # a trait holds a number beyond 64 bits
        return write_json(fields) + b"\n"
