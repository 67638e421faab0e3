"""The dry run's output: to standard output, or to a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from convertro_cli.dry_run import DryRunOptions, dry_run
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.mapping.rules import Filters
from convertro_cli.reading.sources import find_exports
from convertro_cli.run.progress import Watcher
from convertro_cli.run.report import Report
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import LoadedSettings

Write = Callable[[bytes], object]


def run_dry(
    loaded: LoadedSettings,
    exports: Sequence[str],
    filters: Filters,
    *,
    output: Path | None,
    workers: int | None,
    limit: int | None,
    include_skipped: bool,
    watcher: Watcher,
) -> Report:
    """Do a dry run, with its lines going where the user wants them."""
    found = find_exports(exports, since=filters.since, until=filters.until)
    rules = compile_rules(loaded.settings, filters)
    options = DryRunOptions(workers, limit, include_skipped)
    with _open_output(output) as out:
        report = dry_run(found, rules, write=out.write, options=options, watcher=watcher)
        out.keep = not report.interrupted
    return report


class _Output:
    """Where lines go; ``keep`` says in the end whether a file is whole."""

    def __init__(self, write: Write) -> None:
        self.write = write
        self.keep = False


@contextmanager
def _open_output(path: Path | None) -> Iterator[_Output]:
    try:
        with _writing_to(path) as out:
            yield out
    except BrokenPipeError:
        raise
    except OSError as error:
        name = "Standard output" if path is None else str(path)
        raise ConvertroError(
            f"{name} cannot be written: {error.strerror}.",
            hint="A file is as it was before; give the lines another one with --output.",
            exit_code=ExitCode.CANNOT_WRITE_STATE,
        ) from None


@contextmanager
def _writing_to(path: Path | None) -> Iterator[_Output]:
    if path is None:
        yield _Output(_write_to_stdout)
    elif path.exists() and not path.is_file():
        # A device or a pipe, such as /dev/null, cannot be replaced and need not be.
        with path.open("wb", buffering=0) as stream:
            yield _Output(lambda content: _write_all(stream.fileno(), content))
    else:
        with _replacing(path) as out:
            yield out


@contextmanager
def _replacing(path: Path) -> Iterator[_Output]:
    # mkstemp makes it readable by its owner only: the lines hold personal data.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            out = _Output(stream.write)
            yield out
            stream.flush()
            os.fsync(stream.fileno())
        if out.keep:
            Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _write_to_stdout(content: bytes) -> None:
    _write_all(sys.stdout.fileno(), content)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
