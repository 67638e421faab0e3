"""Objects over a pipe: each as its pickle, and behind it the bytes that were left out of that.

What is large says so (``pickle.PickleBuffer``) and crosses as it lies there: within a pickle it
would be copied twice over, which takes longer than the pipe. Only our own processes are at the two
ends of such a pipe, so unpickling is safe here.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Sequence
from typing import IO, Any

from convertro_cli.workers.inherited import InheritedFile

_LENGTH = struct.Struct("<Q")


class _JobPickler(pickle.Pickler):
    """Pickles an object, and notes the descriptors of the files in it."""

    def __init__(self, buffer: io.BytesIO) -> None:
        super().__init__(buffer, protocol=pickle.HIGHEST_PROTOCOL)
        self.descriptors: list[int] = []

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, InheritedFile):
            self.descriptors.append(value.fileno())
        return NotImplemented


def pack(job: Any) -> tuple[bytes, list[int]]:
    """Pickle a job; give the descriptors, too, that whoever unpickles it must have inherited."""
    buffer = io.BytesIO()
    pickler = _JobPickler(buffer)
    pickler.dump(job)
    return buffer.getvalue(), pickler.descriptors


def send(pipe: IO[bytes], value: Any) -> None:
    """Write one object. Raises OSError when the other end is gone."""
    left_out: list[pickle.PickleBuffer] = []
    content = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL, buffer_callback=left_out.append)
    send_packed(pipe, content, [buffer.raw() for buffer in left_out])


def send_packed(pipe: IO[bytes], content: bytes, left_out: Sequence[memoryview] = ()) -> None:
    """Write one object that is pickled already. Raises OSError when the other end is gone."""
    pipe.write(_LENGTH.pack(len(left_out)))
    parts: list[bytes | memoryview] = [content, *left_out]
    for part in parts:
        pipe.write(_LENGTH.pack(len(part)))
        pipe.write(part)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Read one object. Raises EOFError when the other end is gone."""
    left_out = _number(pipe)
    content, *buffers = [_exactly(pipe, _number(pipe)) for _ in range(1 + left_out)]
    return pickle.loads(content, buffers=buffers)  # noqa: S301


def _number(pipe: IO[bytes]) -> int:
    number: int = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))[0]
    return number


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    content = pipe.read(length)
    if len(content) < length:
        raise EOFError
    return content
