"""From what was counted to the report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise

from convertro_cli.mapping.rules import EventMap, Rules
from convertro_cli.review.inspect.bounded import BoundedSums
from convertro_cli.review.inspect.copies import CopySums
from convertro_cli.review.inspect.days import day_of, hour_of, moment_of
from convertro_cli.review.inspect.findings import Findings
from convertro_cli.review.inspect.gates import GateNotes
from convertro_cli.review.inspect.lacks import find_lacks
from convertro_cli.review.inspect.notes import warned
from convertro_cli.review.inspect.profile import is_cut
from convertro_cli.review.inspect.report import (
    AtStake,
    CameBefore,
    Consents,
    EventTotal,
    Fault,
    Gap,
    Gates,
    InspectReport,
    Kept,
    Kind,
    Outcome,
    Repeats,
    Rest,
    RunFacts,
    Times,
    TypeTotal,
)
from convertro_cli.review.inspect.sums import Sum
from convertro_cli.review.report.document import Place
from convertro_cli.segment.names import normalise


def build_report(
    found: Findings, rules: Rules, run: RunFacts, *, top: int, copies: CopySums | None = None
) -> InspectReport:
    """Put together what was found under these rules; without settings, see the job's."""
    messages = found.messages
    modes: defaultdict[str, int] = defaultdict(int)
    for (_, mode, _), count in found.profiles.items():
        modes[mode] += count
    return InspectReport(
        run=run,
        read=messages["read"],
        unreadable=messages["unreadable"],
        left_out=messages["left_out"],
        described=messages["read"] - messages["unreadable"] - messages["left_out"],
        types=found.types.counts(),
        other_types=found.types.rest.count,
        modes=dict(sorted(modes.items(), key=lambda item: -item[1])),
        sources=tuple((*source, count) for source, count in found.sources.counts().items()),
        other_sources=found.sources.rest.count,
        events=tuple(_events(found.events, rules.events)),
        dropped_events=_dropped(found.events),
        times=_times(found),
        lacks=tuple(find_lacks(found)),
        repeats=Repeats(found.ids.count(), found.ids.one_in),
        faults=tuple(_faults(found, found.invalid | found.failed, str)),
        warnings=tuple(_faults(found, found.warnings, warned)),
        outcome=Outcome(
            sent=messages["sent"],
            skipped=_ranked(found.skipped),
            invalid=_ranked(found.invalid),
            failed=_ranked(found.failed),
            calls=_ranked(found.calls),
            already_delivered=messages["already_delivered"],
            already_failed=messages["already_failed"],
        ),
        came_before=_came_before(copies or CopySums()),
        gates=_gates(found.gates, rules),
        by_type=tuple(_by_type(found.values)),
        dropped_types=_dropped(found.values),
        dropped_value=found.values.rest.value,
        top=top,
    )


def _came_before(sums: CopySums) -> CameBefore:
    return CameBefore(
        *(AtStake(one.count, one.value) for one in (sums.copies, sums.shared_ids, sums.orders))
    )


def _gates(notes: GateNotes, rules: Rules) -> Gates:
    by_month: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (mark, month), count in sorted(notes.marks.items(), key=lambda item: item[0][1]):
        by_month[month][mark] = count
    categories: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for (category, is_given), count in notes.categories.items():
        categories[category][not is_given] += count
    ranked = sorted(categories.items(), key=lambda item: (-sum(item[1]), item[0]))
    return Gates(
        dict(by_month),
        Consents(
            notes.with_consent,
            notes.asked,
            {category: (given, refused) for category, (given, refused) in ranked},
            bool(rules.consent.categories),
        ),
        tuple(
            Kept(reason, title, number, value)
            for (reason, title), (number, value) in sorted(
                notes.kept_back.totals.items(), key=lambda item: (-item[1][0], item[0])
            )
        ),
    )


def _events(names: BoundedSums[str], table: EventMap) -> Iterator[EventTotal]:
    """Put spellings that normalise alike together, most frequent names first."""
    alike: defaultdict[str, list[tuple[str, Sum]]] = defaultdict(list)
    for name, total in names:
        # What a cut name would be normalised to, nobody knows.
        alike[name if is_cut(name) else normalise(name)].append((name, total))
    totals = [_event(spelt, table) for spelt in alike.values()]
    yield from sorted(totals, key=lambda event: (-event.messages, event.name))


def _event(spelt: list[tuple[str, Sum]], table: EventMap) -> EventTotal:
    spelt.sort(key=lambda item: (-item[1].count, item[0]))
    total = Sum()
    for _, one in spelt:
        total.add(one)
    name = spelt[0][0]
    known = table.look_up(name)
    kind: Kind = "mapped" if known.targets else "unmapped"
    if not name:
        kind = "unnamed"
    elif known.is_order:
        kind = "order"
    elif known.is_install:
        kind = "install"
    return EventTotal(
        name,
        tuple(spelling for spelling, _ in spelt),
        kind,
        known.targets,
        total.count,
        total.sent,
        total.valued,
        total.value,
        total.sent_value,
    )


def _times(found: Findings) -> Times | None:
    if found.first is None or found.last is None:
        return None
    by_day = {day_of(day): total.count for day, total in sorted(found.days)}
    return Times(
        moment_of(found.first),
        moment_of(found.last),
        by_day,
        {hour_of(hour): count for hour, count in sorted(found.hours.items())},
        tuple(_gaps(sorted(day for day, _ in found.days))) if found.days.is_exact else (),
        found.days.is_exact,
    )


def _gaps(days: list[int]) -> Iterator[Gap]:
    for before, after in pairwise(days):
        if after - before > 1:
            yield Gap(day_of(before + 1), day_of(after - 1))


def _faults(
    found: Findings, counts: Mapping[str, int], kept_under: Callable[[str], str]
) -> Iterator[Fault]:
    for reason, count in _ranked(counts).items():
        places = found.places.get(kept_under(reason), ())
        yield Fault(reason, count, tuple(Place(*place) for place in places))


def _by_type(values: BoundedSums[tuple[str, str]]) -> Iterator[TypeTotal]:
    months: defaultdict[str, list[tuple[str, Sum]]] = defaultdict(list)
    for (event_type, month), total in values:
        months[event_type].append((month, total))
    totals = [_type(event_type, sums) for event_type, sums in months.items()]
    yield from sorted(totals, key=lambda total: (-total.value, total.event_type))


def _type(event_type: str, sums: Iterable[tuple[str, Sum]]) -> TypeTotal:
    total = Sum()
    by_month = {}
    for month, one in sorted(sums, key=lambda item: item[0]):
        total.add(one)
        by_month[month] = (one.count, one.value)
    return TypeTotal(event_type, total.count, total.value, by_month)


def _dropped(names: BoundedSums[str] | BoundedSums[tuple[str, str]]) -> Rest:
    return Rest(0, names.rest.count, names.is_exact)


def _ranked(counts: Mapping[str, int]) -> dict[str, int]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {name: count for name, count in ranked if count}
