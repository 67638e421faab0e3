"""A file for output that appears whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from convertro_cli.cli.outputs import address_of, file_or_stdout
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.json_text import for_stream, harmless
from convertro_cli.storage.options import StorageOptions

_BUFFER = 256 << 10  # the lines of many small files go to the disk together


class OutputFile:
    """Where to write; ``keep`` says in the end whether the file is whole."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.write = write
        self.keep = False


@contextmanager
def open_output(path: Path | None, storage: StorageOptions | None = None) -> Iterator[OutputFile]:
    """Open a file of JSON lines, or standard output: where there is no path, or it names that.

    ``storage`` says how to reach object storage, where the path is a place there.

    Raises ConvertroError where it cannot be written.
    """
    path = file_or_stdout(path)
    if path is not None:
        with open_output_file(path, is_json=True, storage=storage) as out:
            yield out
        return
    try:
        sys.stdout.flush()
        yield OutputFile(_write_to_stdout)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ConvertroError(
            f"Standard output cannot be written: {error.strerror}.",
            hint="Name a file instead.",
            exit_code=ExitCode.CANNOT_WRITE_STATE,
        ) from None


def _write_to_stdout(content: bytes) -> None:
    descriptor = sys.stdout.fileno()
    view = memoryview(for_stream(content, descriptor))
    while view:
        view = view[os.write(descriptor, view) :]


@contextmanager
def open_output_file(
    path: Path, *, is_json: bool = False, storage: StorageOptions | None = None
) -> Iterator[OutputFile]:
    """Open a file that replaces the one of that name in the end, if it is to be kept.

    A link stays a link: what it names is replaced. JSON for a terminal is made harmless.
    Raises ConvertroError where the file cannot be written.
    """
    address = address_of(path)
    try:
        if address is not None:
            with _in_storage(address, storage) as out:
                yield out
        elif path.exists() and not path.is_file():
            # A device or a pipe, such as /dev/null, cannot be replaced and need not be.
            with path.open("wb") as stream:
                escaped = is_json and stream.isatty()
                yield OutputFile(_Harmless(stream.write) if escaped else stream.write)
        else:
            with _replacing(Path(os.path.realpath(path))) as out:
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
def _in_storage(address: str, storage: StorageOptions | None) -> Iterator[OutputFile]:
    from convertro_cli.storage.output import open_object

    out = OutputFile(lambda _: None)
    with open_object(address, storage, lambda: out.keep) as spool:
        out.write = spool.write
        yield out


class _Harmless:
    """Writes JSON as a terminal may see it."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def __call__(self, content: bytes) -> None:
        self._write(harmless(content))


@contextmanager
def _replacing(path: Path) -> Iterator[OutputFile]:
    # mkstemp makes it readable by its owner only: it may hold personal data.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb", buffering=_BUFFER) as stream:
            out = OutputFile(stream.write)
            yield out
            stream.flush()
            os.fsync(stream.fileno())
        if out.keep:
            Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
