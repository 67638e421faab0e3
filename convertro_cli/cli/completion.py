"""What a shell offers to complete: names out of the settings, and values that are fixed.

It runs while somebody types, so it never raises and never prints.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import typer


def complete_events(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the event names of ``[events]`` in the settings of the same command line."""
    file = ctx.params.get("config") or Path("convertro.toml")
    return [name for name in _event_names(Path(file)) if _begins(name, incomplete)]


def complete_types(incomplete: str) -> list[str]:
    """Offer the types of message that Convertro takes."""
    return [name for name in ("identify", "track") if _begins(name, incomplete)]


def complete_transports(incomplete: str) -> list[str]:
    """Offer the transports."""
    return [name for name in ("auto", "curl", "requests") if _begins(name, incomplete)]


def _event_names(file: Path) -> list[str]:
    import tomllib

    names: list[str] = []
    with contextlib.suppress(OSError, ValueError, RecursionError), file.open("rb") as stream:
        events = tomllib.load(stream).get("events")
        names = list(_plain(events)) if isinstance(events, dict) else []
    return names


def _plain(names: dict[str, object]) -> Iterator[str]:
    """Leave out what no shell could show: completions come one a line."""
    return (name for name in names if name.isprintable())


def _begins(name: str, incomplete: str) -> bool:
    return name.casefold().startswith(incomplete.casefold())
