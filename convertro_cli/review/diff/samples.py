"""Examples of each kind of change, a few of each kind, and never too much of an event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from msgspec import Struct, field

from convertro_cli.amounts import cut_name
from convertro_cli.mapping.wire import trait_text
from convertro_cli.review.diff.calls import Fields
from convertro_cli.review.masking import Masking

MOST_KINDS = 50
"""Of how many kinds examples are kept, for calls added, removed and so on apart."""

_LONGEST_TEXT = 2_000
_MOST_TRAITS = 50


class ChangeKind(NamedTuple):
    """What makes two changes alike.

    Calls added or removed are alike by their kind and event type, and by why the message was
    or is not sent (``was``, ``now``; None where it is sent); changed ones by the fields that
    changed; a message that is not sent on either side (``reason``) by why.
    """

    change: str
    call: str | None = None
    event_type: str | None = None
    fields: tuple[str, ...] = ()
    was: str | None = None
    now: str | None = None


class ChangeSample(NamedTuple):
    """One change, with the place of its message in the export. ``event`` is the message's name.

    The two sides are fields of a dry run's lines, cut short where they are very long.
    """

    source: str
    message_id: str | None
    event: str | None
    before: Fields | None
    after: Fields | None

    def told(self, masking: Masking) -> dict[str, Any]:
        """Give the change with as much of ids and traits as may be shown."""
        return {
            "source": self.source,
            "message_id": masking.value(self.message_id),
            "event": self.event,
            "before": None if self.before is None else masking.call(self.before),
            "after": None if self.after is None else masking.call(self.after),
        }


class Group(Struct):
    """All changes of one kind: how many, and the first few of them."""

    count: int = 0
    samples: list[ChangeSample] = field(default_factory=list)


class Groups(Struct):
    """Changes by kind, ``wanted`` samples of each.

    A part of an export is small, and all its kinds are counted. Of the whole a bounded number of
    kinds is kept, the first ones, of each change apart.
    """

    wanted: int
    kinds: dict[ChangeKind, Group] = field(default_factory=dict)

    def note(self, kind: ChangeKind, sample: Callable[[], ChangeSample] | None) -> None:
        """Count a change, and keep it as a sample while there are not enough of its kind."""
        group = self.kinds.get(kind)
        if group is None:
            group = self.kinds[kind] = Group()
        group.count += 1
        if sample is not None and len(group.samples) < self.wanted:
            group.samples.append(_shortened(sample()))

    def add(self, other: Groups) -> None:
        """Add the changes of a later part of the export."""
        known = Counter(kind.change for kind in self.kinds)
        for kind, more in other.kinds.items():
            group = self.kinds.get(kind)
            if group is None and known[kind.change] < MOST_KINDS:
                known[kind.change] += 1
                group = self.kinds[kind] = Group()
            if group is not None:
                group.count += more.count
                group.samples += more.samples[: self.wanted - len(group.samples)]

    def told(self, masking: Masking) -> list[dict[str, Any]]:
        """Give each kind with its samples, as programs read them."""
        return [
            {
                **{name: value for name, value in kind._asdict().items() if value},
                "count": group.count,
                "examples": [sample.told(masking) for sample in group.samples],
            }
            for kind, group in self.kinds.items()
        ]

    def take_out(self, other: Groups) -> None:
        """Take out some of the changes that were noted."""
        for kind, fewer in other.kinds.items():
            group = self.kinds[kind]
            group.count -= fewer.count
            group.samples = [sample for sample in group.samples if sample not in fewer.samples]
            if not group.count:
                del self.kinds[kind]


class Handed:
    """The samples that a process has handed over, of the batches that it had.

    A later batch of a process is later in the export too. So once it has handed over as many of
    a kind as are wanted, no more of its samples are ever kept; nor are those of a new kind once
    it has met as many kinds as are kept.
    """

    def __init__(self) -> None:
        self._samples: dict[ChangeKind, int] = {}
        self._kinds: Counter[str] = Counter()

    def are_enough(self, kind: ChangeKind, wanted: int) -> bool:
        """Whether no more samples of a kind are needed."""
        handed = self._samples.get(kind)
        return self._kinds[kind.change] >= MOST_KINDS if handed is None else handed >= wanted

    def note(self, groups: Groups) -> None:
        """Remember what is handed over with a batch."""
        for kind, group in groups.kinds.items():
            if kind not in self._samples:
                if self._kinds[kind.change] >= MOST_KINDS:
                    continue
                self._kinds[kind.change] += 1
            self._samples[kind] = self._samples.get(kind, 0) + len(group.samples)


def _shortened(sample: ChangeSample) -> ChangeSample:
    return ChangeSample(
        sample.source,
        _short(sample.message_id),
        None if sample.event is None else cut_name(sample.event),
        *(
            None if side is None else {name: _short(value) for name, value in side.items()}
            for side in (sample.before, sample.after)
        ),
    )


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TEXT else f"{value[:_LONGEST_TEXT]}…"
    if isinstance(value, Mapping):
        traits = {
            cut_name(name): _short_trait(trait)
            for name, trait in islice(value.items(), _MOST_TRAITS)
        }
        left = len(value) - len(traits)
        return traits | ({"…": f"{left:,} more"} if left > 0 else {})
    return value


def _short_trait(value: Any) -> Any:
    if isinstance(value, Mapping | list):
        text = trait_text(value)
        return value if len(text) <= _LONGEST_TEXT else _short(text)
    return _short(value)
