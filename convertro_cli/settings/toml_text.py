"""Values as TOML text, for what the program writes itself."""

from __future__ import annotations

import re

from convertro_cli.segment.ids import plain_number
from convertro_cli.text import visible

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_value(value: object) -> str:
    """Write a value of the settings. Raises TypeError for what no setting can hold."""
    if isinstance(value, str):
        return toml_string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return plain_number(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{toml_key(key)} = {toml_value(item)}" for key, item in value.items())
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    raise TypeError(f"no value of a setting: {type(value).__name__}")


def toml_key(key: str) -> str:
    """Write a key, in quotes where it needs them."""
    return key if _BARE.fullmatch(key) else toml_string(key)


def toml_string(text: str) -> str:
    """Write text in double quotes; what a terminal or an editor might not show is escaped."""
    return '"' + visible(text.replace("\\", r"\\").replace('"', r"\""), _escaped) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
