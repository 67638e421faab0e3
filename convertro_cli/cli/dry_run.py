"""The dry run's output: to standard output, or to a file that appears whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from convertro_cli.cli.on_cluster import spread_over
from convertro_cli.cli.output_file import open_output
from convertro_cli.cli.outputs import Spared, file_or_stdout
from convertro_cli.dry_run import DryRunOptions, dry_run
from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.export_set import ExportFile
from convertro_cli.reading.unread import Unread
from convertro_cli.record.backends import open_known_calls
from convertro_cli.record.known_calls import KnownCalls
from convertro_cli.record.state import StateFolder
from convertro_cli.run.plan import digest_settings, letters_in_place
from convertro_cli.run.progress import Watcher, tell_of_list
from convertro_cli.run.replayed import ReplayedFiles
from convertro_cli.run.report import Report
from convertro_cli.run.selected import find_selected, own_files
from convertro_cli.run.target import target_of
from convertro_cli.settings.compile import compile_loaded
from convertro_cli.settings.load import LoadedSettings

if TYPE_CHECKING:
    from convertro_cli.cluster.place import ClusterPlace


def run_dry(
    loaded: LoadedSettings,
    exports: Sequence[str],
    selection: Selection,
    *,
    output: Path | None,
    options: DryRunOptions,
    look_into_ledger: bool,
    watcher: Watcher,
    cluster: ClusterPlace | None = None,
) -> Report:
    """Do a dry run, with its lines going where the user wants them."""
    state = StateFolder(loaded.state_folder)
    rules = compile_loaded(loaded, selection)
    with open_known_calls(loaded.ledger) if look_into_ledger else nullcontext() as known:
        paths = letters_in_place(exports, state, known)
        found = find_selected(
            paths,
            selection,
            own=own_files(loaded),
            storage=loaded.storage,
            tell=tell_of_list(watcher),
        )
        spared = Spared(found, [loaded])
        spared.check("--output", output)
        if file_or_stdout(output) is None:
            spared.check_stdout()
        replayed: _ReplayedCount | None = None
        if known is not None and not options.resend:
            options = _with_earlier_types(options, loaded, known)
            replayed = _ReplayedCount(ReplayedFiles(known, state, digest_settings(loaded)))
            found = found.sifted(replayed.look_at, Unread.ALREADY_REPLAYED)
        with (
            spread_over(cluster, loaded.storage, watcher.notice) as spread,
            open_output(output, loaded.storage) as out,
        ):
            report = dry_run(
                found,
                rules,
                write=out.write,
                options=options,
                watcher=watcher,
                known=known,
                spread=spread,
            )
            out.keep = not report.interrupted
        if replayed is not None:
            report.advice += replayed.in_words()
    if report.retyped is not None:
        report.advice += report.retyped.in_words()
    return report


def _with_earlier_types(
    options: DryRunOptions, loaded: LoadedSettings, known: KnownCalls
) -> DryRunOptions:
    """Have the dry run look for what other settings sent under other types, if there were any."""
    earlier = known.earlier_runs(target_of(loaded))
    if not earlier.had_other_settings(digest_settings(loaded)):
        return options
    return replace(options, delivered_types=earlier.event_types)


class _ReplayedCount:
    """Counts the files that a replay would not even read, as they are found."""

    def __init__(self, replayed: ReplayedFiles) -> None:
        self._replayed = replayed
        self._count = 0

    def look_at(self, files: Sequence[ExportFile]) -> Sequence[ExportFile]:
        """Count those of some files; give them all, for a dry run reads them."""
        self._count += len(files) - len(self._replayed.unread_of(files))
        return files

    def in_words(self) -> Iterator[str]:
        """Say how many there are, if any."""
        if self._count:
            files = "1 file was" if self._count == 1 else f"{self._count:,} files were"
            yield (
                f"{files} replayed to the end before: a replay reads such a file with "
                "--reread only."
            )
