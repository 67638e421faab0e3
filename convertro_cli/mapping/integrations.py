"""What a message itself, and Segment's Schema tab, say of Convertro being on or off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from convertro_cli.mapping.calls import SkipReason
from convertro_cli.mapping.fields import as_object
from convertro_cli.mapping.trail import MISSING, Note, Trail

DESTINATION = "Convertro"
"""The name of the destination, as Segment writes it."""

ALL_ON = {"All": True}
"""What many libraries write where nothing is turned off."""

_STORAGE = ("amazon s3", "aws s3", "google cloud storage", "azure")


class Choice(NamedTuple):
    """Whether Convertro is on, and the key that decides: none where nothing turns it off."""

    is_on: bool
    key: str | None = None


_ON = Choice(True)


def read_choice(integrations: Any) -> Choice:
    """Say whether a message's *integrations* object leaves Convertro on.

    A key ``Convertro`` decides: a boolean as it is, anything else means on. Without it ``All``
    (in any case) decides, if it is a boolean. As in Segment's guide to filtering data.
    """
    if not integrations or integrations == ALL_ON:  # as nearly always
        return _ON
    choices = as_object(integrations)
    if DESTINATION in choices:
        return Choice(choices[DESTINATION] is not False, DESTINATION)
    for key, value in choices.items():
        if isinstance(value, bool) and key.lower() == "all":
            return Choice(value, key)
    return _ON


def is_disabled(integrations: Any, trail: Trail | None = None) -> bool:
    """Whether a message turns Convertro off."""
    choice = read_choice(integrations)
    if trail is not None:
        key = choice.key
        if key is None and isinstance(integrations, dict):  # all are on, said or not
            key = next((key for key in integrations if integrations == ALL_ON), None)
        trail.note(
            Note(
                "integrations",
                "passed" if choice.is_on else "stopped",
                "key" if key else "unnamed" if isinstance(integrations, dict) else "none",
                path=("integrations",) if key is None else ("integrations", key),
                evidence=MISSING if key is None else integrations[key],
                reason=None if choice.is_on else SkipReason.DISABLED_BY_INTEGRATIONS,
            )
        )
    return not choice.is_on


def tell_ignored(trail: Trail | None) -> None:
    """Note that the settings leave the message's choice aside."""
    if trail is not None:
        settings = ("mapping.integrations",)
        trail.note(Note("integrations", "passed", "ignored", settings=settings))


def is_made_by_replay(integrations: Any) -> bool:
    """Whether a message looks as if Segment's own Replay had sent it to a bucket.

    Such a replay turns all destinations off but its target, so that a bucket that it filled is
    full of messages that no other destination may have.
    """
    choices = as_object(integrations)
    return any(
        value not in (False, None) and key.lower().startswith(_STORAGE)
        for key, value in choices.items()
    )


def is_off_in_schema(
    message: Mapping[str, Any],
    message_type: str,
    disabled: frozenset[str],
    trail: Trail | None = None,
) -> bool:
    """Whether the Schema tab switches a message's event off.

    Names are compared exactly. The message's own choice for Convertro beats it. An identify has
    no event, whatever its other keys say.
    """
    event = message.get("event") if message_type == "track" else None
    is_listed = isinstance(event, str) and event in disabled
    is_beaten = is_listed and DESTINATION in as_object(message.get("integrations"))
    is_off = is_listed and not is_beaten
    if trail is not None:
        trail.note(
            Note(
                "schema",
                "stopped" if is_off else "passed",
                "beaten" if is_beaten else "listed" if is_listed else "unlisted",
                path=("event",),
                evidence=MISSING if event is None else event,
                settings=("schema.disabled_events",),
                reason=SkipReason.DISABLED_BY_SCHEMA if is_off else None,
            )
        )
    return is_off
