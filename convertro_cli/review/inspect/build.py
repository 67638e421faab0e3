"""From what was counted to the report."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from convertro_cli.amounts import Name, Rows, Sum, add_up, is_cut
from convertro_cli.mapping.rules import EventMap, Rules
from convertro_cli.review.inspect.findings import Findings, GateCounts, Places
from convertro_cli.review.inspect.profile import find_lacks
from convertro_cli.review.inspect.report import (
    Becomes,
    CameBefore,
    Gap,
    Gates,
    InspectReport,
    Kept,
    Lack,
    NamedEvents,
    NameKind,
    ReadingFacts,
    Repeats,
    Rest,
    Times,
    Trouble,
    TypeTotal,
)
from convertro_cli.review.report.document import Place
from convertro_cli.segment.days import day_of, hour_of, moment_of
from convertro_cli.segment.names import normalise

_NOBODY_ASKS = (
    "It is not looked at: categories in [consent] names the consent that Convertro needs."
)


def build_report(
    found: Findings, rules: Rules, run: ReadingFacts, *, top: int, before: CameBefore | None = None
) -> InspectReport:
    """Put together what was found under these rules; without settings, see the job's."""
    messages, outcomes = found.messages, found.outcomes
    described = messages["read"] - messages["unreadable"] - messages["left_out"]
    modes: Counter[str] = Counter()
    for (_, mode, _), count in found.profiles.items():
        modes[mode] += count
    return InspectReport(
        run=run,
        read=messages["read"],
        unreadable=messages["unreadable"],
        left_out=messages["left_out"],
        described=described,
        types={name: row.count for name, row in _by_count(found.types)},
        other_types=found.types.rest.count,
        modes=dict(modes.most_common()),
        sources=tuple((*source, row.count) for source, row in _by_count(found.sources)),
        other_sources=found.sources.rest.count,
        events=tuple(_events(found, rules.events)),
        dropped_events=Rest(0, found.events.rest.count, found.events.is_exact),
        times=_times(found),
        lacks=tuple(_lacks(found, described)),
        repeats=Repeats(found.ids.count(), found.ids.one_in),
        faults=tuple(_troubles(outcomes.invalid + outcomes.failed, found.places)),
        warnings=tuple(_troubles(found.warnings, found.warned)),
        outcome=Becomes(
            sent=outcomes.messages["sent"],
            already_delivered=outcomes.messages["already_delivered"],
            already_failed=outcomes.messages["already_failed"],
            skipped=_ranked(outcomes.skipped),
            invalid=_ranked(outcomes.invalid),
            failed=_ranked(outcomes.failed),
            calls=_ranked(outcomes.calls),
        ),
        came_before=before or CameBefore(),
        gates=_gates(found.gates, rules),
        by_type=tuple(_by_type(outcomes.values)),
        dropped_types=outcomes.values.rest,
        top=top,
    )


def _by_count(rows: Rows[Name, Sum]) -> list[tuple[Name, Sum]]:
    return sorted(rows, key=lambda item: -item[1].count)


def _ranked(counts: Mapping[str, int]) -> dict[str, int]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {name: count for name, count in ranked if count}


def _events(found: Findings, table: EventMap) -> Iterator[NamedEvents]:
    """Put spellings that normalise alike together, most frequent names first."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name, _ in found.events:
        # What a cut name would be normalised to, nobody knows.
        alike[name if is_cut(name) else normalise(name)].append(name)
    totals = [_event(names, found, table) for names in alike.values()]
    yield from sorted(totals, key=lambda event: (-event.messages, event.name))


def _event(names: list[str], found: Findings, table: EventMap) -> NamedEvents:
    names.sort(key=lambda name: (-found.events[name].count, name))
    amounts, sent = (
        add_up(rows[name] for name in names if name in rows)
        for rows in (found.amounts, found.outcomes.events)
    )
    known = table.look_up(names[0])
    kind: NameKind = "mapped" if known.targets else "unmapped"
    if not names[0]:
        kind = "unnamed"
    elif known.is_order:
        kind = "order"
    elif known.is_install:
        kind = "install"
    return NamedEvents(
        names[0],
        tuple(names),
        kind,
        known.targets,
        sum(found.events[name].count for name in names),
        sent.count,
        amounts.count,
        amounts.value,
        sent.value,
    )


def _times(found: Findings) -> Times | None:
    if found.first is None or found.last is None:
        return None
    days = sorted(day for day, _ in found.days)
    gaps = [
        Gap(day_of(before + 1), day_of(after - 1))
        for before, after in pairwise(days)
        if after - before > 1
    ]
    return Times(
        moment_of(found.first),
        moment_of(found.last),
        {day_of(day): found.days[day].count for day in days},
        {hour_of(hour): count for hour, count in sorted(found.hours.items())},
        tuple(gaps) if found.days.is_exact else (),
        found.days.is_exact,
    )


def _lacks(found: Findings, described: int) -> Iterator[Lack]:
    yield from find_lacks(found.profiles)
    if described:
        yield Lack("message id", "messages", found.messages["without_id"], described)
        yield Lack("readable time", "messages", found.messages["without_time"], described)


def _troubles(counts: Mapping[str, int], places: Places) -> Iterator[Trouble]:
    for reason, count in _ranked(counts).items():
        found = places.get(reason, ())
        yield Trouble(reason, count, tuple(Place(*place) for place in found))


def _gates(counts: GateCounts, rules: Rules) -> Gates:
    is_asked_for = bool(rules.consent.categories)
    totals = counts.kept_back.totals.items()
    return Gates(
        counts.by_month(),
        counts.with_consent,
        counts.asked,
        counts.by_category(),
        _NOBODY_ASKS if counts.with_consent and not is_asked_for else "",
        tuple(
            Kept(reason, title, kept.count, kept.value)
            for (reason, title), kept in sorted(totals, key=lambda item: (-item[1].count, item[0]))
        ),
    )


def _by_type(values: Rows[tuple[str, str], Sum]) -> Iterator[TypeTotal]:
    months: defaultdict[str, dict[str, Sum]] = defaultdict(dict)
    for (event_type, month), total in sorted(values, key=lambda item: item[0]):
        months[event_type][month] = total
    sums = {event_type: add_up(by_month.values()) for event_type, by_month in months.items()}
    for event_type in sorted(sums, key=lambda name: (-sums[name].value, name)):
        total = sums[event_type]
        yield TypeTotal(event_type, total.count, total.value, months[event_type])
