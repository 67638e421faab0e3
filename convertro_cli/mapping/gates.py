"""The gates that a message passes before any rule for its calls is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping.calls import Mode
from convertro_cli.mapping.rules import ModeSetting, Selection
from convertro_cli.segment.ids import read_id
from convertro_cli.segment.names import normalise
from convertro_cli.segment.times import UnreadableTimeError, read_time

SUPPORTED_TYPES = frozenset({"identify", "track"})
_ALL_ON = {"All": True}
_WEB_CHANNELS = frozenset({"client", "browser", "web"})


def as_object(value: Any) -> Mapping[str, Any]:
    """Give a JSON object as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def is_enabled(integrations: Any) -> bool:
    """Whether a message's *integrations* object leaves Convertro on.

    A key ``Convertro`` decides: a boolean as it is, anything else means on. Without it ``All``
    (in any case) decides, if it is a boolean. As in Segment's guide to filtering data.
    """
    if not integrations or integrations == _ALL_ON:  # as nearly always
        return True
    choices = as_object(integrations)
    if "Convertro" in choices:
        return choices["Convertro"] is not False
    for key, value in choices.items():
        if isinstance(value, bool) and key.lower() == "all":
            return value
    return True


def is_selected(
    selection: Selection,
    message_type: str,
    event: Any,
    timestamp: int | None,
    received_at: Any = None,
) -> bool:
    """Whether a message is one that the user's filters ask for; ``received_at`` is as it has it.

    A message without a readable time passes the filters by time: it is for a later gate to
    say that it is invalid.
    """
    if timestamp is not None:
        if selection.since is not None and timestamp < selection.since:
            return False
        if selection.until is not None and timestamp >= selection.until:
            return False
    if not _is_received(selection, received_at):
        return False
    if selection.types and message_type not in selection.types:
        return False
    return not selection.events or (
        message_type == "track" and isinstance(event, str) and normalise(event) in selection.events
    )


def _is_received(selection: Selection, received_at: Any) -> bool:
    """Whether a message was received when the filters say; one that does not tell passes."""
    since, until = selection.received_since, selection.received_until
    if since is None and until is None:
        return True
    try:
        time = read_time(received_at)
    except UnreadableTimeError:
        return True
    return (since is None or time >= since) and (until is None or time < until)


def device_id(message: Mapping[str, Any]) -> str | None:
    """Give ``context.device.id``, the id that every cloud call needs."""
    return read_id(as_object(as_object(message.get("context")).get("device")).get("id"))


def is_made_by_engage(message: Mapping[str, Any]) -> bool:
    """Whether Segment's Engage made this identify: it names the computation that it is of."""
    personas = as_object(message.get("context")).get("personas")
    return bool(as_object(personas).get("computation_key"))


def is_from_browser(message: Mapping[str, Any]) -> bool:
    """Whether analytics.js sent the message, by its library's name or else by its channel."""
    context = message.get("context")
    library = context.get("library") if isinstance(context, dict) else None
    name = library.get("name") if isinstance(library, dict) else None
    if isinstance(name, str) and (name.startswith("analytics.js") or "analytics-next" in name):
        return True
    channel = message.get("channel")
    return isinstance(channel, str) and channel in _WEB_CHANNELS and device_id(message) is None


def decide_mode(setting: ModeSetting, message_type: str, message: Mapping[str, Any]) -> Mode:
    """Decide whose rules a message follows: the browser's or the server's.

    An identify made by Engage counts as web: it carries a user property, needs no device, and
    Convertro takes user properties on the web's user call only.
    """
    if setting != "auto":
        return setting
    if message_type == "identify" and is_made_by_engage(message):
        return "web"
    return "web" if is_from_browser(message) else "cloud"
