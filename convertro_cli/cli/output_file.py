"""A file for output that appears whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from convertro_cli.errors import ConvertroError, ExitCode


class OutputFile:
    """Where to write; ``keep`` says in the end whether the file is whole."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.write = write
        self.keep = False


def check_folder(path: Path) -> None:
    """Tell what cannot be written, before hours are spent on reading."""
    if path.is_dir():
        raise ConvertroError(f"{path} is a folder.", hint="Name a file in it.")
    if not path.parent.is_dir():
        raise ConvertroError(f"There is no folder {path.parent} for {path}.")


@contextmanager
def open_output_file(path: Path) -> Iterator[OutputFile]:
    """Open a file that replaces the one of that name in the end, if it is to be kept.

    Raises ConvertroError where it cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            # A device or a pipe, such as /dev/null, cannot be replaced and need not be.
            with path.open("wb") as stream:
                yield OutputFile(stream.write)
        else:
            with _replacing(path) as out:
                yield out
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ConvertroError(
            f"{path} cannot be written: {error.strerror}.",
            hint="If there was such a file before, it is as it was.",
            exit_code=ExitCode.CANNOT_WRITE_STATE,
        ) from None


@contextmanager
def _replacing(path: Path) -> Iterator[OutputFile]:
    # mkstemp makes it readable by its owner only: it may hold personal data.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            out = OutputFile(stream.write)
            yield out
            stream.flush()
            os.fsync(stream.fileno())
        if out.keep:
            Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
