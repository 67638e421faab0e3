"""User ids in text: one a line, or a column of CSV.

A list that is read wrongly suppresses nobody, and nobody would notice. So what could be either is
refused: text whose first line looks like a row of CSV, CSV without a column of user ids.
"""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from convertro_cli.privacy.misshapen import MisshapenError

_LONGEST_LINE = 64 * 1024
_COMMENT = re.compile(r"(?:^|\s)#.*", re.DOTALL)
_NO_WORD = re.compile(r"[\W_]+")
_DELIMITERS = ",;\t"


def read_id_lines(stream: BinaryIO) -> Iterator[str]:
    """Give the user ids of a file of text or CSV, in its order. Raises MisshapenError.

    In text, white space around an id does not count, and a ``#`` at the beginning of a line or
    after white space begins a comment. In CSV a field is an id as it is; an empty one is none.
    """
    lines = _decoded(stream)
    beginning = next((each for each in lines if _without_comment(each[1])), None)
    if beginning is None:
        return
    number, first = beginning[0], _without_comment(beginning[1])
    delimiter = _delimiter(first)
    rows = chain([beginning], lines)
    if delimiter is not None:
        yield from _column(rows, delimiter, number)
    elif first[0] == '"' or any(mark in first for mark in _DELIMITERS):
        raise MisshapenError(
            "this looks like CSV, and no column is named userId or user_id. "
            "(Text has one id a line and nothing else.)",
            number,
        )
    else:
        yield from _ids(rows)


def _decoded(stream: BinaryIO) -> Iterator[tuple[int, str]]:
    """Give each line with its number, and with its line end."""
    for number, line in enumerate(iter(lambda: stream.readline(_LONGEST_LINE), b""), 1):
        if len(line) == _LONGEST_LINE:
            raise MisshapenError(f"is longer than {_LONGEST_LINE // 1024} KiB", number)
        content = line.removeprefix(BOM_UTF8) if number == 1 else line
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise MisshapenError("is not UTF-8", number) from None
        if "\0" in text or "\r" in text.removesuffix("\n").removesuffix("\r"):
            raise MisshapenError("has a control character in it", number)
        yield number, text


def _ids(lines: Iterator[tuple[int, str]]) -> Iterator[str]:
    for _, line in lines:
        text = _without_comment(line)
        if text:
            yield text


def _without_comment(line: str) -> str:
    return (_COMMENT.sub("", line) if "#" in line else line).strip()


def _delimiter(header: str) -> str | None:
    """Give the delimiter of a header that names a column of user ids; None where none is named."""
    for delimiter in _DELIMITERS:
        if any(map(_is_user_id, next(csv.reader([header], delimiter=delimiter)))):
            return delimiter
    return None


def _is_user_id(name: str) -> bool:
    return _NO_WORD.sub("", name).lower() == "userid"


def _column(lines: Iterator[tuple[int, str]], delimiter: str, first: int) -> Iterator[str]:
    rows = csv.reader((line for _, line in lines), delimiter=delimiter, strict=True)
    place = first
    try:
        header = next(rows)
        named = [index for index, name in enumerate(header) if _is_user_id(name)]
        if len(named) > 1:
            raise MisshapenError("two columns are named userId", first)
        column = named[0]
        for row in rows:
            place = first - 1 + rows.line_num
            if row and len(row) <= column:
                raise MisshapenError(f"has {len(row)} of {len(header)} fields", place)
            if row and row[column].strip():
                yield row[column]
    except csv.Error as error:
        raise MisshapenError(f"is no CSV: {error}", max(place, first - 1 + rows.line_num)) from None
