"""File names as text: a Unix file name is bytes, which need be neither UTF-8 nor printable."""

from __future__ import annotations

import os
import shlex
from typing import Final

from convertro_cli.text import visible

CLOUDS: Final = ("s3", "gs", "az")
WEB: Final = ("https", "http")


def is_address(argument: str) -> bool:
    """Whether an argument names a place in object storage rather than a file."""
    scheme, found, _ = argument.partition("://")
    return bool(found) and scheme.lower() in (*CLOUDS, *WEB)


def as_text(path: str) -> str:
    r"""The path as text that JSON and SQLite accept: bytes that are not UTF-8 become ``\xNN``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def quoted(path: str) -> str:
    """The path in quotes, for a message."""
    return f"'{visible(as_text(path))}'"


def for_shell(name: str) -> str:
    """The name as it is typed into a shell, for the commands that a message proposes."""
    return shlex.quote(visible(name))
