"""The dry run's output: to standard output, or to a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from convertro_cli.cli.output_file import OutputFile, open_output_file
from convertro_cli.dry_run import DryRunOptions, dry_run
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.mapping.rules import Selection
from convertro_cli.run.progress import Watcher
from convertro_cli.run.report import Report
from convertro_cli.run.selected import find_selected, own_files
from convertro_cli.settings.compile import compile_loaded
from convertro_cli.settings.load import LoadedSettings


def run_dry(
    loaded: LoadedSettings,
    exports: Sequence[str],
    selection: Selection,
    *,
    output: Path | None,
    workers: int | None,
    limit: int | None,
    include_skipped: bool,
    watcher: Watcher,
) -> Report:
    """Do a dry run, with its lines going where the user wants them."""
    found = find_selected(exports, selection, own=own_files(loaded))
    rules = compile_loaded(loaded, selection)
    options = DryRunOptions(workers, limit, include_skipped)
    with _open_output(output) as out:
        report = dry_run(found, rules, write=out.write, options=options, watcher=watcher)
        out.keep = not report.interrupted
    return report


@contextmanager
def _open_output(path: Path | None) -> Iterator[OutputFile]:
    if path is not None:
        with open_output_file(path) as out:
            yield out
        return
    try:
        yield OutputFile(_write_to_stdout)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ConvertroError(
            f"Standard output cannot be written: {error.strerror}.",
            hint="Give the lines a file with --output.",
            exit_code=ExitCode.CANNOT_WRITE_STATE,
        ) from None


def _write_to_stdout(content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(sys.stdout.fileno(), view) :]
