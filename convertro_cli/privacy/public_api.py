"""The suppressions and regulations that Segment's Public API answers with.

``GET /suppressions`` lists who is suppressed now. ``GET /regulations`` lists what was asked for,
of deletions the last 90 days only: so it alone is no whole list of who is suppressed. Both come in
pages; a file has the answers one after another, each as it came.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, NamedTuple

from msgspec import Struct, field

from convertro_cli.privacy.list_builder import FOR_GOOD, from_then_on
from convertro_cli.privacy.misshapen import MisshapenError
from convertro_cli.segment.ids import read_id
from convertro_cli.segment.json_text import read_json_exactly

_SUPPRESSIONS = frozenset({"SUPPRESS_ONLY"})
_LIFTING = "UNSUPPRESS"
_DELETIONS = frozenset(
    {
        "SUPPRESS_WITH_DELETE",
        "SUPPRESS_WITH_DELETE_INTERNAL",
        "DELETE_ONLY",
        "DELETE_INTERNAL",
        "DELETE_ARCHIVE_ONLY",
    }
)
"""Regulations after which Segment has nothing of the user left that its Replay could send."""

_SUBJECTS = frozenset({"USER_ID", "OBJECT_ID", "ANONYMOUS_ID"})
_FIRST_READ = 1 << 18
_DECODER = json.JSONDecoder()
_START = datetime.min.replace(tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Add = Callable[[str, bytes], None]


class ListAnswer(NamedTuple):
    """One answer, and the line where it begins."""

    line: int
    content: Any


class Pages(Struct):
    """The pages that were read, by what they list: which there are, and which they lead to."""

    read: set[tuple[str, str]] = field(default_factory=set)
    wanted: dict[tuple[str, str], int] = field(default_factory=dict)

    def note(self, kind: str, pagination: Any, line: int) -> None:
        """Note a page. One without a cursor is taken for the one that its forerunner leads to."""
        if not isinstance(pagination, dict):
            pagination = {}
        current, following = pagination.get("current"), pagination.get("next")
        if isinstance(current, str) and current:
            self.read.add((kind, current))
        else:
            for known in [known for known in self.wanted if known[0] == kind]:
                del self.wanted[known]
        if following is not None and following != "":
            self.wanted[kind, str(following)] = line

    def missing(self) -> dict[tuple[str, str], int]:
        """Give the pages that are led to and were not read, each with the line that leads to it."""
        return {page: line for page, line in self.wanted.items() if page not in self.read}


def read_answers(stream: BinaryIO) -> Iterator[ListAnswer]:
    """Take a file of JSON values apart, one after another. Raises MisshapenError.

    So much is read at once as the longest value needs, not all of the file.
    """
    text, line, size = "", 1, _FIRST_READ
    rest, at_end = b"", False
    while text or not at_end:
        start = len(text) - len(text.lstrip())
        try:
            value, end = _DECODER.raw_decode(text, start)
            # A number may go on in what is still to be read, and is no answer anyway.
            whole = at_end or isinstance(value, dict | list)
            if whole:  # ids keep all their digits
                value = read_json_exactly(text[start:end].encode())
        except (json.JSONDecodeError, RecursionError, ValueError) as error:
            whole, value, end = False, None, start
            if at_end and start < len(text):
                raise _no_json(error, line) from None
        if whole and end > start:
            yield ListAnswer(line + text.count("\n", 0, start), value)
            line += text.count("\n", 0, end)
            text = text[end:]
        elif at_end:
            return
        else:
            more = stream.read(size)
            at_end = len(more) < size
            added, rest = _decode(rest + more, at_end, line + text.count("\n"))
            text, size = text + added, size * 2


def _decode(content: bytes, at_end: bool, line: int) -> tuple[str, bytes]:
    """Decode as far as characters are whole; give the rest, too."""
    content = content.removeprefix(BOM_UTF8)
    try:
        return content.decode(), b""
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and not at_end:
            return content[: error.start].decode(), content[error.start :]
        place = line + content.count(b"\n", 0, error.start)
        raise MisshapenError("is not UTF-8", place) from None


def _no_json(error: Exception, line: int) -> MisshapenError:
    if isinstance(error, json.JSONDecodeError):
        return MisshapenError(f"is no JSON: {error.msg}", line + error.lineno - 1)
    if isinstance(error, RecursionError):
        return MisshapenError("is nested too deep", line)
    return MisshapenError("has a number that is too long", line)


def take_answer(answer: ListAnswer, add: Add, pages: Pages) -> int:
    """Take in whom an answer names; give how many subjects were no user ids.

    Raises MisshapenError.
    """
    data = answer.content
    if isinstance(data, dict) and isinstance(data.get("data"), dict):
        data = data["data"]
    if not isinstance(data, dict) or data.keys().isdisjoint(("suppressed", "regulations")):
        raise MisshapenError(_no_answer(answer.content), answer.line)
    others = 0
    for kind, take in (("suppressed", _take_suppressed), ("regulations", _take_regulation)):
        if kind in data:
            if not isinstance(data[kind], list):
                raise MisshapenError(f'"{kind}" is no list', answer.line)
            others += sum(take(entry, answer.line, add) for entry in data[kind])
            pages.note(kind, data.get("pagination"), answer.line)
    return others


def _no_answer(content: Any) -> str:
    what = 'is no answer of Segment\'s Public API: it has neither "suppressed" nor "regulations"'
    if isinstance(content, dict) and "errors" in content:
        return f"{what}, but errors"
    if isinstance(content, list):
        return f"{what}. Answers stand one after another, not in a list: jq -c '.[]' takes it apart"
    return what


def _take_suppressed(entry: Any, line: int, add: Add) -> int:
    ids = _subjects(entry, "subjectIds", line)
    if entry["subjectType"] != "USER_ID":
        return len(ids)
    for user_id in ids:
        add(user_id, FOR_GOOD)
    return 0


def _take_regulation(entry: Any, line: int, add: Add) -> int:
    """Take in a regulation.

    Whoever asked not to be tracked, or to be deleted, asked so whatever became of the request;
    one to lift a suppression counts when it is carried out.
    """
    ids = _subjects(entry, "subjects", line)
    kind = entry.get("regulationType")
    moment = _moment(entry.get("createdAt"), line)
    if kind in _DELETIONS:
        word = FOR_GOOD
    elif kind in _SUPPRESSIONS:
        word = from_then_on(moment, suppressed=True)
    elif kind == _LIFTING:
        word = from_then_on(moment, suppressed=False)
    else:
        raise MisshapenError(f"has a regulation of an unknown type, {kind!r:.60}", line)
    if entry["subjectType"] != "USER_ID":
        return len(ids)
    if kind != _LIFTING or entry.get("status", "FINISHED") == "FINISHED":
        for user_id in ids:
            add(user_id, word)
    return 0


def _subjects(entry: Any, key: str, line: int) -> list[str]:
    """Give the ids of an entry."""
    if not isinstance(entry, dict) or not isinstance(entry.get(key), list):
        raise MisshapenError(f'has an entry without a list "{key}"', line)
    if entry.get("subjectType") not in _SUBJECTS:
        found = entry.get("subjectType")
        raise MisshapenError(f'has an entry with the "subjectType" {found!r:.60}', line)
    ids = [read_id(value) for value in entry[key]]
    if None in ids:
        raise MisshapenError(f'has something in "{key}" that is no id', line)
    return [user_id for user_id in ids if user_id is not None]


def _moment(value: Any, line: int) -> int:
    """Give a time in microseconds since the year 1."""
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise MisshapenError('has a regulation without a time in "createdAt"', line) from None
    utc = time.replace(tzinfo=UTC) if time.tzinfo is None else time
    return max(0, (utc - _START) // _MICROSECOND)
