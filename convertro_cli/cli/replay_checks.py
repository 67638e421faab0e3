"""What of ``replay``'s options does not go together, told before anything is read or written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from convertro_cli.cli.outputs import Spared, file_or_stdout, is_stdout, lies_below
from convertro_cli.errors import ConvertroError

if TYPE_CHECKING:
    from convertro_cli.settings.load import LoadedSettings


def check_dry_run_options(
    *, dry_run: bool, include_skipped: bool, no_ledger: bool, output: Path | None, as_json: bool
) -> None:
    """Refuse what is about dry runs alone, and two outputs on one stream. Raises ConvertroError."""
    if dry_run and as_json and file_or_stdout(output) is None:
        raise ConvertroError(
            "--json and the dry run's lines would both go to standard output.",
            hint="Give the lines a file: --output FILE.",
        )
    given = {
        "--output": output is not None,
        "--include-skipped": include_skipped,
        "--no-ledger": no_ledger,
    }
    misplaced = [name for name, is_given in given.items() if is_given]
    if not dry_run and misplaced:
        raise ConvertroError(f"{misplaced[0]} goes with --dry-run.")


def what_to_replay(exports: list[str] | None, *, dead_letters: bool, dry_run: bool) -> list[str]:
    """Give the exports, none for dead letters. Raises ConvertroError where neither is named."""
    if bool(exports) == dead_letters:
        raise ConvertroError(
            "What is to be replayed? Name exports, or --dead-letters: one of them.",
            hint="For example: convertro replay exports/",
        )
    if dead_letters and dry_run:
        raise ConvertroError(
            "--dead-letters does not go with --dry-run.",
            hint="`convertro dead-letters export -o FILE`, then a dry run of that file.",
        )
    return exports or []


def check_live_options(
    live: Mapping[str, object], *, dry_run: bool, as_json: bool, metrics: Path | None
) -> None:
    """Refuse what is about deliveries in a dry run, by name. Raises ConvertroError."""
    for name in live:
        if dry_run and live[name] is not None:
            raise ConvertroError(f"{name} is about deliveries: it does not go with --dry-run.")
    if as_json and metrics is not None and is_stdout(metrics):
        raise ConvertroError("--json and --metrics would both go to standard output.")
    if metrics is not None:
        from convertro_cli.run.metrics import check_metrics

        check_metrics()


def spare_exports(exports: Sequence[str], metrics: Path | None) -> None:
    """Refuse metrics in the place of an export.

    What holds metrics already and lies elsewhere is none, however long the list is.
    """
    if metrics is None or not metrics.is_file():
        return
    from convertro_cli.reading.paths import is_address
    from convertro_cli.reading.sources import find_exports
    from convertro_cli.run.metrics import holds_metrics

    local = [export for export in exports if not is_address(export)]
    if lies_below(metrics, local) or not holds_metrics(metrics):
        for argument in local:
            try:
                found = find_exports([argument])
            except ConvertroError:
                continue  # the replay itself will tell
            Spared(found).check("--metrics", metrics)
            for _ in found:  # each is looked at
                pass


def load_told(
    config: Path, load_now: Callable[[], LoadedSettings], metrics: Path | None
) -> LoadedSettings:
    """Load the settings; whoever watches the metrics hears of faults in them, too."""
    if metrics is None:
        return load_now()
    from convertro_cli.cli.replay_watch import tell_of_faulty_settings

    Spared(others=[config]).check("--metrics", metrics)
    try:
        loaded = load_now()
    except ConvertroError as error:
        tell_of_faulty_settings(metrics, error)
        raise
    Spared(settings=[loaded]).check("--metrics", metrics)
    return loaded
