"""Exports from before 2014: the same messages, some parts of them under other names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def read_old_message(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give a message with its old names beside today's; the message itself where none is old.

    A string ``action`` stands for ``type``, ``sessionId`` for ``anonymousId``, and
    ``context.providers`` or ``options.providers`` for ``integrations``, each where today's name
    is absent or null. The copy is shallow, and its new keys come last.
    """
    found: dict[str, Any] = {}
    if message.get("type") is None and isinstance(message.get("action"), str):
        found["type"] = message["action"]
    if message.get("anonymousId") is None and message.get("sessionId") is not None:
        found["anonymousId"] = message["sessionId"]
    if message.get("integrations") is None:
        providers = _providers(message)
        if providers is not None:
            found["integrations"] = providers
    return {**message, **found} if found else message


def _providers(message: Mapping[str, Any]) -> dict[str, Any] | None:
    for place in ("context", "options"):
        holder = message.get(place)
        if isinstance(holder, dict) and isinstance(holder.get("providers"), dict):
            providers: dict[str, Any] = holder["providers"]
            return providers
    return None
