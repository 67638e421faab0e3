"""What a summary says of messages that a gate kept back: how many, their value, which setting."""

from __future__ import annotations

from collections.abc import Iterator

from convertro_cli.amounts import Sum
from convertro_cli.mapping.calls import InvalidReason, SkipReason
from convertro_cli.mapping.message import MADE_BY_REPLAY
from convertro_cli.record.tally import Tally
from convertro_cli.settings.model import Settings
from convertro_cli.text import visible

_SETTINGS: dict[str, str] = {
    SkipReason.SUPPRESSED_USER: "privacy.suppressed",
    SkipReason.NO_CONSENT: "consent.categories",
    SkipReason.CONSENT_MISSING: "consent.without",
    SkipReason.DISABLED_BY_INTEGRATIONS: "mapping.integrations",
    SkipReason.DISABLED_BY_SCHEMA: "schema.disabled_events",
    SkipReason.DELIVERED_IN_BROWSER: "mapping.delivered_in_browser",
    SkipReason.DROPPED_BY_FILTER: "filters",
    SkipReason.SAMPLED_OUT: "filters",
    SkipReason.DROPPED_BY_TRANSFORMATION: "transformations",
    InvalidReason.UNREADABLE_AMOUNT: "mapping.unreadable_amount",
}
"""The setting that decides about each reason."""

SummaryRow = tuple[str, str, str]


def kept_back_rows(tally: Tally) -> Iterator[SummaryRow]:
    """Give a row for each reason, and one for each filter that had a part in it."""
    for reason, kept in tally.kept_back.by_reason().items():
        setting = _SETTINGS.get(reason)
        yield f"  {reason}", f"{kept.count:,}", _worth(kept) + (f" ({setting})" if setting else "")
        for title, some in tally.kept_back.by_title(reason).items():
            yield "", f"{some.count:,}", f"{_worth(some)}: {visible(title)}"


def gate_advice(tally: Tally, settings: Settings) -> Iterator[str]:
    """Say what to look at where a gate may keep back, or let pass, more than is meant."""
    reason = SkipReason.DISABLED_BY_INTEGRATIONS.value
    off = tally.kept_back.by_title(reason).get(MADE_BY_REPLAY, Sum()).count
    candidates = tally.read - tally.skipped[SkipReason.UNSUPPORTED_TYPE]
    if 2 * off > candidates:
        yield (
            f"{off:,} of {candidates:,} messages are off for Convertro, since all destinations "
            "are but a storage: this bucket was itself filled by a replay of Segment's. If they "
            'are to be sent, set integrations = "ignore" in [mapping].'
        )
    if tally.carries_consent and not settings.consent.categories:
        yield (
            "Messages say whether their users gave consent, and it was not looked at: "
            "[consent] categories names the consent that Convertro needs."
        )


def _worth(kept: Sum) -> str:
    return f"worth {kept.value:,.2f}"
