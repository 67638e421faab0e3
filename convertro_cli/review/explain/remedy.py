"""The smallest change of settings or data that would have sent a message.

Changes are tried out, the smallest first: what a fault hides comes to light only when it is mended.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count

from convertro_cli.mapping.calls import Invalid, Mapped, Outcome, Skipped
from convertro_cli.mapping.jobs import TOO_LONG
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.wire import LONGEST_URL, build_url
from convertro_cli.review.explain.changes import ProposedChange, Situation
from convertro_cli.review.explain.proposals import propose

_MOST_CHANGES = 8
_MOST_TRIED = 600
_HARDLY_MORE = 2

Remedy = tuple[ProposedChange, ...]


def why_not_sent(outcome: Outcome, rules: Rules) -> str | None:
    """Name the reason why a message is not sent; None where all of its calls are."""
    match outcome:
        case Skipped(reason):
            return reason.value
        case Invalid(fault, _):
            return fault.value
        case Mapped(calls, _):
            urls = (build_url(call, rules.wire) for call in calls)
            return TOO_LONG if any(len(url) > LONGEST_URL for url in urls) else None


def find_remedies(situation: Situation, *, most: int = 2) -> list[Remedy]:
    """Find the smallest remedies, the smallest first: none where there is none.

    The others cost hardly more than the first.
    """
    found: list[Remedy] = []
    order = count()  # where costs are equal, what was proposed first
    waiting: list[tuple[int, int, Remedy, Situation]] = [(0, next(order), (), situation)]
    for _ in range(_MOST_TRIED):
        if not waiting or len(found) == most:
            break
        cost, _, changes, current = heappop(waiting)
        if found and cost > _cost(found[0]) + _HARDLY_MORE:
            break
        outcome = current.outcome()
        if why_not_sent(outcome, current.rules) is None:
            needed = _needed(situation, changes)
            if needed not in found:
                found.append(needed)
        elif len(changes) < _MOST_CHANGES:
            for change, changed in _further(current, outcome):
                heappush(waiting, (cost + change.cost, next(order), (*changes, change), changed))
    return sorted(found, key=_cost)


def _cost(changes: Remedy) -> int:
    return sum(change.cost for change in changes)


def _further(situation: Situation, outcome: Outcome) -> Iterator[tuple[ProposedChange, Situation]]:
    stopped = None if isinstance(outcome, Mapped) else outcome
    for change in propose(stopped, situation.message, situation.settings, situation.rules):
        changed = change.make(situation)
        if changed is not None:
            yield change, changed


def _needed(situation: Situation, changes: Remedy) -> Remedy:
    """Leave out the changes that later ones have made needless."""
    for change in changes:
        others = tuple(other for other in changes if other is not change)
        if _sends(situation, others):
            return _needed(situation, others)
    return changes


def _sends(situation: Situation, changes: Remedy) -> bool:
    current: Situation | None = situation
    for change in changes:
        current = change.make(current) if current else None
    return current is not None and why_not_sent(current.outcome(), current.rules) is None
