"""Reads files as a run does, and checks on the way what must hold of any batches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from convertro_cli.reading.batch import FileEnd, LineBatch
from convertro_cli.reading.export_set import ExportFile
from convertro_cli.reading.lines import read_batches

STDIN = ExportFile("stdin", None, None)


@dataclass(frozen=True, slots=True)
class Read:
    """One file as it was read: all its bytes, its batches, and its end."""

    data: bytes
    batches: list[LineBatch]
    end: FileEnd

    @property
    def damage(self) -> str:
        return self.end.damage or ""


def export(path: Path) -> ExportFile:
    return ExportFile(str(path), path, path.stat().st_size)


def read(path: Path) -> Read:
    return checked(list(read_batches([export(path)])))


def read_stdin(raw: BinaryIO) -> Read:
    return checked(list(read_batches([STDIN], stdin=raw)))


def checked(batches: list[LineBatch]) -> Read:
    """The batches of one file, after a look at their line numbers, cuts and positions.

    Items of arrays are numbered otherwise, which is for their own tests to look at.
    """
    is_of_lines = not any(batch.items for batch in batches)
    line, position = 1, 0
    for batch in batches[:-1]:
        assert batch.end is None
        assert batch.first_line == line or not is_of_lines
        assert batch.position >= position
        assert batch.overlong or batch.data.endswith(b"\n")
        line += 1 if batch.overlong else batch.data.count(b"\n")
        position = batch.position
    last = batches[-1]
    assert last.end is not None
    assert last.first_line == line or not is_of_lines
    assert last.position >= position
    return Read(b"".join(batch.data for batch in batches), batches, last.end)
