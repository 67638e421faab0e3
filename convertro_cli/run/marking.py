"""What a dry run says of calls that would not be sent: on their lines, and in its counts."""

from __future__ import annotations

from typing import Any

import orjson

from convertro_cli.amounts import Sum
from convertro_cli.mapping.calls import SkipReason
from convertro_cli.mapping.dry_run import DryRunBatch
from convertro_cli.mapping.jobs import TOO_LONG
from convertro_cli.record.tally import Fate, Tally
from convertro_cli.run.repeats import Repeat, Repeated, Review


class Marking:
    """Marks the calls of a batch that would not be sent, and counts them as a replay does.

    The batch comes as if no call came before. Only what does is looked at again: its lines say
    what has to be taken out of the counts.
    """

    def __init__(self, batch: DryRunBatch, tally: Tally, *, include_skipped: bool) -> None:
        self._batch = batch
        self._tally = tally
        self._include_skipped = include_skipped
        self._faults = set(batch.keys.faults)

    def mark(self, review: Review) -> bytes:
        """Correct the batch's counts, count the repeats, and give the lines."""
        self._batch.note_shared_ids(review.shared)
        self._tally.calls["possibly_repeated"] += review.possibly_repeated
        parts: list[bytes] = []
        done = 0
        for message in review.messages:
            self._count_message(message)
            for index, why in enumerate(message.calls, message.first):
                if why is not None:
                    start, end = self._place(index)
                    line = self._batch.output[start:end]
                    parts += (self._batch.output[done:start], self._mark(line, index, why))
                    done = end
            if message.fate is Fate.REPEATED_ORDER and self._include_skipped:
                parts.append(_skip_line(line))
        if not parts:
            return self._batch.output
        return b"".join([*parts, self._batch.output[done:]])

    def _place(self, index: int) -> tuple[int, int]:
        start = self._batch.starts[index]
        return start, self._batch.output.index(b"\n", start) + 1

    def _count_message(self, message: Repeated) -> None:
        indexes = range(message.first, message.first + len(message.calls))
        if self._faults.isdisjoint(indexes):
            self._batch.messages -= 1
        else:
            self._batch.failed_messages -= 1
        reason = TOO_LONG if message.fate is Fate.FAILED else None
        self._tally.settle_message(message.fate, reason)

    def _mark(self, line: bytes, index: int, why: Repeat) -> bytes:
        """Take a call out of the batch's counts; give its line as it is to be."""
        self._tally.settle_call(why.fate)
        if index in self._faults:
            self._batch.failed_calls -= 1
        else:
            self._batch.calls -= 1
            self._take_value(orjson.loads(line))
        if why is Repeat.ORDER:
            return b""
        return line[:-2] + b',"repeat":"%s"}\n' % why.word.encode()

    def _take_value(self, fields: dict[str, Any]) -> None:
        if fields["call"] == "event":
            taken = Sum()
            taken.add_one(fields["event_value"])
            self._batch.totals[fields["event_type"]].take_out(taken)


def _skip_line(line: bytes) -> bytes:
    fields = orjson.loads(line)
    said = {
        "source": fields["source"],
        "message_id": fields["message_id"],
        "skip": SkipReason.REPEATED_ORDER,
    }
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)
