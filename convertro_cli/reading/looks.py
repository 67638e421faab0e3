"""What a file without any message looks like, and what to do about it, in one sentence each.

Nothing of the lines is shown but the names of keys that are plain words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from convertro_cli.reading.foreign import shell
from convertro_cli.reading.messages import begins_batch, is_certain_message, parse
from convertro_cli.reading.nesting import BLANK, Parts
from convertro_cli.text import visible


class Look(NamedTuple):
    """What a file looks like, and its cure: a command that makes lines of it, or advice."""

    what: str
    command: str = ""
    advice: str = ""


SAMPLE_LINE = 64 * 1024
"""So much of a line is looked at, at most."""

_LINES_INSTEAD = "Export the messages as newline-delimited JSON instead."
_FETCH_AGAIN = "Look into it, then fetch the export again."

_COMPACT = "jq -c ."
# What an envelope says of all its messages goes into each of them, where it says nothing itself.
_APART = (
    "jq -c '(.payload // .) as $b | $b.batch[] "
    "| .context = ($b.context // {}) + (.context // {}) "
    "| .integrations = ($b.integrations // {}) + (.integrations // {})'"
)
_BATCHES = Look("batches of messages with a context of their own", _APART)
_LONG_BATCH = Look("a batch of messages too long to be held", _APART)
_GLUED = Look("JSON objects without newlines between them", _COMPACT)
_PRETTY = Look("pretty-printed JSON, over several lines each", _COMPACT)
_CUT_OFF = Look("JSON that breaks off", advice=_FETCH_AGAIN)
_LONG_LINE = Look(
    "JSON in a line too long for a message, which has 1 MiB at most", advice=_LINES_INSTEAD
)
_QUOTED = Look("messages in quotes, as JSON in a JSON string", "jq -c fromjson")
_QUOTED_CSV = Look(
    "messages in quotes, as a spreadsheet writes them",
    "sed -e 's/^\"//' -e 's/\"[[:space:]]*$//' -e 's/\"\"/\"/g'",
)
_COMMAS = Look("JSON objects with a comma after each", "sed 's/,[[:space:]]*$//'")
_PREFIX = Look("a log with JSON at the end of each line", "sed 's/^[^{]*//'")
_RECORDS = Look("records of Singer or Airbyte, with no message in them", advice=_LINES_INSTEAD)
_LOGSTASH = Look("records of Logstash, with no message in them", advice=_LINES_INSTEAD)
_OBJECTS = Look("JSON objects that are no messages: they have no 'type'", advice=_LINES_INSTEAD)
_VALUES = Look("JSON that is no objects", advice=_LINES_INSTEAD)
_HTML = Look("a web page, perhaps what a server said in place of the export", advice=_FETCH_AGAIN)
_XML = Look("XML", advice=_LINES_INSTEAD)
_CSV = Look("CSV, or a table of that kind", advice=_LINES_INSTEAD)
_PYTHON = Look("Python's dictionaries, not JSON", advice="Write them with json.dumps() instead.")
_TEXT = Look("plain text", advice=_LINES_INSTEAD)
_BYTES = Look("bytes that are no text", advice=_LINES_INSTEAD)

# Tools that wrap a message, by the key that it stands under.
_WRAPPERS = {
    ".record": "records of Singer",
    ".record.data": "records of Airbyte",
    "._airbyte_data": "records of Airbyte",
    "._source": "documents of Elasticsearch",
    ".message": "a wrapper of Vector, Fluent Bit or Logstash",
    ".log": "a wrapper of Docker or Fluent Bit",
}
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")
_DEEPEST = 3
_SEPARATORS = (",", ";", "\t", "|")


def no_message(name: str, lines: Sequence[bytes], unpack: str | None, looked_at: int) -> str:
    """The sentence for a file without a message. ``lines`` are a few that are not blank."""
    look = look_at(lines)
    if look.command.startswith("jq"):
        cure = "Convert it with jq 1.7 or newer (an older one rounds long ids): "
    else:
        cure = "Convert it: "
    cure = cure + shell(look.command, name, unpack) if look.command else look.advice
    return (
        f"{visible(name)}: no line of this file is a message; it looks like {look.what}. "
        f"Nothing of it was used ({looked_at:,} looked at). {cure}"
    )


def look_at(lines: Sequence[bytes]) -> Look:
    """What a file with these lines looks like."""
    values = [parse(line) for line in lines]
    objects = [value for value in values if isinstance(value, dict)]
    for value in objects:
        wrapped = _wrapped(value)
        if wrapped:
            return wrapped
    if objects:
        return _of_objects(objects[0])
    first = lines[0].strip(BLANK)
    if values[0] is None and first != b"null":
        return _broken(first, lines)
    return _QUOTED if _is_quoted(values[0]) else _VALUES


def _is_quoted(value: Any) -> bool:
    return isinstance(value, str) and isinstance(parse(value.encode(errors="replace")), dict)


def _of_objects(value: Mapping[str, Any]) -> Look:
    payload = value.get("payload")
    inner = payload if isinstance(payload, dict) else value
    if isinstance(inner.get("batch"), list):
        return _BATCHES
    if isinstance(value.get("type"), str):
        return _LOGSTASH if "@version" in value else _RECORDS
    return _LOGSTASH if "@version" in value else _OBJECTS


def _wrapped(value: Mapping[str, Any]) -> Look | None:
    """How to get at a message that stands somewhere in an object, as an object or as text."""
    found = _find(value, "")
    if found is None:
        return None
    path, is_text = found
    tool = _WRAPPERS.get(path, "a wrapper")
    if is_text:
        what = f"{tool}, with the message as text in '{path[1:]}'"
        return Look(what, f"jq -c '{path} // empty | fromjson'")
    return Look(f"{tool}, with the message in '{path[1:]}'", f"jq -c '{path} // empty'")


def _find(value: Mapping[str, Any], path: str) -> tuple[str, bool] | None:
    for key, inner in value.items():
        if not _PLAIN_KEY.fullmatch(key):
            continue
        is_text = isinstance(inner, str) and inner.lstrip().startswith("{")
        held = parse(inner.encode(errors="replace")) if is_text else inner
        if not isinstance(held, dict):
            continue
        if is_certain_message(held):
            return f"{path}.{key}", is_text
        if not is_text and path.count(".") < _DEEPEST - 1:
            found = _find(held, f"{path}.{key}")
            if found:
                return found
    return None


def _broken(first: bytes, lines: Sequence[bytes]) -> Look:
    """What it is that no JSON reader takes."""
    if first[:1] in {b"{", b"["}:
        return _broken_json(first, lines)
    if first.startswith(b"<"):
        return _HTML if re.match(rb"<(!doctype )?html", first, re.IGNORECASE) else _XML
    if first.startswith(b'"{""'):
        return _QUOTED_CSV
    if _is_message_text(b"{" + first.partition(b"{")[2]):
        return _PREFIX
    return _of_text(lines)


def _broken_json(first: bytes, lines: Sequence[bytes]) -> Look:
    if _is_message_text(first.removesuffix(b",")):
        return _COMMAS
    if first.startswith((b"{'", b"[{'")):
        return _PYTHON
    parts = Parts(1)
    for _ in parts.go_on(first):
        pass
    if parts.closed_by is None:
        if len(first) >= SAMPLE_LINE:
            return _LONG_BATCH if begins_batch(first) else _LONG_LINE
        return _PRETTY if len(lines) > 1 else _CUT_OFF
    return _GLUED if first[parts.at :].lstrip(BLANK).startswith(b"{") else _of_text(lines)


def _is_message_text(text: bytes) -> bool:
    value = parse(text)
    return isinstance(value, dict) and is_certain_message(value)


def _of_text(lines: Sequence[bytes]) -> Look:
    try:
        texts = [line.decode() for line in lines[:-1] or lines]
    except UnicodeDecodeError:
        return _BYTES
    if any(re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", text) for text in texts):
        return _BYTES
    heads = [min(text.count(separator) for text in texts) for separator in _SEPARATORS]
    return _CSV if max(heads) > 0 else _TEXT
