"""Telling others of a replay: who watches cron jobs, and who collects metrics."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from convertro_cli.cli.log import run_id
from convertro_cli.cli.outputs import file_or_stdout
from convertro_cli.errors import ConvertroError
from convertro_cli.record.backends import read_open_letters
from convertro_cli.record.open_letters import Target
from convertro_cli.run.metrics import RunFacts, write_metrics
from convertro_cli.run.ping import Ping
from convertro_cli.run.report import Report
from convertro_cli.run.target import target_of
from convertro_cli.settings.load import LoadedSettings


def tell_of(
    loaded: LoadedSettings,
    carry_out: Callable[[], Report],
    *,
    metrics: Path | None,
    warn: Callable[[str], None],
) -> Report:
    """Carry out a replay; tell the service that is pinged, and write the metrics.

    Raises what the replay raises, after that has been told, too. Metrics that cannot be written
    are a problem of the report.
    """
    ping = Ping(loaded.settings.delivery.ping_url, run_id(), warn)
    ping.start()
    try:
        report = carry_out()
    except ConvertroError as error:
        ping.end(int(error.exit_code))
        if metrics is not None:
            with suppress(ConvertroError):  # why there was no run says more
                write_metrics(
                    file_or_stdout(metrics), RunFacts(target_of(loaded), int(error.exit_code))
                )
        raise
    if metrics is not None:
        try:
            _write(metrics, loaded, report)
        except ConvertroError as error:
            _add_problem(report, error)
    ping.end(int(report.exit_code))
    return report


def tell_of_faulty_settings(metrics: Path | None, error: ConvertroError) -> None:
    """Let the metrics say that a run could not even begin."""
    if metrics is not None:
        write_metrics(file_or_stdout(metrics), RunFacts(None, int(error.exit_code)))


def _write(metrics: Path, loaded: LoadedSettings, report: Report) -> None:
    target = target_of(loaded)
    found = read_open_letters(loaded.ledger)
    letters = sum(each.count for known, each in found.items() if _is_same(known, target))
    write_metrics(file_or_stdout(metrics), RunFacts(target, int(report.exit_code), letters, report))


def _is_same(known: Target, target: Target) -> bool:
    """Whether a target of the ledger is this one, as far as the ledger says it."""
    return known.url == target.url and all(
        one is None or one == other for one, other in zip(known[1:], target[1:], strict=True)
    )


def _add_problem(report: Report, error: ConvertroError) -> None:
    if report.problem is None:
        report.problem, report.exit_code = error.message, error.exit_code
        if error.hint:
            report.advice.append(error.hint)
