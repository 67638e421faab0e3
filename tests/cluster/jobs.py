"""Jobs for the process of a bundle, which finds them here by their names."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.batch import LineBatch


class CountLines:
    """Counts the lines of a batch."""

    def __call__(self, batch: LineBatch) -> int:
        return batch.data.count(b"\n")


def hash_of_word(_: LineBatch) -> int:
    """Give the hash of a word."""
    return hash("convertro")


class Refuse:
    """Fails with a sentence."""

    def __call__(self, _: LineBatch) -> None:
        raise ConvertroError("a sentence", hint="a hint", exit_code=ExitCode.UNREADABLE_EXPORT)


@dataclass(frozen=True)
class EndBySignal:
    """Ends its process."""

    number: int

    def __call__(self, _: LineBatch) -> None:
        os.kill(os.getpid(), self.number)


@dataclass(frozen=True)
class WaitForever:
    """Notes its process, and does not come back."""

    note: Path

    def __call__(self, _: LineBatch) -> None:
        self.note.write_text(str(os.getpid()))
        time.sleep(600)
