"""Which calls a replay would not send again: they came before, or an earlier run settled them.

It decides as the intake of a replay does, for whoever only looks: the dry run, inspect, diff.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from itertools import accumulate, chain, repeat
from typing import NamedTuple

from convertro_cli.mapping.jobs import CallKeys
from convertro_cli.mapping.ledger_key import KEY_BYTES
from convertro_cli.record.known_calls import KnownCalls
from convertro_cli.record.ledger import CallState, Settled
from convertro_cli.record.message_ids import MessageIds
from convertro_cli.record.seen_calls import MOST_IN_MEMORY, SeenCalls
from convertro_cli.record.tally import Fate

_NO_ORDER = bytes(KEY_BYTES)


class Repeat(Enum):
    """Why a call would not be sent: the word for it on a dry run's line, and how it counts.

    A call for an order that another message brings has no line.
    """

    EARLIER = ("earlier", Fate.ALREADY_DELIVERED)
    EARLIER_FAILED = ("earlier", Fate.ALREADY_FAILED)
    DELIVERED = ("delivered", Fate.ALREADY_DELIVERED)
    FAILED = ("failed", Fate.ALREADY_FAILED)
    IN_DOUBT = ("in_doubt", Fate.IN_DOUBT)
    ORDER = ("", Fate.REPEATED_ORDER)

    @property
    def word(self) -> str:
        """The word for it."""
        return self.value[0]

    @property
    def fate(self) -> Fate:
        """How it counts."""
        return self.value[1]


class Repeated(NamedTuple):
    """A message some of whose calls would not be sent.

    ``message`` is its index among those of its batch that have calls, ``first`` that of its
    first call; ``calls`` has for each of them why it would not be sent, None where it would.
    ``fate`` is the message's, the worst of all its calls.
    """

    message: int
    first: int
    calls: Sequence[Repeat | None]
    fate: Fate


class Review(NamedTuple):
    """What was found in a batch, in order.

    ``shared`` has the lines' numbers of messages whose id another one had before.
    """

    messages: Sequence[Repeated] = ()
    shared: Sequence[int] = ()
    possibly_repeated: int = 0


class RepeatSearch:
    """Looks at all calls of a run, in the order of the export.

    ``known`` has what earlier runs did, None where there is no ledger. ``resend`` and
    ``at_most_once`` are the replay's.
    """

    def __init__(
        self,
        known: KnownCalls | None = None,
        *,
        resend: bool = False,
        at_most_once: bool = False,
        most_in_memory: int = MOST_IN_MEMORY,
    ) -> None:
        self._seen = SeenCalls(most_in_memory)
        self._message_ids = MessageIds()
        self._known = known
        self._resend = resend
        self._at_most_once = at_most_once
        self._possibly_repeated = 0

    def review(self, calls: CallKeys) -> Review:
        """Look at a batch's calls."""
        hashes = iter(calls.identities)  # none where nobody asks
        shared = self._message_ids.find_shared(
            zip(calls.numbers, hashes, hashes)  # noqa: B905
        )
        repeats = self._find_repeats(calls)
        doubts, self._possibly_repeated = self._possibly_repeated, 0
        return Review(list(_by_message(calls, repeats)) if repeats else (), shared, doubts)

    def _find_repeats(self, calls: CallKeys) -> dict[int, Repeat]:
        """Give why calls would not be sent, by their indexes."""
        known: Mapping[bytes, Settled] = {}
        if self._known is not None:
            known = self._known.look_up(_split(calls.keys) + _split(calls.orders))
        doubtful = self._known is not None and self._known.has_doubts
        if known or doubtful or calls.orders or calls.faults:
            return self._judge_each(calls, known)
        return {
            index: Repeat.EARLIER_FAILED if failed else Repeat.EARLIER
            for index, failed in self._seen.add_all(bytes(calls.keys))
        }

    def _judge_each(self, calls: CallKeys, known: Mapping[bytes, Settled]) -> dict[int, Repeat]:
        keys, faults, again = _split(calls.keys), set(calls.faults), set(calls.again)
        orders = _split(calls.orders) or [_NO_ORDER] * len(keys)
        messages = chain.from_iterable(repeat(*item) for item in enumerate(calls.sizes))
        found = {}
        for index, (key, order, message) in enumerate(zip(keys, orders, messages, strict=True)):
            why = self._judge(key, order, known, fails=index in faults, again=message in again)
            if why is not None:
                found[index] = why
        return found

    def _judge(
        self, key: bytes, order: bytes, known: Mapping[bytes, Settled], *, fails: bool, again: bool
    ) -> Repeat | None:
        before = self._seen.find(key)
        if before is not None:
            return Repeat.EARLIER_FAILED if before else Repeat.EARLIER
        settled = known.get(key)
        if settled is not None and not self._resend:
            if settled.state is CallState.SENT:
                self._note_order(order)
                return Repeat.DELIVERED
            if not again:
                return Repeat.FAILED
        if fails:
            self._seen.add(key, failed=True)
            return None
        if order != _NO_ORDER and (
            self._seen.find(order) is not None or (order in known and not self._resend)
        ):
            return Repeat.ORDER
        if self._known is not None and self._known.is_in_doubt(key, order):
            if self._at_most_once:
                return Repeat.IN_DOUBT
            self._possibly_repeated += 1
        self._note_order(order)
        self._seen.add(key)
        return None

    def _note_order(self, order: bytes) -> None:
        if order != _NO_ORDER:
            self._seen.add(order)


def _split(keys: bytearray) -> list[bytes]:
    whole = bytes(keys)
    return [whole[start : start + KEY_BYTES] for start in range(0, len(whole), KEY_BYTES)]


def _by_message(calls: CallKeys, repeats: dict[int, Repeat]) -> Iterator[Repeated]:
    faults = set(calls.faults)
    ends = accumulate(calls.sizes)
    for index, (end, size) in enumerate(zip(ends, calls.sizes, strict=True)):
        places = range(end - size, end)
        found = [repeats.get(place) for place in places]
        if any(found):
            fates = (
                why.fate if why else Fate.FAILED if place in faults else Fate.DELIVERED
                for place, why in zip(places, found, strict=True)
            )
            yield Repeated(index, end - size, found, max(fates))
