"""The log on standard error as JSON: one object a line and of one schema, first line to last.

Every record has ``at`` (UTC), ``level``, ``event`` and ``run_id``, the same for all records of
one call of the program; the rest depends on the event. README.md lists them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from itertools import zip_longest
from typing import Literal
from uuid import uuid4

import orjson

from convertro_cli.errors import ConvertroError
from convertro_cli.json_text import harmless

Level = Literal["info", "warning", "error"]


class _Log:
    """How this call of the program logs, and as what."""

    def __init__(self) -> None:
        self.is_json = False
        self.run_id = ""


_log = _Log()


def begin(arguments: Sequence[str]) -> None:
    """Begin a call of the program. The arguments say how it logs, before they are understood.

    What is wrong with them is logged, too; so they are only looked at here, not read.
    """
    before = list(arguments)
    if "--" in before:
        before = before[: before.index("--")]
    said = [
        value if name == "--log-format" else name.removeprefix("--log-format=")
        for name, value in zip_longest(before, before[1:], fillvalue="")
        if name.startswith("--log-format")
    ]
    _log.is_json = said[-1:] == ["json"]
    _log.run_id = str(uuid4())


def is_json() -> bool:
    """Whether standard error is for a program that reads JSON."""
    return _log.is_json


def run_id() -> str:
    """Give the id of this call of the program."""
    return _log.run_id


def log_json(level: Level, event: str, **fields: object) -> None:
    """Write one JSON object on standard error."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    record = {"at": at, "level": level, "event": event, "run_id": _log.run_id, **fields}
    try:
        content = orjson.dumps(record) + b"\n"
    except orjson.JSONEncodeError:  # a file's name that is no UTF-8
        content = json.dumps(record).encode() + b"\n"
    sys.stderr.flush()
    sys.stderr.buffer.write(harmless(content) if sys.stderr.isatty() else content)
    sys.stderr.flush()


def log_error(error: ConvertroError) -> None:
    """Log what ended the program."""
    log_json("error", "error", text=error.message, hint=error.hint, exit_code=int(error.exit_code))
