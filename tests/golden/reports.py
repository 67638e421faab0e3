"""The reports that are kept: a name for each, the command that makes it, and how wide it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

HOME = Path(__file__).parents[2]
"""Where the commands run, so that the reports name files as a reader of the README would."""

KEPT = Path(__file__).with_name("kept")

_EXPORT = "examples/export.ndjson"
_SETTINGS = "examples/convertro.toml"
_COMMANDS = {
    "inspect": ("inspect", _EXPORT, "--config", _SETTINGS),
    "inspect-suggest": ("inspect", _EXPORT, "--config", _SETTINGS, "--suggest"),
    "diff": ("diff", _SETTINGS, "tests/golden/changed.toml", _EXPORT),
}
# Orders, then a line for each other kind of way: sent, skipped, invalid; web and cloud.
_EXPLAINED = {
    "explain-orders": ("--event", "Order Completed", "--limit", "4", _EXPORT),
    "explain-web-identify": ("--line", f"{_EXPORT}:5"),
    "explain-web-track": ("--line", f"{_EXPORT}:9"),
    "explain-cloud-identify": ("--line", f"{_EXPORT}:29"),
    "explain-cloud-order": ("--line", f"{_EXPORT}:31"),
    "explain-install": ("--line", f"{_EXPORT}:23"),
    "explain-skipped": ("--line", f"{_EXPORT}:3"),
    "explain-invalid": ("--line", f"{_EXPORT}:125"),
}
_ENDINGS = {"json": "json", "markdown": "md", "html": "html"}


class KeptReport(NamedTuple):
    """A report that is kept: the name of its file, its command, and the columns it may take."""

    name: str
    command: tuple[str, ...]
    columns: int = 80

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return KEPT / self.name

    def kept(self, printed: bytes) -> str:
        """Give a report as it is kept: JSON a line a value, without the time that it took."""
        if self.file.suffix != ".json":
            return printed.decode()
        values = json.loads(printed)
        values.pop("elapsed_s", None)
        return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


def _reports() -> list[KeptReport]:
    explained = {
        name: ("explain", *arguments, "--config", _SETTINGS)
        for name, arguments in _EXPLAINED.items()
    }
    found = [
        KeptReport(f"{name}-{columns}.txt", command, columns)
        for name, command in {**_COMMANDS, **explained}.items()
        for columns in (80, 120)
    ]
    for name in ("inspect", "diff"):
        found += [
            KeptReport(f"{name}.{ending}", (*_COMMANDS[name], "--format", chosen))
            for chosen, ending in _ENDINGS.items()
        ]
    found += [
        KeptReport(f"{name}.json", (*command, "--json")) for name, command in explained.items()
    ]
    found += [
        KeptReport(f"{name}.{ending}", (*explained[name], "--format", chosen))
        for name in ("explain-orders", "explain-skipped")
        for chosen, ending in _ENDINGS.items()
        if chosen != "json"
    ]
    return found


REPORTS = _reports()
