"""What ``inspect`` reports: plain values, the same for every format, and its JSON as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar, TypedDict

from msgspec import Struct, field

from convertro_cli.amounts import Name, Rows, Sum
from convertro_cli.errors import ExitCode
from convertro_cli.mapping.rules import Rules
from convertro_cli.review.inspect import parts
from convertro_cli.review.inspect.events import Events
from convertro_cli.review.inspect.findings import CameBefore, Findings
from convertro_cli.review.inspect.profile import Lack, find_lacks

OTHER = "(other)"
"""In place of the types that were too many to be kept."""


class ReadingFacts(TypedDict):
    """How the reading went. ``files`` counts those read, skipped and damaged.

    ``settings`` names the file that the rules are from, if they are from one; ``unread`` counts
    the skipped files by reason. ``filtered`` says that there were filters.
    """

    settings: str | None
    filtered: bool
    files: Mapping[str, int]
    unread: Mapping[str, int]
    bytes_read: int
    elapsed_s: float
    interrupted: bool
    exit_code: ExitCode


class InspectReport(Struct, frozen=True, kw_only=True):
    """All that was found, under the names that programs read; see also ``ReadingFacts``.

    ``copies`` are calls of messages that are there twice, which are not sent again;
    ``shared_message_ids`` messages whose id a different one had before; ``repeated_orders`` calls
    for orders that another message brought before. ``web_messages`` are by month and by their
    mark of delivery in the browser. Event types and names beyond the ``top`` are summed up where
    people read.
    """

    settings: str | None
    messages: parts.MessagesSeen
    types: Mapping[str, int]
    modes: Mapping[str, int]
    sources: tuple[parts.Source, ...]
    other_sources: int
    events: Events
    time: parts.Times | None
    lacking: tuple[Lack, ...]
    repeated_message_ids: parts.RepeatedMessages
    would_be_sent: parts.Becomes
    copies: parts.CallsWorth
    shared_message_ids: parts.MessagesWorth
    repeated_orders: parts.CallsWorth
    web_messages: tuple[Mapping[str, Any], ...]
    consent: parts.ConsentCarried
    kept_back: tuple[parts.Kept, ...]
    invalid: Mapping[str, parts.Trouble]
    warnings: Mapping[str, parts.Trouble]
    by_event_type: Mapping[str, parts.TypeTotal]
    other_event_types: parts.CallsWorth
    top: int
    filtered: bool
    files: Mapping[str, int]
    unread: Mapping[str, int] = field(default_factory=dict)
    bytes_read: int
    elapsed_s: float
    interrupted: bool = False
    exit_code: ExitCode

    ASIDE: ClassVar = {"other_sources", "other_event_types", "top", "filtered"}


def build_report(
    found: Findings, rules: Rules, run: ReadingFacts, *, top: int, before: CameBefore | None = None
) -> InspectReport:
    """Put together what was found under these rules; without settings, see the job's."""
    numbers, outcomes, before = found.messages, found.outcomes, before or CameBefore()
    described = numbers["read"] - numbers["unreadable"] - numbers["left_out"]
    modes: Counter[str] = Counter()
    for (_, mode, _), count in found.profiles.items():
        modes[mode] += count
    types = {name: row.count for name, row in _by_count(found.types)}
    sources = _by_count(found.sources)
    return InspectReport(
        **run,
        messages=parts.MessagesSeen(
            numbers["read"], described, numbers["unreadable"], numbers["left_out"]
        ),
        types=types | ({OTHER: found.types.rest.count} if found.types.rest.count else {}),
        modes=dict(modes.most_common()),
        sources=tuple(
            parts.Source(library or None, channel or None, row.count)
            for (library, channel), row in sources
        ),
        other_sources=found.sources.rest.count,
        events=Events.of(found, rules.events, top),
        time=parts.Times.of(found.times),
        lacking=(*find_lacks(found.profiles), *_lacks_of_all(numbers, described)),
        repeated_message_ids=parts.RepeatedMessages(
            found.ids.count(), found.ids.one_in > 1, found.ids.one_in
        ),
        would_be_sent=parts.Becomes.of(outcomes),
        copies=parts.CallsWorth(*parts.worth(before.copies)),
        shared_message_ids=parts.MessagesWorth(*parts.worth(before.shared_ids)),
        repeated_orders=parts.CallsWorth(*parts.worth(before.repeated_orders)),
        web_messages=tuple(parts.marks_by_month(found.gates)),
        consent=parts.consent_of(found.gates, is_asked_for=bool(rules.consent.categories)),
        kept_back=tuple(parts.kept_of(found.gates.kept_back)),
        invalid=parts.troubles(outcomes.invalid + outcomes.failed, found.places),
        warnings=parts.troubles(found.warnings, found.warned),
        by_event_type=parts.by_event_type(outcomes.values),
        other_event_types=parts.CallsWorth(*parts.worth(outcomes.values.rest)),
        top=top,
    )


def _lacks_of_all(numbers: Counter[str], described: int) -> list[Lack]:
    """Say how many messages of any type lack an id or a time."""
    if not described:
        return []
    what = {"message id": "without_id", "readable time": "without_time"}
    return [Lack(name, "messages", numbers[key], described) for name, key in what.items()]


def _by_count(rows: Rows[Name, Sum]) -> list[tuple[Name, Sum]]:
    return sorted(rows, key=lambda item: -item[1].count)
