"""Proposing an ``[events]`` table for a new settings file, from what exports hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from convertro_cli.cli.options import Loudness
from convertro_cli.cli.outputs import Spared
from convertro_cli.cli.watching import open_watcher
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.mapping.rules import EventMap
from convertro_cli.reading.sources import find_exports
from convertro_cli.review.inspect.job import rules_without_settings
from convertro_cli.review.inspect.run import InspectOptions, inspect
from convertro_cli.review.inspect.suggest import suggest_entries


def propose_events(exports: Sequence[str], known: Mapping[str, Any], output: Path) -> str:
    """Read exports; give the lines for the event names that ``known`` does not map.

    Raises ConvertroError where one cannot be read, or ``output`` is one of them.
    """
    found = find_exports(exports)
    Spared(found).refuse("--output", output)
    rules = replace(rules_without_settings(), events=EventMap(dict(known)))
    with open_watcher(Loudness()) as watcher:
        report = inspect(found, rules, options=InspectOptions(), watcher=watcher)
    if report.interrupted:
        raise ConvertroError(
            "Interrupted: nothing was written.", exit_code=ExitCode(report.exit_code)
        )
    return suggest_entries(report)
