"""``convertro diff``: what a change of the settings changes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from convertro_cli.cli.options import (
    INPUT,
    OUTPUT,
    ClusterOptions,
    EventOption,
    LimitOption,
    Loudness,
    SelectionOptions,
    SuppressedOption,
    WorkersOption,
    option,
)
from convertro_cli.cli.outputs import Spared, file_or_stdout
from convertro_cli.cli.report_output import ReportOptions, ShowOption, masking_for
from convertro_cli.errors import ConvertroError, ExitCode

if TYPE_CHECKING:
    from convertro_cli.mapping.rules import Selection
    from convertro_cli.review.diff.report import DiffReport
    from convertro_cli.review.diff.run import Sides
    from convertro_cli.settings.load import LoadedSettings


def diff(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="OLD.toml NEW.toml EXPORT...",
            help="The settings before and after, then the exports. "
            "With --against only NEW.toml and the exports.",
        ),
    ],
    *,
    against: Annotated[
        Path | None,
        option(
            "--against",
            panel=INPUT,
            metavar="FILE",
            help="Compare with a saved dry run in place of OLD.toml: what was, and what would be.",
        ),
    ] = None,
    workers: WorkersOption = None,
    machines: ClusterOptions,
    filters: SelectionOptions,
    event: EventOption = None,
    limit: LimitOption = None,
    suppressed: SuppressedOption = None,
    samples: Annotated[
        int,
        option(
            "--samples", panel=OUTPUT, metavar="N", min=0, max=100, help="Examples of each change."
        ),
    ] = 3,
    written: ReportOptions,
    changes: Annotated[
        Path | None,
        option(
            "--changes",
            panel=OUTPUT,
            metavar="FILE",
            help="Write every change to a file, a JSON line each.",
        ),
    ] = None,
    show: ShowOption = None,
    exit_code: Annotated[
        bool,
        option("--exit-code", panel=OUTPUT, help="End with 1 if any call differs, like git diff."),
    ] = False,
    loudness: Loudness,
) -> None:
    """Show what a change of the settings changes: which calls, and how much they are worth.

    Every message is mapped under both settings. Sends nothing and writes no state. It looks into
    the ledger, if there is one, for what was delivered and would go out again under another type.

    Examples:

    * `convertro diff convertro.toml new.toml exports/ --output report.html`

    * `convertro diff convertro.toml exports/ --against dry-run.ndjson --exit-code`
    """
    from convertro_cli.cli.diff_ledger import open_ledger
    from convertro_cli.cli.event_names import say_which_names
    from convertro_cli.cli.filters_view import tell_of_filters
    from convertro_cli.cli.on_cluster import choose_cluster, spread_over
    from convertro_cli.cli.output_file import open_output
    from convertro_cli.cli.selection import read_selection
    from convertro_cli.cli.watching import open_watcher
    from convertro_cli.review.diff.compare import Wanted
    from convertro_cli.review.diff.document import to_document
    from convertro_cli.review.diff.report import write_json
    from convertro_cli.review.diff.run import DiffOptions, compare
    from convertro_cli.review.masking import Masking
    from convertro_cli.run.progress import tell_of_list
    from convertro_cli.run.selected import find_selected

    told = _Arguments.read(files, against)
    form = written.choose()
    alone = {"--limit": limit, "--workers": workers, "--against": against}
    cluster = choose_cluster(machines, alone)
    selection = read_selection(filters, event)
    loaded = _load(told, suppressed or [])
    sides = _sides(loaded, told, against, selection)
    own = [path for path in (told.before, told.after) if path is not None]
    with open_watcher(loudness) as watcher:
        exports = find_selected(
            told.exports, selection, own=own, storage=loaded[-1].storage, tell=tell_of_list(watcher)
        )
    spared = Spared(exports, loaded, [against] if against is not None else [])
    spared.check("--output", written.output)
    spared.check("--changes", changes)
    _check_changes(changes, written.output)
    in_full = Masking(show or "full") if changes is not None else None
    with ExitStack() as opened:
        known, note = open_ledger(loaded, opened)
        options = DiffOptions(Wanted(samples, in_full, known is not None), workers, limit)
        out = (
            opened.enter_context(open_output(changes, loaded[-1].storage))
            if changes is not None
            else None
        )
        tell_of_filters(loaded[-1].settings, quiet=loudness.quiet)
        watcher = opened.enter_context(open_watcher(loudness))
        storage = loaded[-1].storage
        spread = opened.enter_context(spread_over(cluster, storage, watcher.notice))
        report = compare(
            exports,
            sides,
            options=options,
            watcher=watcher,
            write=out.write if out else None,
            known=known,
            spread=spread,
        )
        report.notes += note
        if out is not None:
            out.keep = not report.interrupted
    masking = masking_for(show, form)
    written.write(
        form,
        lambda: to_document(report, masking),
        lambda: write_json(report, masking),
        loaded[-1].storage,
    )
    if event and report.tally.messages.read and not report.tally.calls.total():
        say_which_names(event, exports.files)
    raise typer.Exit(_exit_code(report, exit_code))


class _Arguments(NamedTuple):
    """The arguments told apart. ``before`` is None where a saved dry run takes its place."""

    before: Path | None
    after: Path
    exports: Sequence[str]

    @classmethod
    def read(cls, files: Sequence[str], against: Path | None) -> _Arguments:
        settings = 1 if against is not None else 2
        exports = files[settings:]
        misplaced = [name for name in exports if name.endswith(".toml")]
        if not exports or misplaced:
            _refuse(misplaced, against)
        before = None if against is not None else Path(files[0])
        return cls(before, Path(files[settings - 1]), exports)


def _refuse(misplaced: Sequence[str], against: Path | None) -> None:
    if against is None:
        form = "convertro diff OLD.toml NEW.toml EXPORT..."
        wanted = "two settings files and then the exports"
    else:
        form = f"convertro diff NEW.toml EXPORT... --against {against}"
        wanted = "one settings file, since the saved dry run is the other side, then the exports"
    found = f"{misplaced[0]} is no export" if misplaced else "there is no export"
    raise ConvertroError(f"diff takes {wanted}; {found}.", hint=form)


def _check_changes(changes: Path | None, output: Path | None) -> None:
    if changes is None or file_or_stdout(changes) != file_or_stdout(output):
        return
    raise ConvertroError(
        "The report and --changes would both go to "
        + ("standard output." if file_or_stdout(output) is None else f"{output}."),
        hint="Give each a file of its own.",
    )


def _load(told: _Arguments, suppressed: Sequence[Path]) -> list[LoadedSettings]:
    """Load the settings of both sides; a suppression list that both name is read once."""
    from convertro_cli.settings.load import load_settings

    new = load_settings(told.after, suppressed=suppressed)
    if told.before is None:
        return [new]
    return [load_settings(told.before, suppressed=suppressed, read_before=new.suppressions), new]


def _sides(
    loaded: Sequence[LoadedSettings], told: _Arguments, against: Path | None, selection: Selection
) -> Sides:
    from convertro_cli.review.diff.run import Sides
    from convertro_cli.review.diff.saved import SavedRun
    from convertro_cli.settings.compare import compare_settings
    from convertro_cli.settings.compile import compile_loaded

    old, new = loaded[0], loaded[-1]
    rules = compile_loaded(new, selection)
    if against is not None:
        return Sides(str(against), SavedRun(against), str(told.after), rules)
    return Sides(
        str(told.before),
        compile_loaded(old, selection),
        str(told.after),
        rules,
        compare_settings(old.settings, new.settings),
    )


def _exit_code(report: DiffReport, wanted: bool) -> int:
    if report.exit_code is ExitCode.OK and wanted and report.tally.differs:
        return int(ExitCode.SOME_FAILED)
    return int(report.exit_code)
