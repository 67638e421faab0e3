"""What a gate kept back by somebody's choice: how many messages, and what they would be worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from convertro_cli.segment.ids import plain_number
from convertro_cli.segment.money import EXACTLY

Kept = tuple[int, Decimal]
"""A number of messages, and the exact sum of their values."""

NOTHING: Kept = (0, Decimal(0))


@dataclass(slots=True)
class KeptBack:
    """Numbers and values, by reason and by what the reason's title is: a filter's, mostly."""

    totals: dict[tuple[str, str], Kept] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.totals)

    def add(self, reason: str, title: str, worth: int | float) -> None:
        """Count one message."""
        number, value = self.totals.get((reason, title), NOTHING)
        if worth:
            value = EXACTLY.add(value, Decimal(plain_number(worth)))
        self.totals[reason, title] = number + 1, value

    def update(self, other: KeptBack) -> None:
        """Count all that another has."""
        for key, (number, value) in other.totals.items():
            known, worth = self.totals.get(key, NOTHING)
            self.totals[key] = known + number, EXACTLY.add(worth, value)

    def by_reason(self) -> dict[str, Kept]:
        """Give the totals of each reason, the greatest number first."""
        return _ranked((reason, kept) for (reason, _), kept in self.totals.items())

    def by_title(self, reason: str) -> dict[str, Kept]:
        """Give the totals of a reason by title, the greatest number first; none without one."""
        return _ranked(
            (title, kept) for (one, title), kept in self.totals.items() if one == reason and title
        )

    def as_json(self) -> dict[str, object]:
        """Give the totals as the summary has them."""
        shown: dict[str, object] = {}
        for reason, kept in self.by_reason().items():
            by_title = {title: _shown(some) for title, some in self.by_title(reason).items()}
            shown[reason] = {**_shown(kept), **({"by_title": by_title} if by_title else {})}
        return shown


def _shown(kept: Kept) -> Mapping[str, int | float]:
    return {"messages": kept[0], "value": float(kept[1])}


def _ranked(totals: Iterable[tuple[str, Kept]]) -> dict[str, Kept]:
    sums: dict[str, Kept] = {}
    for name, (number, value) in totals:
        known, worth = sums.get(name, NOTHING)
        sums[name] = known + number, EXACTLY.add(worth, value)
    return dict(sorted(sums.items(), key=lambda item: -item[1][0]))
