"""The dry run's output: to standard output, or to a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from convertro_cli.cli.output_file import OutputFile, open_output_file
from convertro_cli.dry_run import DryRunOptions, dry_run
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.sources import ExportSet, find_exports
from convertro_cli.record.backends import open_known_calls
from convertro_cli.record.known_calls import KnownCalls
from convertro_cli.record.state import StateFolder
from convertro_cli.run.plan import digest_settings, letters_in_place, was_replayed
from convertro_cli.run.progress import Watcher
from convertro_cli.run.report import Report
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import LoadedSettings


def run_dry(
    loaded: LoadedSettings,
    exports: Sequence[str],
    selection: Selection,
    *,
    output: Path | None,
    options: DryRunOptions,
    look_into_ledger: bool,
    watcher: Watcher,
) -> Report:
    """Do a dry run, with its lines going where the user wants them."""
    state = StateFolder(loaded.state_folder)
    rules = compile_rules(loaded.settings, selection)
    with open_known_calls(loaded.ledger) if look_into_ledger else nullcontext() as known:
        paths = letters_in_place(exports, state, known)
        found = find_exports(paths, since=selection.since, until=selection.until)
        with open_output(output) as out:
            report = dry_run(
                found, rules, write=out.write, options=options, watcher=watcher, known=known
            )
            out.keep = not report.interrupted
        if known is not None and not options.resend:
            report.advice += _advise(found, loaded, state, known)
    return report


def _advise(
    found: ExportSet, loaded: LoadedSettings, state: StateFolder, known: KnownCalls
) -> Iterator[str]:
    """Say which files a replay would not even read."""
    settings = digest_settings(loaded)
    count = sum(was_replayed(file, known, state, settings) for file in found.files)
    if count:
        files = "1 file was" if count == 1 else f"{count:,} files were"
        yield f"{files} replayed to the end before: a replay reads such a file with --reread only."


@contextmanager
def open_output(path: Path | None) -> Iterator[OutputFile]:
    """Write to a file that appears whole or not at all, or to standard output."""
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
