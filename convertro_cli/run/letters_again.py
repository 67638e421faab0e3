"""Dead letters that are to be tried again, wherever the ledger keeps them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record.letters import export_letters
from convertro_cli.record.place import LedgerPlace
from convertro_cli.record.state import LETTERS_AGAIN


class LettersAgain(NamedTuple):
    """The files to replay, and how far those of each run go where they came from a database."""

    paths: Sequence[str]
    reached: Mapping[int, int]


@contextmanager
def find_letters(place: LedgerPlace) -> Iterator[LettersAgain]:
    """Find the dead letters of a ledger. Those of a database are in a file for as long as this.

    What is in that file is in the database still: if a run does not come to its end, the next
    one tries them all again, and knows what was delivered meanwhile. Raises ConvertroError.
    """
    if place.address is None:
        yield LettersAgain([str(place.state.dead_letters)], {})
        return
    with _private_file(place.state.path) as path:
        with path.open("wb") as stream:
            reached = export_letters(place, stream.write)
        yield LettersAgain([str(path)] if reached else [], reached)


@contextmanager
def _private_file(folder: Path) -> Iterator[Path]:
    try:
        descriptor, name = tempfile.mkstemp(".ndjson", LETTERS_AGAIN, folder)
    except OSError as error:
        raise ConvertroError(
            f"The state folder {folder} cannot be used: {error.strerror}.",
            hint="Mend it, or name another folder with --state.",
            exit_code=ExitCode.CANNOT_WRITE_STATE,
        ) from None
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
