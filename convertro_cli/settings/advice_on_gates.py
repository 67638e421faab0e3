"""What is surely unwanted in the settings that keep messages back, and in suppression lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from convertro_cli.privacy.list_files import ListFile
from convertro_cli.settings.faults import shown
from convertro_cli.settings.model import Settings

_OLD_LIST_DAYS = 30


def advise_on_gates(settings: Settings) -> list[str]:
    """Give a sentence for each thing in these tables that cannot be meant."""
    return [*_outer_spaces(settings), *_unused_consent(settings), *_twice(settings)]


def advise_on_lists(lists: Sequence[ListFile], now: float) -> list[str]:
    """Give a sentence for each suppression list that may not say what it should.

    ``now`` is in Unix seconds.
    """
    advice = []
    for file in lists:
        age = (now - file.modified) / 86400
        if age > _OLD_LIST_DAYS:
            advice.append(
                f"the suppression list {file.path} was last changed {age:,.0f} days ago: "
                "who objected since is not on it."
            )
        if file.others:
            advice.append(
                f"the suppression list {file.path} has other subjects than user ids "
                f"({file.others:,}): as at Segment, only user ids are suppressed."
            )
    return advice


def _outer_spaces(settings: Settings) -> Iterator[str]:
    for name in settings.schema_.disabled_events:
        if name != name.strip():
            yield (
                f"schema.disabled_events: {shown(name)} has spaces around it: only an event "
                "whose name has them is switched off."
            )
    for category in settings.consent.categories:
        if category != category.strip():
            yield (
                f"consent.categories: {shown(category)} has spaces around it: only an id "
                "with them is that category."
            )


def _unused_consent(settings: Settings) -> Iterator[str]:
    consent = settings.consent
    if consent.categories:
        return
    for name in ("without", "empty"):
        if getattr(consent, name) != type(consent).model_fields[name].default:
            yield f"consent.{name} has no effect: without consent.categories none is asked for."


def _twice(settings: Settings) -> Iterator[str]:
    """Tell of values that stand in a list twice: the second may have been meant otherwise."""
    lists = {
        "privacy.suppressed": settings.privacy.suppressed,
        "consent.categories": settings.consent.categories,
        "schema.disabled_events": settings.schema_.disabled_events,
    }
    for key, values in lists.items():
        for value in [value for value, times in Counter(values).items() if times > 1]:
            yield f"{key}: {shown(value)} is there more than once."
