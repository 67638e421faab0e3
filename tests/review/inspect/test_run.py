"""Whole runs over real files."""

from __future__ import annotations

import gzip
import os
import signal
from pathlib import Path

import pytest
from msgspec.structs import replace

from convertro_cli.dry_run import DryRunOptions, dry_run
from convertro_cli.errors import ExitCode
from convertro_cli.mapping.rules import Rules, Selection
from convertro_cli.reading.sources import find_exports
from convertro_cli.review.inspect.job import rules_without_settings
from convertro_cli.review.inspect.report import InspectReport
from convertro_cli.review.inspect.run import InspectOptions, inspect
from convertro_cli.run.progress import NobodyWatches, Progress
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import load_settings
from tests.exports import BENCH_SETTINGS, write_export
from tests.review.inspect.looking import as_read

EVENTS = 4000


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of some batches, with its settings beside it."""
    folder = tmp_path_factory.mktemp("export")
    (folder / "convertro.toml").write_text(BENCH_SETTINGS)
    write_export(folder / "export.ndjson", EVENTS, days=90)
    return folder / "export.ndjson"


def rules_for(export: Path, selection: Selection | None = None) -> Rules:
    """The rules of the settings beside an export."""
    return compile_rules(load_settings(export.parent / "convertro.toml").settings, selection)


def inspected(export: Path, rules: Rules, options: InspectOptions | None = None) -> InspectReport:
    """Inspect an export, with its time taken out."""
    report = inspect(
        find_exports([str(export)]),
        rules,
        options=options or InspectOptions(settings="convertro.toml"),
        watcher=NobodyWatches(),
    )
    return replace(report, elapsed_s=0.0)


def test_any_number_of_workers_finds_the_same(export: Path) -> None:
    """In this process or in several, the whole report is equal."""
    one, three = (
        inspected(export, rules_for(export), InspectOptions("convertro.toml", workers=workers))
        for workers in (1, 3)
    )
    assert one == three
    assert one.messages.read == EVENTS


def test_a_whole_export_agrees_with_its_dry_run(export: Path) -> None:
    """The counts, the calls, and each event type's value to the cent."""
    dry = dry_run(
        find_exports([str(export)]),
        rules_for(export),
        write=len,
        options=DryRunOptions(workers=1),
        watcher=NobodyWatches(),
    ).tally
    report = inspected(export, rules_for(export))
    assert report.messages.read == dry.read
    assert report.would_be_sent.messages == dry.messages["delivered"]
    assert report.would_be_sent.skipped == {n: c for n, c in dry.skipped.items() if c}
    assert sum(report.would_be_sent.calls.values()) == dry.calls["delivered"]
    assert {name: total[:2] for name, total in report.by_event_type.items()} == {
        name: (total.count, total.value) for name, total in dry.by_event_type.items()
    }


def test_files_are_told_apart_by_their_end(tmp_path: Path) -> None:
    """What comes before the break of a damaged file counts, and the run ends with 66."""
    packed = gzip.compress(b'{"type":"page","timestamp":"2024-03-01"}\n' * 5000)
    (tmp_path / "a.gz").write_bytes(packed[:-20])
    (tmp_path / "b.ndjson").write_bytes(b'{"type":"page"}')
    report = inspected(tmp_path, rules_without_settings(), InspectOptions())
    assert report.files == {"read": 1, "skipped": 0, "damaged": 1}
    assert report.exit_code is ExitCode.UNREADABLE_EXPORT
    assert report.messages.read > 1


def test_a_limit_stops_the_reading(export: Path) -> None:
    """It counts the messages that pass the filters, as in a replay."""
    selection = Selection(types=frozenset({"identify"}))
    report = inspected(export, rules_for(export, selection), InspectOptions("x", limit=100))
    assert report.types == {"identify": 100}
    assert report.messages.left_out + 100 == report.messages.read < EVENTS


class Interrupting(NobodyWatches):
    """Asks the run to end, as a person with Ctrl-C does, once something was read."""

    def tick(self, progress: Progress) -> None:
        """Send the signal once."""
        if progress.tally.read and not self.__dict__:
            self.__dict__["sent"] = True
            os.kill(os.getpid(), signal.SIGTERM)


def test_interrupted_it_reports_what_was_read(export: Path) -> None:
    """The counts add up, it says so, and the exit code is that of the signal."""
    report = inspect(
        find_exports([str(export)]),
        rules_for(export),
        options=InspectOptions("x", workers=1),
        watcher=Interrupting(),
    )
    assert report.interrupted
    assert report.exit_code is ExitCode.TERMINATED
    assert 0 < report.messages.read < EVENTS
    assert sum(report.types.values()) == report.messages.read
    assert as_read(report)["interrupted"] is True
