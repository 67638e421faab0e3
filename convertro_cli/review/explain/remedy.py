"""The smallest change of settings or data that would have sent a message.

Changes are tried out, the smallest first: what a fault hides comes to light only when it is mended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import Any

from convertro_cli.destination_filters.filters import DestinationFilters
from convertro_cli.mapping.calls import Invalid, Mapped, Outcome, Skipped
from convertro_cli.mapping.jobs import TOO_LONG
from convertro_cli.mapping.message import map_message
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.wire import LONGEST_URL, build_url
from convertro_cli.review.explain.changes import (
    DataChange,
    FilterSwitchedOff,
    OptionDropped,
    ProposedChange,
    SettingChange,
)
from convertro_cli.review.explain.proposals import propose
from convertro_cli.segment.ids import InexactNumberError
from convertro_cli.segment.json_text import read_json_exactly, write_json
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import check
from convertro_cli.settings.model import Settings

_MOST_CHANGES = 8
_MOST_TRIED = 600
_HARDLY_MORE = 2

Remedy = tuple[ProposedChange, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """A message, and all that decides what becomes of it.

    ``rules`` are made of the settings, of the user's filters, and of the files that the settings
    name; ``folder`` is that of the settings.
    """

    message: Mapping[str, Any]
    settings: Settings
    rules: Rules
    folder: Path

    def outcome(self) -> Outcome:
        """Map the message, as a dry run does."""
        try:
            return map_message(self.message, self.rules)
        except InexactNumberError:  # only what the message becomes after a change asks for it
            return map_message(read_json_exactly(write_json(self.message)), self.rules)

    def after(self, change: ProposedChange) -> Situation | None:
        """Give the situation with a change made; None where the settings do not allow it."""
        match change:
            case DataChange():
                return replace(self, message=change.make(self.message))
            case OptionDropped():
                selection = change.make(self.rules.selection)
                return replace(self, rules=replace(self.rules, selection=selection))
            case FilterSwitchedOff():
                filtering = self.rules.destination_filters
                if not isinstance(filtering, DestinationFilters):
                    return None
                rules = replace(self.rules, destination_filters=change.make(filtering))
                return replace(self, rules=rules)
            case SettingChange():
                return self._with_setting(change)

    def _with_setting(self, change: SettingChange) -> Situation | None:
        tables = self.settings.model_dump(exclude_unset=True)
        change.make(tables)
        settings, faults = check(tables, folder=self.folder)
        if settings is None or faults:
            return None
        rules = replace(
            compile_rules(settings, self.rules.selection),
            latest=self.rules.latest,
            suppressed=self.rules.suppressed,
            destination_filters=self.rules.destination_filters,
        )
        return replace(self, settings=settings, rules=rules)


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
        changed = situation.after(change)
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
        current = current.after(change) if current else None
    return current is not None and why_not_sent(current.outcome(), current.rules) is None
