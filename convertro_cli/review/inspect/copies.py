"""What came before: copies of messages, different messages under one id, and orders.

Workers count as if no call came before. What did is mapped once more here, and taken out of
what they counted, so that the report says what a replay would send.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from convertro_cli.mapping.calls import Call, Mapped
from convertro_cli.mapping.jobs import TOO_LONG
from convertro_cli.mapping.ledger_key import KEY_BYTES
from convertro_cli.mapping.lines import MappedLine, map_lines
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.batch import LineBatch
from convertro_cli.record.seen_calls import SeenCalls
from convertro_cli.record.tally import Fate
from convertro_cli.review.inspect.days import DAY, month_of
from convertro_cli.review.inspect.notes import BatchFindings, Counts, warned
from convertro_cli.review.inspect.profile import cut, name_of
from convertro_cli.review.inspect.sums import Sum
from convertro_cli.run.repeats import Repeat, Repeated, RepeatSearch, Review

_NO_ORDER = bytes(KEY_BYTES)


@dataclass(slots=True)
class CopySums:
    """Messages and what their events are worth: ``copies`` are of calls that came before.

    ``shared_ids`` are the messages whose id a different one had before, ``orders`` the events
    of orders that another message brought before under the same type, sent or not.
    """

    copies: Sum = field(default_factory=Sum)
    shared_ids: Sum = field(default_factory=Sum)
    orders: Sum = field(default_factory=Sum)


class Copies:
    """Finds what came before, batch by batch, and corrects what was counted."""

    def __init__(self, rules: Rules) -> None:
        self.sums = CopySums()
        self._rules = rules
        self._search = RepeatSearch()
        self._orders = SeenCalls()

    def look_at(self, batch: LineBatch, found: BatchFindings) -> None:
        """Take what came before out of a batch's findings, and count it."""
        keys = found.keys
        orders = bytes(keys.orders)
        if self._rules.repeated_orders == "send":
            keys.orders = keys.orders[:0]
        review = self._search.review(keys)
        repeats = {message.message: message for message in review.messages}
        self._count_shared(batch, found, review)
        for message in review.messages:
            line = self._line(batch, found, message.message)
            _take_out(line, message, found)
            for call, why in zip(_calls(line), message.calls, strict=True):
                if why in {Repeat.EARLIER, Repeat.EARLIER_FAILED}:
                    _add(self.sums.copies, call)
                elif why is Repeat.ORDER:
                    _add(self.sums.orders, call)
        if self._rules.repeated_orders == "send":
            self._count_orders(batch, found, orders, repeats)

    def _count_shared(self, batch: LineBatch, found: BatchFindings, review: Review) -> None:
        shared = set(review.shared)
        if not shared:
            return
        what = "shared_message_id"
        found.warnings[what] = found.warnings.get(what, 0) + len(shared)
        found.places[warned(what)] = [(number, "") for number in review.shared]
        for index, number in enumerate(found.keys.numbers):
            if number in shared:
                self.sums.shared_ids.count += 1
                for call in _calls(self._line(batch, found, index)):
                    _add_value(self.sums.shared_ids, call)

    def _count_orders(
        self, batch: LineBatch, found: BatchFindings, orders: bytes, repeats: dict[int, Repeated]
    ) -> None:
        """Count the orders that came before where all of them are sent."""
        for index, first, size in _extents(found.keys.sizes):
            repeat = repeats.get(index)
            for offset in range(size):
                start = (first + offset) * KEY_BYTES
                key = orders[start : start + KEY_BYTES]
                if key == _NO_ORDER or (repeat is not None and repeat.calls[offset] is not None):
                    continue
                if self._orders.add(key) is not None:
                    _add(self.sums.orders, _calls(self._line(batch, found, index))[offset])

    def _line(self, batch: LineBatch, found: BatchFindings, index: int) -> MappedLine:
        start, end = found.spans[index]
        line = LineBatch(batch.file, batch.source, 1, batch.data[start:end], 0)
        return next(map_lines(line, self._rules))


def _extents(sizes: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """Give for each message its index, that of its first call, and how many it has."""
    first = 0
    for index, size in enumerate(sizes):
        yield index, first, size
        first += size


def _calls(line: MappedLine) -> list[Call]:
    assert isinstance(line.outcome, Mapped)
    return line.outcome.calls


def _add(total: Sum, call: Call) -> None:
    total.count += 1
    _add_value(total, call)


def _add_value(total: Sum, call: Call) -> None:
    if call.kind == "event":
        total.add_value(call.event_value)


def _take_out(line: MappedLine, message: Repeated, found: BatchFindings) -> None:
    """Take what would not be sent of a message out of what was counted."""
    faults = set(found.keys.faults)
    was_failed = False
    for index, (call, why) in enumerate(
        zip(_calls(line), message.calls, strict=True), message.first
    ):
        was_failed |= index in faults
        if why is not None and found.calls:
            _take_call(call, found, failed=index in faults)
    if was_failed:
        _less(found.failed, TOO_LONG)
    else:
        _less(found.messages, "sent")
        _take_event(line, message, found)
    _count(message.fate, found)


def _take_call(call: Call, found: BatchFindings, *, failed: bool) -> None:
    _less(found.calls, "failed" if failed else call.kind)
    if call.kind == "event" and not failed:
        kind = (cut(call.event_type or ""), month_of(call.timestamp // DAY))
        total = found.values[kind]
        total.take(call.event_value)
        if not total.count:
            del found.values[kind]


def _take_event(line: MappedLine, repeated: Repeated, found: BatchFindings) -> None:
    """Take what is not sent of a track out of the counts of its event's name."""
    message = line.message or {}
    if str(message.get("type")).lower() != "track":
        return
    total = found.events[name_of(message.get("event"))]
    if repeated.fate is not Fate.DELIVERED:
        total.sent -= 1
    for call, why in zip(_calls(line), repeated.calls, strict=True):
        if why is not None and call.kind == "event":
            total.add_sent(-call.event_value)


def _count(fate: Fate, found: BatchFindings) -> None:
    if fate is Fate.REPEATED_ORDER:
        name = "repeated_order"
        found.skipped[name] = found.skipped.get(name, 0) + 1
    elif fate is Fate.FAILED:
        found.failed[TOO_LONG] = found.failed.get(TOO_LONG, 0) + 1
    else:
        name = "sent" if fate is Fate.DELIVERED else fate.name.lower()
        found.messages[name] = found.messages.get(name, 0) + 1


def _less(counts: Counts[str], name: str) -> None:
    counts[name] -= 1
