"""Whose rules a message follows: the browser's, or those of apps and servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping.calls import Mode
from convertro_cli.mapping.fields import as_object, device_id
from convertro_cli.mapping.rules import ModeSetting
from convertro_cli.mapping.trail import MISSING, Note, Path, Trail

_WEB_CHANNELS = frozenset({"client", "browser", "web"})
_COMPUTATION = ("computation_key", "computation_id", "computation_class")


def engage_key(message: Mapping[str, Any]) -> str | None:
    """Name the key by which Segment's Engage made the message; None where it did not."""
    context = message.get("context")
    personas = context.get("personas") if isinstance(context, dict) else None
    if not isinstance(personas, dict):
        return None
    return next((key for key in _COMPUTATION if personas.get(key)), None)


def library_name(context: Mapping[str, Any]) -> tuple[Path, Any]:
    """Give the library that sent a message, and where it is named; old exports have a string."""
    library = context.get("library")
    if isinstance(library, dict):
        return ("context", "library", "name"), library.get("name")
    return ("context", "library"), library


def channel_of(message: Mapping[str, Any], context: Mapping[str, Any]) -> tuple[Path, Any]:
    """Give the channel that a message came by, and where it stands."""
    channel = message.get("channel")
    if channel is None and "channel" in context:
        return ("context", "channel"), context["channel"]
    return ("channel",), channel


def is_from_browser(message: Mapping[str, Any], trail: Trail | None = None) -> bool:
    """Whether analytics.js sent the message, by its library's name or else by its channel."""
    context = as_object(message.get("context"))
    library_path, name = library_name(context)
    if isinstance(name, str) and (name.startswith("analytics.js") or "analytics-next" in name):
        _tell(trail, "web", "library", library_path, name)
        return True
    channel_path, channel = channel_of(message, context)
    if isinstance(channel, str) and channel in _WEB_CHANNELS:
        has_device = device_id(message) is not None
        why = "channel with device" if has_device else "channel"
        _tell(trail, "cloud" if has_device else "web", why, channel_path, channel)
        return not has_device
    if trail is not None:
        if isinstance(name, str):
            _tell(trail, "cloud", "other library", library_path, name)
        else:
            _tell(trail, "cloud", "other channel", channel_path, channel)
    return False


def decide_mode(
    setting: ModeSetting, message_type: str, message: Mapping[str, Any], trail: Trail | None = None
) -> Mode:
    """Decide whose rules a message follows: the browser's or the server's.

    An identify made by Engage counts as web: it carries a user property, needs no device, and
    Convertro takes user properties on the web's user call only.
    """
    if setting != "auto":
        _tell(trail, setting, "setting")
        return setting
    if message_type == "identify":
        key = engage_key(message)
        if key is not None:
            _tell(trail, "web", "engage", ("context", "personas", key))
            return "web"
    return "web" if is_from_browser(message, trail) else "cloud"


def _tell(
    trail: Trail | None, mode: Mode, why: str, path: Path = (), evidence: Any = MISSING
) -> None:
    if trail is not None:
        settings = ("mapping.mode",)
        trail.note(
            Note("mode", "found", why, mode, path=path, evidence=evidence, settings=settings)
        )
