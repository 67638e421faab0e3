"""What the report shows, whatever it is written in: rows of totals, and examples by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

from convertro_cli.mapping.wire import trait_text
from convertro_cli.review.diff.model import DiffReport
from convertro_cli.review.diff.samples import Group, Groups, Kind, Sample
from convertro_cli.review.diff.tally import DiffTally
from convertro_cli.review.diff.totals import BeforeAfter, Table
from convertro_cli.review.diff.wording import HEADINGS
from convertro_cli.review.masking import ID_FIELDS, Masking, plain_values
from convertro_cli.text import amount, count, signed

MOST_ROWS = 25
"""How many names a table shows; the others are summed up in its last row."""

_ORDER = (
    "mode",
    "call",
    "event_type",
    "event_value",
    "event_id",
    "device_id",
    "user_id",
    "timestamp",
    "skip",
    "invalid",
    "failed",
    "detail",
)


class TotalRow(NamedTuple):
    """A row of totals, as texts. ``role`` tells rows that differ from others and from the sum."""

    name: str
    calls: tuple[str, str, str]
    value: tuple[str, str, str]
    role: Literal["differs", "same", "sum"]


class FieldRow(NamedTuple):
    """A field of an example on both sides, as text; None where it is not there."""

    name: str
    before: str | None
    after: str | None
    changed: bool


def total_rows(table: Table, *, alike: bool = True) -> list[TotalRow]:
    """Give the rows of a table, those that differ most first, and one that sums up all.

    ``alike`` says whether to give rows with the same totals on both sides too. What is not
    given by itself is summed up in one row.
    """
    ranked = list(table.by_weight())
    shown = [item for item in ranked if alike or item[1].differs][:MOST_ROWS]
    others = ranked[len(shown) :]
    has_rest = table.rest.before.calls + table.rest.after.calls > 0
    if len(others) == 1 and not has_rest:
        shown, others = ranked, []
    rows = [_row(name, row) for name, row in shown]
    if others or has_rest:
        rest = BeforeAfter()
        for _, row in others:
            rest.add(row)
        rest.add(table.rest)
        number = f"{count(len(others))} " if others else ""
        same = not has_rest and not any(row.differs for _, row in others)
        name = f"{number}others" if shown else f"all {number}".rstrip()
        rows.append(_row(f"({name}, same totals)" if same else f"({name})", rest))
    if len(rows) > 1:
        rows.append(_row("all", table.sum())._replace(role="sum"))
    return rows


def _row(name: str, row: BeforeAfter) -> TotalRow:
    return TotalRow(
        name,
        (count(row.before.calls), count(row.after.calls), signed(count(row.calls_difference))),
        (
            amount(row.before.value),
            amount(row.after.value),
            signed(amount(row.value_difference)),
        ),
        "differs" if row.differs else "same",
    )


def kinds_differ(tally: DiffTally) -> bool:
    """Whether there are other calls than events that differ: no other table has them."""
    return any(row.differs for kind, row in tally.by_call.rows.items() if kind != "event")


def counted(tally: DiffTally) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Give what is only counted, by heading, as far as there is any."""
    messages = tally.messages
    otherwise = Counter(
        {f"{was} → {now}": number for (was, now), number in messages.otherwise.items()}
    )
    for heading, counts in (
        ("Messages newly sent, by the reason before", messages.newly_sent),
        ("Messages newly skipped, by the reason now", messages.newly_skipped),
        ("Messages still not sent, for another reason", otherwise),
        ("Fields changed", tally.fields),
    ):
        if counts:
            yield heading, counts.most_common()


def filter_rows(report: DiffReport) -> list[tuple[str, str, str, str]]:
    """Give each filter that dropped messages, with how many before and after, and the difference.

    A saved dry run does not say which filter it was.
    """
    before, after = report.tally.messages.filtered_before, report.tally.messages.filtered_after
    rows = []
    for key in sorted({*before, *after}, key=lambda key: (-max(before[key], after[key]), key)):
        then = "–" if report.is_saved else count(before[key])
        difference = "–" if report.is_saved else signed(count(after[key] - before[key]))
        rows.append((": ".join(key), then, count(after[key]), difference))
    return rows


