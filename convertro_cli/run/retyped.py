"""Events that were delivered under another type, and would go out again under that of now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from convertro_cli.mapping.retyping import TypedKeys
from convertro_cli.record.ledger import CallState, Settled
from convertro_cli.record.seen_calls import SeenCalls
from convertro_cli.text import listed, things

_MOST_KINDS = 1_000
_MOST_TOLD = 10
_MOST_AT_ONCE = 200_000  # in the whole of a run each counts once, up to so many
_REMEDY = "Convertro would have them twice: keep their types, or leave them out with --since."


class Retyped(NamedTuple):
    """Messages that are alike in this: the types that were delivered, and those that would be."""

    was: tuple[str, ...]
    now: tuple[str, ...]
    is_order: bool


class Settlements(Protocol):
    """Knows what became of calls: a ledger that is only looked into."""

    def look_up(self, keys: Sequence[bytes]) -> Mapping[bytes, Settled]:
        """Tell which of these calls are settled, and how."""


class RetypedSearch:
    """Counts the messages of which a ledger has an event as delivered, but under another type.

    ``counts`` has how many they are by ``Retyped``; of more kinds than a report can show the rest
    is in ``others``. A message that comes twice counts once.
    """

    def __init__(self, known: Settlements) -> None:
        self.counts: Counter[Retyped] = Counter()
        self.others = 0
        self._known = known
        self._seen = SeenCalls(_MOST_AT_ONCE)

    def review(self, messages: Sequence[TypedKeys]) -> None:
        """Look at the messages of a batch."""
        if not messages:
            return
        keys = [key for _, *sides in messages for side in sides for _, key in side]
        settled = self._known.look_up(keys)
        for is_order, now, before in messages:
            was = _distinct(each for each, key in before if _is_sent(settled.get(key)))
            new = _distinct(each for each, key in now if key not in settled)
            if was and new and self._seen.add(now[0][1]) is None:
                self._count(Retyped(was, new, is_order))

    @property
    def total(self) -> int:
        """How many messages were found."""
        return self.counts.total() + self.others

    def as_json(self) -> list[dict[str, Any]]:
        """Give the counts as a summary has them, the most frequent first."""
        found: list[dict[str, Any]] = [
            {"was": list(kind.was), "now": list(kind.now), "orders": kind.is_order, "count": number}
            for kind, number in self.counts.most_common()
        ]
        return [*found, {"count": self.others}] if self.others else found

    def in_words(self) -> list[str]:
        """Give a sentence for each kind, the most frequent first, one for the rest, and a way out.

        Nothing where nothing was found.
        """
        ranked = self.counts.most_common()
        sentences = [_sentence(kind, number) for kind, number in ranked[:_MOST_TOLD]]
        rest = sum(number for _, number in ranked[_MOST_TOLD:]) + self.others
        if rest:
            sentences.append(f"{things(rest, 'event')} of other types would go out again, too.")
        return [*sentences, _REMEDY] if sentences else []

    def _count(self, kind: Retyped) -> None:
        if kind in self.counts or len(self.counts) < _MOST_KINDS:
            self.counts[kind] += 1
        else:
            self.others += 1


def _sentence(kind: Retyped, number: int) -> str:
    what = things(number, "order" if kind.is_order else "event")
    return f"{what} delivered as {listed(kind.was)} would go out again as {listed(kind.now)}."


def _is_sent(settled: Settled | None) -> bool:
    return settled is not None and settled.state is CallState.SENT


def _distinct(types: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(types))
