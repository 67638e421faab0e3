"""Objects over a pipe: each as its length and its pickle.

Only our own processes are at the two ends of such a pipe, so unpickling is safe here.
"""

from __future__ import annotations

import io
import pickle
import struct
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
    send_packed(pipe, pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))


def send_packed(pipe: IO[bytes], content: bytes) -> None:
    """Write one object that is pickled already. Raises OSError when the other end is gone."""
    pipe.write(_LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Read one object. Raises EOFError when the other end is gone."""
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    return pickle.loads(_exactly(pipe, length))  # noqa: S301


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    content = pipe.read(length)
    if len(content) < length:
        raise EOFError
    return content
