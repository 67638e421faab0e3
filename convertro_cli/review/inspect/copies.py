"""What came before: copies of messages, different messages under one id, and orders.

Workers count as if no call came before. What did is mapped once more here, and what becomes of it
is exchanged in what they counted, so that the report says what a replay would send.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from convertro_cli.amounts import Sum
from convertro_cli.mapping.calls import Call, Mapped
from convertro_cli.mapping.ledger_key import KEY_BYTES
from convertro_cli.mapping.lines import MappedLine, map_lines
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.batch import LineBatch
from convertro_cli.record.seen_calls import SeenCalls
from convertro_cli.record.tally import Fate
from convertro_cli.review.inspect.findings import BatchFindings, CameBefore, Outcomes
from convertro_cli.review.inspect.job import are_of_settings, event_of
from convertro_cli.run.repeats import Repeat, Repeated, RepeatSearch, Review

_NO_ORDER = bytes(KEY_BYTES)


class Copies:
    """Finds what came before, batch by batch, and corrects what was counted."""

    def __init__(self, rules: Rules) -> None:
        self.sums = CameBefore()
        self._rules = rules
        self._search = RepeatSearch()
        self._orders = SeenCalls()

    def look_at(self, batch: LineBatch, result: BatchFindings) -> None:
        """Take what came before out of a batch's findings, and count it."""
        keys = result.keys
        orders = bytes(keys.orders)
        sends_orders_again = self._rules.repeated_orders == "send"
        if sends_orders_again:
            keys.orders = keys.orders[:0]
        review = self._search.review(keys)
        self._count_shared(batch, result, review)
        for message in review.messages:
            line = _line(batch, result, message.message, self._rules)
            calls = _calls(line)
            self._exchange(line, calls, message, result)
            for call, why in zip(calls, message.calls, strict=True):
                if why in {Repeat.EARLIER, Repeat.EARLIER_FAILED}:
                    _add(self.sums.copies, call)
                elif why is Repeat.ORDER:
                    _add(self.sums.repeated_orders, call)
        if sends_orders_again:
            self._count_orders(batch, result, orders, review)

    def _exchange(
        self, line: MappedLine, calls: Sequence[Call], message: Repeated, result: BatchFindings
    ) -> None:
        """Count a message by what becomes of it, in place of what would without the repeats."""
        event, with_types = event_of(line.message), are_of_settings(self._rules)
        indexes = range(message.first, message.first + len(calls))
        faults = [index - message.first for index in result.keys.faults if index in indexes]
        sound = [index for index in range(len(calls)) if index not in faults]
        fate = Fate.FAILED if faults else Fate.DELIVERED
        before, after = Outcomes(), Outcomes()
        for outcomes, becomes, made in (
            (before, fate, range(len(calls))),
            (after, message.fate, [i for i, why in enumerate(message.calls) if why is None]),
        ):
            row = outcomes.note(becomes, event)
            sent = [calls[index] for index in made if index in sound]
            outcomes.note_calls(sent, None if faults else row, with_types=with_types)
            outcomes.calls["failed"] = sum(index in faults for index in made)
        result.found.outcomes.take_out(before)
        result.found.outcomes.add(after)

    def _count_shared(self, batch: LineBatch, result: BatchFindings, review: Review) -> None:
        shared = set(review.shared)
        if not shared:
            return
        for number in review.shared:
            result.found.warn("shared_message_id", batch.place(number))
        for index, number in enumerate(result.keys.numbers):
            if number in shared:
                self.sums.shared_ids.count += 1
                for call in _calls(_line(batch, result, index, self._rules)):
                    if call.kind == "event":
                        self.sums.shared_ids.add_value(call.event_value)

    def _count_orders(
        self, batch: LineBatch, result: BatchFindings, orders: bytes, review: Review
    ) -> None:
        """Count the orders that came before where all of them are sent."""
        if not orders.strip(b"\0"):
            return
        unsent = {
            message.first + offset
            for message in review.messages
            for offset, why in enumerate(message.calls)
            if why is not None
        }
        keys = [orders[start : start + KEY_BYTES] for start in range(0, len(orders), KEY_BYTES)]
        sent = [i for i, key in enumerate(keys) if key != _NO_ORDER and i not in unsent]
        starts = [*accumulate(result.keys.sizes, initial=0)]
        for which, _ in self._orders.add_all(b"".join([keys[index] for index in sent])):
            index = sent[which]
            message = bisect_right(starts, index) - 1
            line = _line(batch, result, message, self._rules)
            _add(self.sums.repeated_orders, _calls(line)[index - starts[message]])


def _line(batch: LineBatch, result: BatchFindings, index: int, rules: Rules) -> MappedLine:
    start, end = result.spans[index]
    return next(map_lines(batch.only(result.keys.numbers[index], start, end), rules))


def _calls(line: MappedLine) -> list[Call]:
    assert isinstance(line.outcome, Mapped)
    return line.outcome.calls


def _add(total: Sum, call: Call) -> None:
    total.count += 1
    if call.kind == "event":
        total.add_value(call.event_value)
