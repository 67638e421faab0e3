"""The job that worker processes do for a replay: from a batch of lines to calls ready to go."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct, field

from convertro_cli.mapping.calls import (
    Call,
    Invalid,
    InvalidReason,
    Mapped,
    MappingWarning,
    Skipped,
)
from convertro_cli.mapping.consent import carries_consent
from convertro_cli.mapping.kept_back import KeptBack
from convertro_cli.mapping.ledger_key import (
    KEY_BYTES,
    MessageIdentity,
    hash_parts,
    identity_of,
    ledger_key,
    message_identity,
    message_parts,
    order_key,
    run_key,
)
from convertro_cli.mapping.lines import MappedLine, map_lines
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.wire import LONGEST_URL, build_url
from convertro_cli.reading.batch import LineBatch
from convertro_cli.segment.ids import plain_number

PLACES_KEPT = 5
"""How many places of each kind of warning are kept, for the summary to name."""

TOO_LONG = "request_too_long"


ReadyCall = tuple[bytes, str, str, str, str, bytes]
"""A call ready to go: all that delivering and recording need to know of it.

Its key in the ledger; its URL; its event type, empty for calls that are no events; its value,
written plainly, and empty likewise; the name of the reason why it cannot be sent at all, most
often empty; and the key of its order where that goes out once, else empty. Plain tuples cross from
process to process in a fifth of the time of named ones.
"""

ReadyMessage = tuple[int, int, int, list[ReadyCall], bytes | None, str | None, MessageIdentity]
"""A message with its calls: the line's number, where it starts and ends in the batch, its calls.

For an event out of a dead-letter file its bytes and its first place follow, None otherwise; then
what tells the message from others.
"""


class InvalidLine(NamedTuple):
    """A line that is no sound message; places as in ``ReadyMessage``.

    ``length`` above 0 says that only the beginning of a line of so many bytes is there.
    """

    number: int
    start: int
    end: int
    reason: str
    detail: str
    original: bytes | None = None
    source: str | None = None
    length: int = 0


class BatchCounts(Struct):
    """What is counted of a batch, whatever is done with it.

    ``mapped`` counts the messages that yield calls; ``warning_places`` has the numbers of a few
    lines for each kind of warning. ``kept_back`` has what was kept back by somebody's choice,
    and what it would have been worth; ``carries_consent`` says whether any message that yields
    calls says anything of consent.
    """

    mapped: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    kept_back: KeptBack = field(default_factory=KeptBack)
    carries_consent: bool = False
    warnings: Counter[str] = field(default_factory=Counter)
    warning_places: dict[str, list[int]] = field(default_factory=dict)
    invalid: list[InvalidLine] = field(default_factory=list)
    exhausted: bool = False
    """Whether the limit of messages was reached in this batch: nothing more is wanted."""

    @property
    def read(self) -> int:
        """The messages of the batch: its lines that are not blank."""
        return self.mapped + self.skipped.total() + len(self.invalid)

    def count(self, line: MappedLine) -> Mapped | None:
        """Count a line; give its calls where it has any."""
        outcome = line.outcome
        if isinstance(outcome, Mapped):
            self.mapped += 1
            if outcome.warnings:
                self._warn(outcome, line.number)
            if not self.carries_consent:
                self.carries_consent = carries_consent(line.message or {})
            return outcome
        if isinstance(outcome, Skipped):
            self.skipped[outcome.reason] += 1
            if outcome.worth is not None:
                self.keep_back(outcome)
        else:
            self._reject(line, outcome)
        return None

    def note_shared_ids(self, numbers: Iterable[int]) -> None:
        """Count the messages, by the numbers of their lines, whose id another one had before."""
        for number in numbers:
            self._warn_of(MappingWarning.SHARED_MESSAGE_ID, number)

    def keep_back(self, outcome: Skipped) -> None:
        """Count what a message would have been worth that somebody's choice keeps back."""
        self.kept_back.note(outcome.reason.value, outcome.title, outcome.worth or 0)

    def _reject(self, line: MappedLine, fault: Invalid) -> None:
        if fault.reason is InvalidReason.UNREADABLE_AMOUNT:
            self.kept_back.note(fault.reason.value, "", 0)
        original, source, length = line.dead_letter or (None, None, 0)
        place = (line.number, line.start, line.end)
        self.invalid.append(
            InvalidLine(*place, fault.reason.value, fault.detail, original, source, length)
        )

    def _warn(self, outcome: Mapped, number: int) -> None:
        for warning in outcome.warnings:
            self._warn_of(warning, number)

    def _warn_of(self, warning: MappingWarning, number: int) -> None:
        self.warnings[warning.value] += 1
        places = self.warning_places.setdefault(warning.value, [])
        if len(places) < PLACES_KEPT:
            places.append(number)


class MappedBatch(BatchCounts):
    """A batch made ready for delivery: its messages that have calls, in order."""

    messages: list[ReadyMessage] = field(default_factory=list)


