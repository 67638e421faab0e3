"""What a comparison found, as a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import PurePath

from convertro_cli.review.diff.examples import examples
from convertro_cli.review.diff.report import DiffReport
from convertro_cli.review.diff.tally import VERDICTS, BeforeAfter, DiffTally, Totals
from convertro_cli.review.masking import Masking
from convertro_cli.review.report.document import (
    Bars,
    Cell,
    Days,
    Document,
    Figure,
    Fitting,
    Pair,
    Part,
    Row,
    Series,
    Table,
    Tone,
)
from convertro_cli.run.unread import in_words
from convertro_cli.text import amount, count, listed, signed, things

MOST_ROWS = 25
"""How many names a table shows; the others are summed up in its last row."""

_MOST_BARS = 10
_LONGEST_FIGURE = 9
_SIDES = ("before#", "after#", "difference#")


def to_document(report: DiffReport, masking: Masking) -> Document:
    """Put the report into words, tables and examples: what changes first, then why."""
    return Document(
        command=f"convertro diff: {report.before} → {report.after}",
        title=f"What changes with {PurePath(report.after).name}",
        lede=f"{summarise(report)} Compared: {_scope(report)}.",
        facts=[("settings", f"{report.before} → {report.after}")],
        warnings=list(_warnings(report)),
        figures=list(_figures(report)),
        parts=list(_parts(report, masking)),
    )


def summarise(report: DiffReport) -> str:
    """Say in a sentence or two what changes: the calls, then what they are worth."""
    return f"{_calls(report)} {_value(report)}".strip()


def _calls(report: DiffReport) -> str:
    calls, same = report.tally.calls, report.tally.calls["unchanged"]
    found = [name for name in VERDICTS[:3] if calls[name]]
    if not found:
        stays = "the only one stays" if same == 1 else f"all {count(same)} stay"
        return f"No call changes: {stays} the same." if same else "No call changes."
    be = "is" if calls[found[0]] == 1 else "are"
    told = [f"{things(calls[found[0]], 'call')} {be} {found[0]}"]
    told += [f"{count(calls[name])} {name}" for name in found[1:]]
    kept = f"{count(same)} stay" if same > 1 else "one stays" if same else "none stays"
    return f"{listed(told)}; {kept} the same."


def _value(report: DiffReport) -> str:
    total = report.tally.by_event_type.total()
    before, after = amount(total.before.value), amount(total.after.value)
    difference = total.value_difference
    if not total.before.count and not total.after.count:
        return ""
    if not difference:
        return f"The events are worth {after}, as before."
    verb = "rises" if difference > 0 else "falls"
    return (
        f"The value of all events {verb} from {before} to {after} ({signed(amount(difference))})."
    )


def _scope(report: DiffReport) -> str:
    """Say what was compared."""
    files = report.files["read"] + report.files["damaged"]
    return f"{things(report.tally.messages.read, 'message')} in {things(files, 'file')}"


def _warnings(report: DiffReport) -> Iterator[str]:
    """Say what the reader must know to take the numbers for what they are."""
    if report.interrupted:
        yield "Interrupted: these are the numbers of what was compared until then."
    yield from report.notes
    for name, what in (
        ("damaged", "damaged, and compared up to the break"),
        ("skipped", f"not read: {in_words(report.unread)}"),
    ):
        if number := report.files[name]:
            were = "was" if number == 1 else "were"
            yield f"{things(number, 'file')} {were} {what}."


def _figures(report: DiffReport) -> Iterator[Figure]:
    tones: dict[str, Tone] = {"added": "added", "removed": "removed", "changed": "changed"}
    for verdict in VERDICTS:
        number = report.tally.calls[verdict]
        tone = tones.get(verdict, "") if number else ""
        yield Figure(f"Calls {verdict}", count(number), tone=tone)
    total = report.tally.by_event_type.total()
    sides = f"{amount(total.before.value)} → {amount(total.after.value)}"
    yield Figure("Value of all events", _briefly(total.value_difference), sides)


def _briefly(difference: Decimal) -> str:
    """Write a difference without its cents where it is long: the summary has them."""
    text = signed(amount(difference))
    return text if len(text) <= _LONGEST_FIGURE else signed(count(round(difference)))


def _parts(report: DiffReport, masking: Masking) -> Iterator[Part]:
    tally = report.tally
    if report.settings:
        changed: list[Row] = [
            [Cell(text, "code") for text in (change.key, *change.texts)]
            for change in report.settings
        ]
        table = Table("Settings that differ", ("key", "before", "after"), changed)
        yield Part("settings", "Settings", [table])
    if tally.by_day:
        yield Part("days", "Calls by day", [_days(tally.by_day)])
    if tally.by_event_type.total() != BeforeAfter():
        types = totals("By Convertro event type", "event type", tally.by_event_type)
        bars = [_bars(tally.by_event_type, unit) for unit in ("value", "calls")]
        yield Part("types", "By Convertro event type", [*bars, types])
    if tally.by_event.total() != BeforeAfter():
        events = totals("By Segment event", "event", tally.by_event)
        yield Part("events", "By Segment event", [events])
    if any(row.differs for kind, row in tally.by_call if kind != "event"):
        # Of other calls no other table has anything.
        yield Part("kinds", "By kind of call", [totals("By kind of call", "call", tally.by_call)])
    counts = [*_by_filter(report), *_counted(tally)]
    if counts:
        yield Part("counts", "Messages and fields", counts)
    for index, (heading, blocks) in enumerate(examples(tally.groups, masking)):
        yield Part(f"examples-{index}", heading, blocks)


def _by_filter(report: DiffReport) -> Iterator[Table]:
    """Give each filter that dropped messages, with how many before and after.

    A saved dry run does not say which filter it was.
    """
    before, after = report.tally.messages.before.by_filter, report.tally.messages.after.by_filter
    rows: list[Row] = []
    for key in sorted({*before, *after}, key=lambda key: (-max(before[key], after[key]), key)):
        then = "–" if report.is_saved else count(before[key])
        by = "–" if report.is_saved else signed(count(after[key] - before[key]))
        rows.append((Cell(": ".join(key), "code"), then, count(after[key]), _difference(by)))
    if rows:
        yield Table("Messages dropped by filters", ("filter", *_SIDES), rows)


def _counted(tally: DiffTally) -> Iterator[Table]:
    """Give what is only counted, as far as there is any."""
    messages = tally.messages
    otherwise = Counter(
        {" → ".join(both): number for both, number in messages.skipped_otherwise.items()}
    )
    for heading, counts in (
        ("Messages newly sent, by the reason before", messages.newly_sent),
        ("Messages newly skipped, by the reason now", messages.newly_skipped),
        ("Messages still not sent, for another reason", otherwise),
        ("Fields changed", tally.fields),
    ):
        if counts:
            ranked = counts.most_common()
            rows = [(Cell(name, "code"), count(number)) for name, number in ranked]
            yield Table(heading, ("", "number#"), rows)


def _days(table: Totals) -> Days:
    rows = {date.fromisoformat(day): row for day, row in table}
    before = Series("before", {day: row.before.count for day, row in rows.items()})
    after = Series("after", {day: row.after.count for day, row in rows.items()})
    return Days("Calls by day (UTC), before and after", [before, after], {})


def _bars(table: Totals, unit: str) -> Bars:
    """Give all events, and the event types that differ most, before and after."""
    pairs = []
    for name, row in [("all", table.total()), *table.by_weight()][: 1 + _MOST_BARS]:
        if unit == "calls":
            calls = (row.before.count, row.after.count)
            pairs.append(Pair(name, *calls, *map(count, calls)))
        else:
            values = (row.before.value, row.after.value)
            pairs.append(Pair(name, *values, *map(amount, values)))
    return Bars(f"{unit.capitalize()} by event type, before and after", pairs)


def totals(title: str, what: str, table: Totals) -> Fitting:
    """Give totals as one table, or as two where that is too wide.

    Rows that differ most come first, and one that sums up all last. What is beyond the most
    rows is summed up in one.
    """
    ranked = list(table.by_weight())
    shown, others = ranked[:MOST_ROWS], ranked[MOST_ROWS:]
    has_rest = table.rest != BeforeAfter()
    if len(others) == 1 and not has_rest:
        shown, others = ranked, []
    if others or has_rest:
        rest = BeforeAfter()
        for row in (*(row for _, row in others), table.rest):
            rest.add(row)
        same = not has_rest and not any(row.differs for _, row in others)
        number = f"{count(len(others))} " if others else ""
        name = f"{number}others" if shown else f"all {number}".rstrip()
        shown.append((f"({name}, same totals)" if same else f"({name})", rest))
    last = table.total() if len(shown) > 1 else None
    both = _table(title, what, shown, last, ("calls", "value"))
    calls = _table(title, what, shown, last, ("calls",))
    return Fitting([[both], [calls, _table("", what, shown, last, ("value",))]])


def _table(
    title: str,
    what: str,
    rows: Sequence[tuple[str, BeforeAfter]],
    total: BeforeAfter | None,
    units: Sequence[str],
) -> Table:
    columns = [what]
    for unit in units:
        columns += [f"{unit} {_SIDES[0]}", *_SIDES[1:]]
    cells = [[Cell(name, "code"), *_cells(row, units)] for name, row in rows]
    if total is None:
        return Table(title, columns, cells)
    last = [Cell("all", "strong"), *_cells(total, units, "strong")]
    return Table(title, columns, cells, total=last)


def _cells(row: BeforeAfter, units: Sequence[str], tone: Tone = "") -> Iterator[Cell]:
    tone = tone or ("" if row.differs else "soft")
    for unit in units:
        if unit == "calls":
            before, after = count(row.before.count), count(row.after.count)
            difference = count(row.calls_difference)
        else:
            before, after = amount(row.before.value), amount(row.after.value)
            difference = amount(row.value_difference)
        yield from (Cell(before, tone), Cell(after, tone), _difference(signed(difference)))


def _difference(text: str) -> Cell:
    tones: dict[str, Tone] = {"+": "added", "−": "removed"}
    return Cell(text, tones.get(text[0], "soft"))
