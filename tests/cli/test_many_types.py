"""The summary of a run with more event types than anybody would read."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from convertro_cli.amounts import Sum
from convertro_cli.cli import log
from convertro_cli.cli.options import Loudness
from convertro_cli.cli.summary import print_summary
from convertro_cli.errors import ExitCode
from convertro_cli.record.tally import Tally
from convertro_cli.run.report import Report
from convertro_cli.settings.load import LoadedSettings
from convertro_cli.settings.model import ConvertroTable, Settings

LOADED = LoadedSettings(
    Settings(convertro=ConvertroTable(account="acme")), Path("convertro.toml"), {}
)


def report(types: int) -> Report:
    """A report of so many event types; number n has n calls, worth 10 each."""
    tally = Tally()
    for number in range(1, types + 1):
        tally.by_event_type[f"own {number:06}"].add(Sum(number, Decimal(10 * number)))
    return Report(tally, dry_run=True, exit_code=ExitCode.OK, elapsed_s=1.0)


def test_the_most_frequent_are_shown_and_the_rest_is_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """25 of 200,000, and one row for all others, with their calls and their value."""
    print_summary(report(200_000), LOADED, Loudness(), as_json=False)
    rows = [line for line in capsys.readouterr().err.splitlines() if " worth " in line]
    assert len(rows) == 26
    assert [row.split()[1] for row in rows[:-1]] == [str(n) for n in range(199_976, 200_001)]
    calls = sum(range(1, 199_976))
    assert rows[-1].split() == ["199,975", "others", f"{calls:,}", "worth", f"{10 * calls:,}.00"]


def test_25_are_all_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """There is no row for others where there are none."""
    print_summary(report(25), LOADED, Loudness(), as_json=False)
    shown = capsys.readouterr().err
    assert shown.count(" worth ") == 25
    assert "other" not in shown


@pytest.mark.parametrize("length", [33, 34, 35, 36, 60, 200])
def test_a_name_of_any_length_stands_apart_from_its_number(
    capsys: pytest.CaptureFixture[str], length: int
) -> None:
    """A long name pushes its number to the right."""
    tally = Tally()
    tally.by_event_type["x" * length].add(Sum(1_234, Decimal(1)))
    long = Report(tally, dry_run=True, exit_code=ExitCode.OK, elapsed_s=1.0)
    print_summary(long, LOADED, Loudness(), as_json=False)
    (row,) = [line for line in capsys.readouterr().err.splitlines() if " worth " in line]
    assert row.split() == ["x" * length, "1,234", "worth", "1.00"]


def test_a_line_of_the_log_is_bounded(capfd: pytest.CaptureFixture[str]) -> None:
    """The log's summary has the same; the JSON on standard output has every event type."""
    log.begin(["--log-format", "json"])
    print_summary(report(1_000), LOADED, Loudness(log_format="json"), as_json=True)
    out, err = capfd.readouterr()
    logged = orjson.loads(err)
    assert len(logged["by_event_type"]) == 25
    assert logged["other_event_types"]["types"] == 975
    assert len(orjson.loads(out)["by_event_type"]) == 1_000
    log.begin([])
