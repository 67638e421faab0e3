"""What a gate kept back by somebody's choice: how many messages, and what they would be worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from convertro_cli.amounts import Sum


class KeptBack(Struct):
    """Messages and values, by reason and by what the reason's title is: a filter's, mostly."""

    totals: dict[tuple[str, str], Sum] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.totals)

    def note(self, reason: str, title: str, worth: float) -> None:
        """Count one message."""
        self.totals.setdefault((reason, title), Sum()).add_one(worth)

    def add(self, other: KeptBack) -> None:
        """Count all that another has."""
        for key, some in other.totals.items():
            self.totals.setdefault(key, Sum()).add(some)

    def by_reason(self) -> dict[str, Sum]:
        """Give the totals of each reason, the greatest number first."""
        return _ranked((reason, kept) for (reason, _), kept in self.totals.items())

    def by_title(self, reason: str) -> dict[str, Sum]:
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


def _shown(kept: Sum) -> Mapping[str, int | float]:
    return {"messages": kept.count, "value": float(kept.value)}


def _ranked(totals: Iterable[tuple[str, Sum]]) -> dict[str, Sum]:
    sums: dict[str, Sum] = {}
    for name, some in totals:
        sums.setdefault(name, Sum()).add(some)
    return dict(sorted(sums.items(), key=lambda item: -item[1].count))
