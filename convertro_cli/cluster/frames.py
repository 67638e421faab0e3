"""What the process of a bundle says to the worker that started it, and that to the driver.

Parts of a result are compressed as they come: a worker holds them until the driver takes them.
"""

from __future__ import annotations

import pickle
import struct
import sys
from collections.abc import Iterator
from enum import Enum
from typing import Any

from convertro_cli.errors import ConvertroError, ExitCode

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_LENGTH = struct.Struct("<cQ")
_LEVEL = 1


class Mark(Enum):
    """What a frame is: a part of the result, its end, or why there is none."""

    PART = b"p"
    END = b"e"
    FAULT = b"f"


def part(value: Any) -> bytes:
    """Give the frame of a part."""
    content = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    return _frame(Mark.PART, zstd.compress(content, level=_LEVEL))


def end() -> bytes:
    """Give the last frame."""
    return _frame(Mark.END, b"")


def fault(error: ConvertroError) -> bytes:
    """Give the last frame where something went wrong that can be told in a sentence."""
    told = (error.message, error.hint, int(error.exit_code))
    return _frame(Mark.FAULT, pickle.dumps(told))


def is_whole(content: bytes) -> bool:
    """Whether what a process said ends as it should."""
    marks = [mark for mark, _ in _frames(content)]
    return bool(marks) and marks[-1] is not Mark.PART


def parts_in(content: bytes) -> Iterator[Any]:
    """Give the parts, one after the other. Raises ConvertroError where there is a fault."""
    for mark, frame in _frames(content):
        if mark is Mark.FAULT:
            message, hint, exit_code = pickle.loads(frame)  # noqa: S301 - of our own process
            raise ConvertroError(message, hint=hint, exit_code=ExitCode(exit_code))
        if mark is Mark.PART:
            yield pickle.loads(zstd.decompress(frame))  # noqa: S301


def _frame(mark: Mark, content: bytes) -> bytes:
    return _LENGTH.pack(mark.value, len(content)) + content


def _frames(content: bytes) -> Iterator[tuple[Mark, memoryview]]:
    view, place = memoryview(content), 0
    while place + _LENGTH.size <= len(view):
        mark, length = _LENGTH.unpack_from(view, place)
        place += _LENGTH.size
        if place + length > len(view):
            return
        yield Mark(mark), view[place : place + length]
        place += length
