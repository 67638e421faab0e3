"""``convertro diff``: what a change of the settings changes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from convertro_cli.cli.options import (
    EventOption,
    LimitOption,
    LogFormatOption,
    QuietOption,
    SinceOption,
    TypeOption,
    UntilOption,
    WorkersOption,
)
from convertro_cli.cli.report_output import (
    Format,
    FormatOption,
    ReportOption,
    check_report,
    choose_format,
    write_report,
)
from convertro_cli.errors import ConvertroError, ExitCode

if TYPE_CHECKING:
    from convertro_cli.mapping.rules import Selection
    from convertro_cli.review.diff.model import DiffReport
    from convertro_cli.review.diff.run import Sides

Show = Literal["full", "masked", "none"]

_DEFAULT_SHOW: dict[Format, Show] = {
    "terminal": "full",
    "json": "full",
    "markdown": "masked",
    "html": "masked",
}


def diff(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="OLD.toml NEW.toml EXPORT...",
            help="The settings before and after, then the exports. "
            "With --against only NEW.toml and the exports.",
        ),
    ],
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FILE",
            help="Compare with a saved dry run in place of OLD.toml: what was, and what would be.",
        ),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    type_: TypeOption = None,
    event: EventOption = None,
    limit: LimitOption = None,
    samples: Annotated[
        int,
        typer.Option("--samples", metavar="N", min=0, max=100, help="Examples of each change."),
    ] = 3,
    format_: FormatOption = None,
    output: ReportOption = None,
    changes: Annotated[
        Path | None,
        typer.Option(
            "--changes", metavar="FILE", help="Write every change to a file, a JSON line each."
        ),
    ] = None,
    show: Annotated[
        Show | None,
        typer.Option(
            "--show",
            help="How much of ids and traits to show.  "
            "[default: masked in markdown and html, else full]",
            show_default=False,
        ),
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 1 if any call differs, like git diff.")
    ] = False,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "text",
) -> None:
    """Show what a change of the settings changes: which calls, and how much they are worth.

    Every message is mapped under both settings. Sends nothing and writes no state.

    Examples:

    * `convertro diff convertro.toml new.toml exports/ --output report.html`

    * `convertro diff convertro.toml exports/ --against dry-run.ndjson --exit-code`
    """
    from convertro_cli.cli.output_file import check_folder, open_output_file
    from convertro_cli.cli.selection import read_selection
    from convertro_cli.cli.watching import Loudness, open_watcher
    from convertro_cli.reading.sources import find_exports
    from convertro_cli.review.diff.document import to_document
    from convertro_cli.review.diff.job import Wanted
    from convertro_cli.review.diff.model import write_json
    from convertro_cli.review.diff.run import DiffOptions, compare
    from convertro_cli.review.masking import Masking

    told = _Arguments.read(files, against)
    form = choose_format(format_, output)
    check_report(form, output)
    if changes is not None:
        check_folder(changes)
    selection = read_selection(since=since, until=until, types=type_, events=event)
    sides = _sides(told, against, selection)
    exports = find_exports(told.exports, since=selection.since, until=selection.until)
    written = Masking(show or "full") if changes is not None else None
    options = DiffOptions(Wanted(samples, written), workers, limit)
    with ExitStack() as opened:
        out = opened.enter_context(open_output_file(changes)) if changes is not None else None
        watcher = opened.enter_context(open_watcher(Loudness(quiet, log_format)))
        report = compare(
            exports, sides, options=options, watcher=watcher, write=out.write if out else None
        )
        if out is not None:
            out.keep = not report.interrupted
    masking = Masking(show or _DEFAULT_SHOW[form])
    write_report(
        lambda: to_document(report, masking), lambda: write_json(report, masking), form, output
    )
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


def _sides(told: _Arguments, against: Path | None, selection: Selection) -> Sides:
    from convertro_cli.review.diff.run import Sides
    from convertro_cli.review.diff.saved import SavedRun
    from convertro_cli.review.diff.settings_diff import compare_settings
    from convertro_cli.settings.compile import compile_rules
    from convertro_cli.settings.load import load_settings

    new = load_settings(told.after)
    rules = compile_rules(new.settings, selection)
    if against is not None:
        return Sides(str(against), SavedRun(against), str(told.after), rules)
    assert told.before is not None
    old = load_settings(told.before)
    return Sides(
        str(told.before),
        compile_rules(old.settings, selection),
        str(told.after),
        rules,
        compare_settings(old.settings, new.settings),
    )


def _exit_code(report: DiffReport, wanted: bool) -> int:
    if report.exit_code is ExitCode.OK and wanted and report.tally.differs:
        return int(ExitCode.SOME_FAILED)
    return int(report.exit_code)
