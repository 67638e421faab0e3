"""What ``--event`` may have meant: the names that exports have, and those nearest to a name."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

import orjson

from convertro_cli.cli.log import is_json, log_json
from convertro_cli.reading.export_set import ExportFile
from convertro_cli.reading.lines import read_batches
from convertro_cli.segment.names import normalise
from convertro_cli.text import visible

_MOST_BYTES = 64 << 20
"""So much is read again, when nothing had the name: a second or so."""

_MOST_NAMES = 10_000


def say_which_names(wanted: Sequence[str], files: Sequence[ExportFile]) -> None:
    """Say on standard error of each event that nothing in the exports has its name."""
    for sentence in advise_on_names(wanted, files):
        if is_json():
            log_json("warning", "notice", text=sentence)
        else:
            print(f"→ {visible(sentence)}", file=sys.stderr)


def advise_on_names(wanted: Iterable[str], files: Sequence[ExportFile]) -> list[str]:
    """Say of each event that nothing has its name, where that is so, and which is the nearest.

    Standard input cannot be read again, so of it nothing is said.
    """
    if any(file.path is None for file in files):
        return []
    missing = {normalise(name): name for name in wanted}
    known: dict[str, str] = {}
    read = 0
    for batch in read_batches(files):
        for name in _names(batch.data):
            known.setdefault(normalise(name), name)
            missing.pop(normalise(name), None)
        read += len(batch.data)
        if not missing or read > _MOST_BYTES or len(known) > _MOST_NAMES:
            break
    else:
        read = 0
    where = "nothing in these exports" if not read else f"nothing in their first {read >> 20:,} MiB"
    return [_sentence(name, where, _nearest(key, known)) for key, name in missing.items()]


def _names(data: bytes) -> Iterator[str]:
    for line in data.splitlines():
        if b'"event"' not in line:
            continue
        try:
            message: Any = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        name = message.get("event") if isinstance(message, dict) else None
        if isinstance(name, str) and name.strip():
            yield name


def _nearest(name: str, known: dict[str, str]) -> str | None:
    near = get_close_matches(name, known, 1, 0.5)
    return known[near[0]] if near else None


def _sentence(name: str, where: str, nearest: str | None) -> str:
    hint = f"; did you mean {nearest!r}?" if nearest else "; `convertro inspect` lists the names."
    return f"--event {name!r}: {where} has this name{hint}"
