"""A dead letter, as a line: an event that failed, with its original bytes and the reason.

The format is the same wherever it is written and read, so both stand here.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, NamedTuple

import orjson

from convertro_cli.segment.json_text import read_json_exactly, write_json

LETTER_START = b'{"reason":'
"""How every line of a dead-letter file begins."""

_EVENT_MARK = b',"event":'

KEPT_OF_OVERLONG = 1 << 20
"""The bytes that are kept of a line that is longer than what the reader keeps (8 MiB).

Such a line is no event, and it stays where it is in the export; the letter says how long it is.
"""


class DeadLetter(NamedTuple):
    """An event out of a dead-letter file: its original bytes, and the place they came from.

    ``length`` above 0 says that they are the beginning of a line of so many bytes.
    """

    original: bytes
    source: str
    length: int = 0


def wrap(
    original: bytes,
    *,
    reason: str,
    detail: str,
    source: str,
    at: str,
    answer: tuple[int, str] | None = None,
    length: int = 0,
) -> bytes:
    """Give the line for an event that failed, with a newline.

    The original stands under ``event`` byte for byte where it is a JSON object, under ``line``
    where it is other text, and under ``line_base64`` where it is not UTF-8. ``answer`` is the
    status of the last answer and the beginning of its body. With a ``length`` the original is only
    the beginning of a line of so many bytes, and is marked as such.
    """
    fields: dict[str, Any] = {"reason": reason, "detail": detail}
    if answer is not None:
        fields["answer"] = {"status": answer[0], "body": answer[1]}
    fields |= {"source": source, "at": at}
    if length:
        fields |= {"truncated": True, "length": length}
        original = original[:KEPT_OF_OVERLONG]
    return orjson.dumps(fields)[:-1] + b"," + _body(original) + b"}\n"


def unwrap(candidate: dict[str, Any], line: bytes) -> DeadLetter | None:
    """Take the event out of a line of a dead-letter file; None where the line is none."""
    source = candidate.get("source")
    if "reason" not in candidate or not isinstance(source, str):
        return None
    match candidate:
        case {"event": dict() as event}:
            original = _original_of(event, line)
            return None if original is None else DeadLetter(original, source)
        case {"line": str() as text}:
            return DeadLetter(_bytes_of(text), source, _length_of(candidate))
        case {"line_base64": str() as text}:
            try:
                original = b64decode(text, validate=True)
                return DeadLetter(original, source, _length_of(candidate))
            except ValueError:
                return None
    return None


def _bytes_of(text: str) -> bytes:
    """Give a text in UTF-8; half of a character, which somebody put there, as U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _length_of(candidate: dict[str, Any]) -> int:
    """Give the length of the line that a letter has only the beginning of, 0 for a whole one."""
    length = candidate.get("length")
    return length if candidate.get("truncated") is True and isinstance(length, int) else 0


def _body(original: bytes) -> bytes:
    try:
        if isinstance(orjson.loads(original), dict):
            # A newline can only stand between the parts of a JSON object, never in a string.
            return b'"event":' + original.strip().replace(b"\n", b" ")
    except orjson.JSONDecodeError:
        pass
    try:
        return b'"line":' + orjson.dumps(original.decode())
    except UnicodeDecodeError:
        return b'"line_base64":' + orjson.dumps(b64encode(original).decode())


def _original_of(event: dict[str, Any], line: bytes) -> bytes | None:
    """Cut the event's own bytes out of the line, as ``wrap`` put them there.

    A file that somebody re-formatted still gives the event with all its digits, only not its
    spacing; None where that event is nested too deep to be written.
    """
    original = line.strip()[:-1].partition(_EVENT_MARK)[2]
    try:
        if original and orjson.loads(original) == event:
            return original
    except orjson.JSONDecodeError:
        pass
    try:
        return write_json(read_json_exactly(line)["event"])
    except orjson.JSONEncodeError:
        return None
