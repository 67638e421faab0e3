"""The gates that a message passes before any rule for its calls is looked at, in their order.

An export is written before Segment's consent check, integrations, schema and destination filters,
and none of these leaves a trace in it; so a faithful replay applies them again.

====================  ================================================================
 gate                  what it stops
====================  ================================================================
 type                  what is no identify and no track
 suppression           users who objected
 consent               what lacks the consent that is asked for
 integrations          what turns Convertro off
 schema                events that are switched off
 delivered             what the browser delivered already
 selection             what the command was not asked for
 destination filters   what Segment's filters and transformations drop (``filtering``)
====================  ================================================================

Each gate that has no setting is passed by with a look at the rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping.browser import was_delivered
from convertro_cli.mapping.calls import SkipReason
from convertro_cli.mapping.consent import lacks_consent
from convertro_cli.mapping.integrations import is_disabled, is_off_in_schema, tell_ignored
from convertro_cli.mapping.rules import Rules
from convertro_cli.mapping.selection import given_options, is_selected, options_against
from convertro_cli.mapping.suppression import is_suppressed
from convertro_cli.mapping.trail import Note, Trail

SUPPORTED_TYPES = frozenset({"identify", "track"})
"""The types of message that Convertro takes."""

OTHER_TYPES = frozenset({"page", "screen", "group", "alias"})
"""The other types that Segment has."""


def stop_at_gate(
    message: Mapping[str, Any],
    message_type: str,
    timestamp: int | None,
    rules: Rules,
    trail: Trail | None,
) -> SkipReason | None:
    """Name the first gate that stops a message of a type that Convertro takes."""
    if rules.suppressed is not None and is_suppressed(message, rules.suppressed, trail):
        return SkipReason.SUPPRESSED_USER
    if rules.consent.categories and (reason := lacks_consent(message, rules.consent, trail)):
        return reason
    integrations = message.get("integrations")
    if integrations or trail is not None:
        if rules.integrations == "ignore":
            tell_ignored(trail)
        elif is_disabled(integrations, trail):
            return SkipReason.DISABLED_BY_INTEGRATIONS
    disabled = rules.disabled_events
    if disabled and is_off_in_schema(message, message_type, disabled, trail):
        return SkipReason.DISABLED_BY_SCHEMA
    setting = rules.delivered_in_browser
    if (
        "_metadata" in message or setting == "skip-unmarked" or trail is not None
    ) and was_delivered(message, setting, trail):
        return SkipReason.DELIVERED_IN_BROWSER
    if rules.has_selection or trail is not None:
        return stop_at_selection(message, message_type, timestamp, rules, trail)
    return None


def stop_at_selection(
    message: Mapping[str, Any],
    message_type: str,
    timestamp: int | None,
    rules: Rules,
    trail: Trail | None,
) -> SkipReason | None:
    """Stop a message that the command was not asked for."""
    selection = rules.selection
    if trail is None:
        is_asked_for = is_selected(selection, message, message_type, timestamp)
        return None if is_asked_for else SkipReason.FILTERED_OUT
    against = options_against(selection, message, message_type, timestamp)
    reason = SkipReason.FILTERED_OUT if against else None
    trail.note(
        Note(
            "filters",
            "stopped" if against else "passed",
            value=against or given_options(selection),
            reason=reason,
        )
    )
    return reason
