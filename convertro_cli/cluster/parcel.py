"""Objects on their way to another machine: with the content of open files, and without secrets.

What is open here is not open there. A suppression list takes its file with it; an object in a
bucket is what the list said of it, and is opened with the credentials that the other machine has.
Only our own processes are at the two ends, so unpickling is safe here.
"""

from __future__ import annotations

import io
import os
import pickle
from collections import Counter
from typing import Any

from convertro_cli.privacy.list_builder import temporary_file, write_all
from convertro_cli.reading.days import WantedDays
from convertro_cli.storage.find import ObjectPlace, ObjectSearch
from convertro_cli.storage.listing import StoredObject
from convertro_cli.storage.options import StorageOptions
from convertro_cli.workers.inherited import InheritedFile

_PIECE = 1 << 20


class _Packing(pickle.Pickler):
    """Pickles an object with all that it needs elsewhere."""

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, InheritedFile):
            return "file", _content(value.fileno())
        if isinstance(value, ObjectPlace):
            return "object", value.found
        return None


class _Unpacking(pickle.Unpickler):
    """Makes the object again; what lies in buckets is reached as ``storage`` says."""

    def __init__(self, content: bytes, storage: StorageOptions | None) -> None:
        super().__init__(io.BytesIO(content))
        self._objects = ObjectSearch(storage, WantedDays(), Counter())

    def persistent_load(self, pid: Any) -> Any:
        kind, content = pid
        return _open_file(content) if kind == "file" else self._find(content)

    def _find(self, found: StoredObject) -> ObjectPlace:
        return self._objects.place(found)


def pack(value: Any) -> bytes:
    """Pack an object for another machine."""
    buffer = io.BytesIO()
    _Packing(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


def unpack(content: bytes, storage: StorageOptions | None = None) -> Any:
    """Unpack what ``pack`` packed on another machine. Raises ConvertroError as buckets do."""
    return _Unpacking(content, storage).load()


def _content(descriptor: int) -> bytes:
    parts: list[bytes] = []
    while piece := os.pread(descriptor, _PIECE, len(parts) * _PIECE):
        parts.append(piece)
    return b"".join(parts)


def _open_file(content: bytes) -> InheritedFile:
    file = temporary_file()
    write_all(file, content, 0)
    return file
