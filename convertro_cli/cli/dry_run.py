"""The dry run's output: to standard output, or to a file that appears whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from convertro_cli.cli.output_file import open_output
from convertro_cli.cli.outputs import Spared, file_or_stdout
from convertro_cli.dry_run import DryRunOptions, dry_run
from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.sources import find_exports
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
    workers: int | None,
    limit: int | None,
    include_skipped: bool,
    watcher: Watcher,
) -> Report:
    """Do a dry run, with its lines going where the user wants them."""
    found = find_exports(exports, since=selection.since, until=selection.until)
    rules = compile_rules(loaded.settings, selection)
    options = DryRunOptions(workers, limit, include_skipped)
    spared = Spared(found.files, [loaded])
    spared.check("--output", output)
    if file_or_stdout(output) is None:
        spared.check_stdout()
    with open_output(output) as out:
        report = dry_run(found, rules, write=out.write, options=options, watcher=watcher)
        out.keep = not report.interrupted
    return report
