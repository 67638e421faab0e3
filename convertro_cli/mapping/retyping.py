"""Events under other types: the keys that the ledger has them by if other settings sent them.

The ledger's key of a call holds its event type, so that an event which was delivered as one type
is unknown as another, and would go out once more. Settings of before are not kept; but a type
that they may have given an event can be put into its key, and looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from convertro_cli.mapping.calls import Call, Mapped
from convertro_cli.mapping.jobs import BatchCounts, MappingJob
from convertro_cli.mapping.ledger_key import ledger_key, message_identity
from convertro_cli.mapping.lines import MappedLine
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.batch import LineBatch

TypedKeys = tuple[bool, list[tuple[str, bytes]], list[tuple[str, bytes]]]
"""A message's events as two sets of settings have them: whether it is an order; the event types
that it goes out as now, each with its key; and those that it may have gone out as before."""

_SALES = ("sale", "sale.new", "sale.repeat")


def typed_keys(
    line: MappedLine, calls: Sequence[Call], before: Iterable[str], batch: LineBatch, rules: Rules
) -> TypedKeys | None:
    """Give a message's keys under the types of now and of before; None where there is none.

    A type that it goes out as now anyway is none of before: what an interrupted run left over
    is no event under another type.
    """
    events = [call for call in calls if call.kind == "event"]
    types = {call.event_type for call in events}
    others = [each for each in before if each not in types]
    if not events or not others:
        return None
    letter = line.dead_letter
    raw = letter.original if letter is not None else batch.data[line.start : line.end]
    identity = message_identity(line.message or {}, raw)[1]
    scopes = dict.fromkeys(rules.ledger_scopes.values())  # another mode may have sent it, too
    now = [
        (call.event_type or "", ledger_key(rules.ledger_scopes[call.mode], identity, call))
        for call in events
    ]
    then = [
        (each, ledger_key(scope, identity, events[0]._replace(event_type=each)))
        for each in others
        for scope in scopes
    ]
    is_order = events[0].order_id is not None
    return is_order, now, then


class Retyping(Struct, frozen=True):
    """Finds out which types a message's events may have had. ``delivered`` are some that
    earlier runs are known to have delivered."""

    rules: Rules
    delivered: tuple[str, ...]

    def keys(self, line: MappedLine, outcome: Mapped, batch: LineBatch) -> TypedKeys | None:
        """Give the keys of a message's events; None where it has none."""
        before = dict.fromkeys(self._types_before(line))
        return typed_keys(line, outcome.calls, before, batch, self.rules)

    def _types_before(self, line: MappedLine) -> Iterator[str]:
        event = (line.message or {}).get("event")
        if isinstance(event, str):
            name = self.rules.events.look_up(event)
            yield event
            yield from name.targets
            if name.is_order:
                yield from _SALES
        yield from self.delivered


class RetypingJob(MappingJob):
    """Give the keys of a batch's events, and nothing else of it."""

    delivered: tuple[str, ...] = ()

    def __call__(self, batch: LineBatch) -> tuple[list[TypedKeys], bool]:
        """Besides, tell whether the limit of messages was reached."""
        counts = BatchCounts()
        retyping = Retyping(self.rules, self.delivered)
        found = (
            retyping.keys(line, outcome, batch)
            for line, outcome in self.lines_with_calls(batch, counts)
        )
        return [keys for keys in found if keys is not None], counts.exhausted