def groups_of(groups: Groups, change: str) -> list[tuple[Kind, Group]]:
    """Give the kinds of one change that have examples, the most frequent first."""
    found = [(kind, group) for kind, group in groups.kinds.items() if kind.change == change]
    return sorted(found, key=lambda item: -item[1].count)


def all_groups(groups: Groups) -> Iterator[tuple[str, list[tuple[Kind, Group]]]]:
    """Give all kinds of change that have examples, by heading."""
    for change, heading in HEADINGS.items():
        found = groups_of(groups, change)
        if found and groups.wanted:
            yield heading, found


def place(sample: Sample, masking: Masking) -> str:
    """Say which message an example is."""
    parts = [sample.source, masking.value(sample.message_id), sample.event]
    return "  ".join(str(part) for part in parts if part is not None)


def field_rows(sample: Sample, masking: Masking, *, urls: bool = True) -> list[FieldRow]:
    """Give an example field by field. The URL is taken apart where it alone changed.

    ``urls`` says whether to give the URL of a call that is there on one side only.
    """
    before, after = sample.before or {}, sample.after or {}
    plain = plain_values(before) | plain_values(after)
    rows = [
        _row_of(name, before.get(name), after.get(name), partial(_field_text, name, masking))
        for name in _ORDER
        if before.get(name) is not None or after.get(name) is not None
    ]
    rows += _traits(before.get("traits") or {}, after.get("traits") or {}, masking)
    if sample.before is None or sample.after is None:
        url = before.get("url") or after.get("url")
        if urls and url is not None:
            show = partial(masking.url, plain=plain)
            rows.append(_row_of("url", before.get("url"), after.get("url"), show))
    elif not any(row.changed for row in rows):
        rows += _url_parts(before.get("url") or "", after.get("url") or "", plain, masking)
    return rows


def _row_of(name: str, before: Any, after: Any, show: Callable[[Any], str]) -> FieldRow:
    """Give a row; None stands for what is not there. Compares before anything is masked."""
    return FieldRow(
        name,
        None if before is None else show(before),
        None if after is None else show(after),
        before != after,
    )


def _field_text(name: str, masking: Masking, value: Any) -> str:
    if name in ID_FIELDS:
        return str(masking.value(value))
    if name == "timestamp" and isinstance(value, int):
        return _moment(value)
    return trait_text(value)


def _moment(timestamp: int) -> str:
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=timestamp)
    except OverflowError:  # an offset put it just beyond the last of all years
        return str(timestamp)
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def _traits(
    before: Mapping[str, Any], after: Mapping[str, Any], masking: Masking
) -> Iterator[FieldRow]:
    for name in dict.fromkeys([*before, *after]):
        old, new = (side.get(name) for side in (before, after))
        yield _row_of(f"traits.{name}", old, new, lambda trait: trait_text(masking.value(trait)))


def _url_parts(
    before: str, after: str, plain: frozenset[str], masking: Masking
) -> Iterator[FieldRow]:
    """Give the parts of two URLs that differ: the address, and each parameter."""
    (old_address, old), (new_address, new) = _taken_apart(before), _taken_apart(after)
    if old_address != new_address:
        yield _row_of("url", old_address, new_address, str)
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            show = partial(masking.parameter, name, plain=plain)
            yield _row_of(f"url: {name}", old.get(name), new.get(name), show)


def _taken_apart(url: str) -> tuple[str, dict[str, str]]:
    address, _, query = url.partition("?")
    pairs = (part.partition("=")[::2] for part in query.split("&") if part)
    return address, {unquote(name): unquote(value) for name, value in pairs}