def ready_message(line: MappedLine, outcome: Mapped, raw: bytes, rules: Rules) -> ReadyMessage:
    """Make a message's calls ready to go. ``raw`` is its line."""
    original, source, _ = line.dead_letter or (None, None, 0)
    identity = message_identity(line.message or {}, original or raw)
    calls = [ready_call(call, identity[1], rules) for call in outcome.calls]
    return line.number, line.start, line.end, calls, original, source, identity


def calls_of(message: ReadyMessage) -> list[ReadyCall]:
    """Give the calls of a message that is ready."""
    return message[3]


def ready_call(call: Call, identity: str, rules: Rules) -> ReadyCall:
    """Put a call into its request and give it its key in the ledger.

    ``identity`` is the text of the message's identity.
    """
    url = build_url(call, rules.wire)
    where = rules.ledger_scopes[call.mode]
    return (
        ledger_key(where, identity, call),
        url,
        call.event_type or "",
        plain_number(call.event_value) if call.kind == "event" else "",
        TOO_LONG if len(url) > LONGEST_URL else "",
        order_key(where, call) if rules.repeated_orders == "skip" else b"",
    )


class CallKeys(Struct):
    """What the search for repeats looks at, of a batch's messages that have calls, in order.

    ``keys`` has the key of each call, end to end, and where orders go out once ``orders``
    likewise those of the orders, zeros for a call of none. ``sizes`` counts each message's
    calls, ``numbers`` has its line's, ``identities`` a hash of its id (0 without one) and one of
    its identity, one after the other: flat arrays cross processes most quickly. ``faults`` has
    the indexes of calls that cannot be sent, ``again`` those of messages out of dead letters.
    """

    keys: bytearray = field(default_factory=bytearray)
    orders: bytearray = field(default_factory=bytearray)
    sizes: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    identities: array[int] = field(default_factory=lambda: array("q"))
    faults: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)

    def add(
        self,
        line: MappedLine,
        outcome: Mapped,
        batch: LineBatch,
        rules: Rules,
        *,
        with_orders: bool = False,
        for_ledger: bool = False,
    ) -> str | None:
        """Take in a message of a batch with its calls, and give its id.

        ``with_orders`` asks for the keys of orders whether or not they go out once,
        ``for_ledger`` for the keys that the ledger has: others do where nobody looks there.
        """
        number, start, end, message, _, letter = line
        if letter is not None:
            self.again.append(len(self.sizes))
        raw = letter.original if letter is not None else batch.data[start:end]
        parts = message_parts(message or {}, raw)
        calls = outcome.calls
        self.sizes.append(len(calls))
        self.numbers.append(number)
        message_id = parts[0]
        self.identities.append(0 if message_id is None else hash(message_id))
        self.identities.append(hash_parts(parts))
        scopes = rules.ledger_scopes
        identity = identity_of(parts)[1] if for_ledger else ""
        for call in calls:
            where = scopes.get(call.mode, b"")
            self.keys += (
                ledger_key(where, identity, call) if for_ledger else run_key(where, parts, call)
            )
        if with_orders or rules.repeated_orders == "skip":
            for call in calls:
                self.orders += order_key(scopes.get(call.mode, b""), call) or _NO_ORDER
        return message_id


_NO_ORDER = bytes(KEY_BYTES)


class MappingJob(Struct):
    """What every job has: the rules, and a ``limit`` of messages that counts down over batches."""

    rules: Rules
    limit: int | None = None

    def lines(self, batch: LineBatch, counts: BatchCounts) -> Iterator[MappedLine]:
        """Give the batch's lines, until the limit of messages that pass the filters is reached."""
        if self.limit is None:
            return map_lines(batch, self.rules)
        return self._limited(self.limit, batch, counts)

    def lines_with_calls(
        self, batch: LineBatch, counts: BatchCounts
    ) -> Iterator[tuple[MappedLine, Mapped]]:
        """Give the batch's lines that yield calls, and those calls; count all the others."""
        if self.limit is None:
            lines = map_lines(batch, self.rules, counts)
        else:
            lines = self.lines(batch, counts)
        for line in lines:
            outcome = counts.count(line)
            if outcome is not None:
                yield line, outcome

    def _limited(self, left: int, batch: LineBatch, counts: BatchCounts) -> Iterator[MappedLine]:
        for line in map_lines(batch, self.rules):
            if left <= 0:
                break
            left -= line.outcome.is_selected
            yield line
        self.limit = left
        counts.exhausted = left <= 0


class ReplayJob(MappingJob):
    """Map a batch and make its calls ready to go."""

    def __call__(self, batch: LineBatch) -> MappedBatch:
        result = MappedBatch()
        # Mapped first and made ready then: the caches keep the code of one thing at a time.
        for line, outcome in [*self.lines_with_calls(batch, result)]:
            raw = batch.data[line.start : line.end]
            result.messages.append(ready_message(line, outcome, raw, self.rules))
        return result
