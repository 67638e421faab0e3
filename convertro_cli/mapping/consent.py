"""The consent that a message carries, and what ``[consent]`` asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping.calls import SkipReason
from convertro_cli.mapping.fields import as_object
from convertro_cli.mapping.rules import Consent
from convertro_cli.mapping.trail import MISSING, Note, Trail

_PLACE = ("context", "consent")
_PREFERENCES = (*_PLACE, "categoryPreferences")


def carries_consent(message: Mapping[str, Any]) -> bool:
    """Whether a message says anything of consent."""
    context = message.get("context")
    return isinstance(context, dict) and isinstance(context.get("consent"), dict)


def lacks_consent(
    message: Mapping[str, Any], consent: Consent, trail: Trail | None = None
) -> SkipReason | None:
    """Name the reason where a message lacks the consent that is asked for.

    Each of the categories must be true; one that is not there counts as false, so that empty
    preferences block. Segment's pages contradict each other on a consent object that is empty
    altogether, so a setting decides.
    """
    carried = as_object(message.get("context")).get("consent")
    if not isinstance(carried, dict):
        reason = SkipReason.CONSENT_MISSING if consent.without == "skip" else None
        _tell(trail, "without", reason, setting="consent.without")
        return reason
    if not carried and consent.empty == "send":
        _tell(trail, "empty", None, setting="consent.empty")
        return None
    preferences = as_object(carried.get("categoryPreferences"))
    for category in consent.categories:
        if preferences.get(category) is not True:
            raw = preferences.get(category, MISSING)
            setting = "consent.categories" if carried else "consent.empty"
            _tell(trail, category, SkipReason.NO_CONSENT, raw, setting)
            return SkipReason.NO_CONSENT
    _tell(trail, "given", None)
    return None


def _tell(
    trail: Trail | None,
    why: str,
    reason: SkipReason | None,
    raw: Any = MISSING,
    setting: str = "consent.categories",
) -> None:
    if trail is None:
        return
    refused = reason is SkipReason.NO_CONSENT
    trail.note(
        Note(
            "consent",
            "passed" if reason is None else "stopped",
            "category" if refused else why,
            path=(*_PREFERENCES, why) if refused else _PLACE,
            evidence=raw,
            settings=(setting,),
            reason=reason,
        )
    )
