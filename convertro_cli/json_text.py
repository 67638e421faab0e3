"""JSON for a terminal: what could do harm there is escaped, and it stays the same JSON."""

from __future__ import annotations

import os
import re
import sys

from convertro_cli.text import visible

_PLAIN = re.compile(r"[ -~\n]+")


def harmless(content: bytes) -> bytes:
    """Escape what a terminal would not show as it is; newlines between objects stay.

    ``content`` is JSON in UTF-8, so that control characters below a space are escaped already.
    What is left are DEL and the C1 controls, which a terminal obeys, and the marks that change
    the direction of text, end a line (U+2028, U+2029) or are not seen at all. None of them has a
    meaning outside the strings of JSON, where an escape means the same.
    """
    text = content.decode()
    if _PLAIN.fullmatch(text):
        return content
    return visible(text, _escaped).encode()


def for_stream(content: bytes, descriptor: int) -> bytes:
    """Give JSON as it is to be written there: harmless to a terminal, else as it is."""
    return harmless(content) if os.isatty(descriptor) else content


def print_json(content: bytes) -> None:
    """Write JSON on standard output."""
    sys.stdout.flush()
    sys.stdout.buffer.write(harmless(content) if sys.stdout.isatty() else content)
    sys.stdout.flush()


def _escaped(character: str) -> str:
    if character == "\n":
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
