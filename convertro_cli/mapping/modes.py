"""Whose rules a message follows: the browser's, or those of apps and servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping.calls import Mode
from convertro_cli.mapping.fields import as_object, has_device
from convertro_cli.mapping.rules import ModeSetting
from convertro_cli.mapping.trail import MISSING, Note, Path, Trail

_WEB_CHANNELS = frozenset({"client", "browser", "web"})
_COMPUTATION = ("computation_key", "computation_id", "computation_class")


def engage_key(message: Mapping[str, Any]) -> str | None:
    """Name the key that tells that Segment's Engage made a message; None where it did not."""
    context = message.get("context")
    if not isinstance(context, dict) or "personas" not in context:  # as nearly always
        return None
    personas = as_object(context["personas"])
    return next((key for key in _COMPUTATION if personas.get(key)), None)


def library_name(context: Mapping[str, Any]) -> Any:
    """Give the library that sent a message; in old exports it is a mere string."""
    library = context.get("library")
    return library.get("name") if isinstance(library, dict) else library


def channel_of(message: Mapping[str, Any], context: Mapping[str, Any]) -> Any:
    """Give the channel that a message came by."""
    channel = message.get("channel")
    return context.get("channel") if channel is None else channel


def _library_path(context: Mapping[str, Any]) -> Path:
    is_named = isinstance(context.get("library"), dict)
    return ("context", "library", "name") if is_named else ("context", "library")


def _channel_path(message: Mapping[str, Any], context: Mapping[str, Any]) -> Path:
    is_inside = message.get("channel") is None and "channel" in context
    return ("context", "channel") if is_inside else ("channel",)


def is_from_browser(message: Mapping[str, Any], trail: Trail | None = None) -> bool:
    """Whether analytics.js sent the message, by its library's name or else by its channel."""
    context = message.get("context")
    if not isinstance(context, dict):
        context = {}
    library = context.get("library")
    name = library.get("name") if isinstance(library, dict) else library
    if isinstance(name, str) and (name.startswith("analytics.js") or "analytics-next" in name):
        if trail is not None:
            _tell(trail, "web", "library", _library_path(context), name)
        return True
    channel = channel_of(message, context)
    if isinstance(channel, str) and channel in _WEB_CHANNELS:
        is_of_app = has_device(message)
        if trail is not None:
            why = "channel with device" if is_of_app else "channel"
            path = _channel_path(message, context)
            _tell(trail, "cloud" if is_of_app else "web", why, path, channel)
        return not is_of_app
    if trail is not None:
        if isinstance(name, str):
            _tell(trail, "cloud", "other library", _library_path(context), name)
        else:
            path = _channel_path(message, context)
            evidence = MISSING if channel is None else channel
            _tell(trail, "cloud", "other channel", path, evidence)
    return False


def decide_mode(
    setting: ModeSetting, message_type: str, message: Mapping[str, Any], trail: Trail | None = None
) -> Mode:
    """Decide whose rules a message follows: the browser's or the server's.

    An identify made by Engage counts as web: it carries a user property, needs no device, and
    Convertro takes user properties on the web's user call only.
    """
    if setting != "auto":
        if trail is not None:
            _tell(trail, setting, "setting")
        return setting
    if message_type == "identify":
        key = engage_key(message)
        if key is not None:
            if trail is not None:
                _tell(trail, "web", "engage", ("context", "personas", key))
            return "web"
    return "web" if is_from_browser(message, trail) else "cloud"


def _tell(trail: Trail, mode: Mode, why: str, path: Path = (), evidence: Any = MISSING) -> None:
    settings = ("mapping.mode",)
    trail.note(Note("mode", "found", why, mode, path=path, evidence=evidence, settings=settings))
