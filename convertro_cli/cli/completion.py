"""What a shell offers to complete: names out of the settings, and values that are fixed.

It runs while somebody types, so it never raises and never prints.
"""

from __future__ import annotations

from pathlib import Path

import typer

_HARMLESS = frozenset(" _-.,:/+@%")


def complete_events(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the event names of ``[events]`` in the settings of the same command line.

    A name with spaces is offered with hyphens, which is the same name and needs no quotes,
    unless the spaces are typed already.
    """
    names = _event_names(Path(ctx.params.get("config") or "convertro.toml"))
    if " " not in incomplete:
        names = [_without_spaces(name) for name in names]
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def complete_types(incomplete: str) -> list[str]:
    """Offer the types of message that Convertro takes."""
    return [name for name in ("identify", "track") if name.startswith(incomplete)]


def complete_transports(incomplete: str) -> list[str]:
    """Offer the transports."""
    return [name for name in ("auto", "curl", "requests") if name.startswith(incomplete)]


def _event_names(file: Path) -> list[str]:
    import tomllib

    try:
        if not file.is_file():
            return []
        with file.open("rb") as stream:
            events = tomllib.load(stream).get("events")
    except (OSError, ValueError, RecursionError):
        return []
    if not isinstance(events, dict):
        return []
    # What is offered ends up on a command line: nothing in it may mean something to a shell.
    return [
        name
        for name in events
        if name.strip() and all(each.isalnum() or each in _HARMLESS for each in name)
    ]


def _without_spaces(name: str) -> str:
    from convertro_cli.segment.names import normalise

    hyphened = name.replace(" ", "-")
    return hyphened if normalise(hyphened) == normalise(name) else name
