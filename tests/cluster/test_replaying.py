"""The driver of a replay: bundles out, counts in, and what it does where something goes wrong."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed", reason="the extra 'dask' is not installed")

from convertro_cli.cluster import driver, replaying
from convertro_cli.cluster import engine as engines
from convertro_cli.cluster.place import ClusterPlace
from convertro_cli.cluster.replay_order import BundleEnd
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.mapping.rules import Selection
from convertro_cli.run.failures import FailureLimit
from convertro_cli.run.plan import ReplayOptions
from convertro_cli.run.progress import NobodyWatches, Progress
from convertro_cli.run.report import Report
from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from convertro_cli.settings.load import load_settings
from tests.cluster.in_process import EngineHere, opener
from tests.exports import write_export
from tests.postgres import PostgresServer
from tests.system.program import SETTINGS, WITH_POISON

FILES = 4
PLACE = ClusterPlace(scheduler="tcp://127.0.0.1:8786")


class Driving:
    """Drives replays of a few exports, a file a bundle, by an engine that is here."""

    def __init__(self, folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config = folder / "convertro.toml"
        self.config.write_text(SETTINGS)
        self.exports = folder / "exports"
        self.exports.mkdir()
        for number in range(FILES):
            write_export(self.exports / f"{number}.ndjson", 200, seed=number)
        self.url = url
        self.seen: list[EngineHere] = []
        monkeypatch.setattr(replaying, "open_engine", opener(self.seen))
        monkeypatch.setattr(driver, "bundle_size", lambda *_: 1)
        self._patch = monkeypatch

    def carry_out(self, side: str, watcher: Any = None, **more: Any) -> Report:
        ledger = {"wire.base_url": side, "delivery.ledger": self.url}
        return replaying.replay_on_cluster(
            load_settings(self.config, options=ledger, environ={}),
            [str(self.exports)],
            selection=Selection(),
            options=ReplayOptions(**more),
            watcher=watcher or NobodyWatches(),
            place=PLACE,
        )

    def when_taken(self, change: Callable[[int, BundleEnd], BundleEnd]) -> None:
        """Have something happen whenever a bundle comes back, the first of all being 1."""
        take, taken = EngineHere.take, [0]

        def take_changed(engine: EngineHere, timeout: float) -> Any:
            found = take(engine, timeout)
            if found is None:
                return None
            taken[0] += 1
            number, parts = found
            return number, iter([change(taken[0], end) for end in parts])

        self._patch.setattr(EngineHere, "take", take_changed)


@pytest.fixture
def driving(tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Driving:
    return Driving(tmp_path, postgres.create_database(), monkeypatch)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(port=0)) as sandbox:
        yield sandbox


def assert_adds_up(report: Report) -> None:
    summary = report.as_json()
    counts = dict(summary["messages"])
    assert counts.pop("read") == sum(counts.values())
    assert sum(summary["files"].values()) == FILES


def test_the_summary_is_that_of_a_single_run(driving: Driving, sandbox: Sandbox) -> None:
    """Messages, calls, values by type, files: as if one process had done it."""
    report = driving.carry_out(sandbox.url)
    assert driving.seen[0].submitted == FILES
    stats = sandbox.stats()
    found = report.as_json()
    assert_adds_up(report)
    assert found["messages"]["read"] == 200 * FILES
    assert found["calls"]["delivered"] == found["calls"]["attempts"] == stats["unique"]
    assert found["by_event_type"] == stats["by_event_type"]
    assert found["files"] == {"read": FILES, "skipped": 0, "damaged": 0}
    assert found["transport"] in {"curl", "requests"}
    assert report.latency_p50_s is not None
    assert not report.advice
    assert (report.exit_code, report.problem) == (ExitCode.OK, None)


def test_a_bundle_that_was_stopped_through_no_fault_of_its_own_comes_again(
    driving: Driving, sandbox: Sandbox
) -> None:
    """Its worker was ending, or had slept past its lease; a file that was read counts once."""
    driving.when_taken(lambda n, end: end._replace(comes_again=n == 2))
    report = driving.carry_out(sandbox.url)
    assert driving.seen[0].submitted == FILES + 1
    assert report.tally.files == {"read": FILES, "damaged": 0, "skipped": 0}
    assert report.exit_code is ExitCode.OK
    assert any("1 bundle had to be begun anew" in note for note in report.advice)
    assert_adds_up(report)


def test_a_bundle_that_never_ends_well_ends_the_job(driving: Driving, sandbox: Sandbox) -> None:
    """A few times is enough: its problem is the job's then."""
    driving.when_taken(
        lambda _, end: end._replace(comes_again=True, problem="It slept.", exit_code=75)
    )
    report = driving.carry_out(sandbox.url)
    assert (report.problem, report.exit_code) == ("It slept.", ExitCode.TRY_LATER)


def test_what_ends_a_run_ends_the_job(driving: Driving, sandbox: Sandbox) -> None:
    """The others are told to stop; the report has what was counted until then, and what to do."""
    driving.when_taken(
        lambda n, end: (
            end._replace(problem="All refused.", exit_code=75, advice=["Look there."])
            if n == 2
            else end
        )
    )
    report = driving.carry_out(sandbox.url)
    assert (report.problem, report.exit_code) == ("All refused.", ExitCode.TRY_LATER)
    assert "Look there." in report.advice
    assert driving.seen[0].under_way == 0
    assert 0 < report.tally.messages["read"] < 200 * FILES


def test_failures_of_all_machines_together_are_what_max_failed_is_about(
    driving: Driving, sandbox: Sandbox
) -> None:
    """No part of the job knows how many there are."""
    driving.config.write_text(WITH_POISON)
    report = driving.carry_out(sandbox.url, max_failed=FailureLimit(number=1))
    assert report.problem is not None
    assert "--max-failed allows 1" in report.problem
    assert report.exit_code is ExitCode.SOME_FAILED


def test_an_interrupt_ends_the_job_and_the_next_one_goes_on(
    driving: Driving, sandbox: Sandbox
) -> None:
    """What was done is done; the summary says that there may be more."""

    def interrupt(number: int, end: BundleEnd) -> BundleEnd:
        if number == 2:
            signal.raise_signal(signal.SIGINT)
        return end

    driving.when_taken(interrupt)
    report = driving.carry_out(sandbox.url)
    assert (report.interrupted, report.exit_code) == (True, ExitCode.INTERRUPTED)
    rest = driving.carry_out(sandbox.url)
    assert rest.exit_code is ExitCode.OK
    assert_adds_up(rest)
    assert sandbox.stats()["repeats"] == 0
    assert rest.tally.files["skipped"] == 2


def test_an_engine_that_goes_is_told_in_a_sentence(
    driving: Driving, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost; what was counted is told all the same."""

    def take(*_: object) -> None:
        raise engines.EngineGoneError

    monkeypatch.setattr(EngineHere, "take", take)
    report = driving.carry_out(sandbox.url)
    assert report.problem == "The scheduler at tcp://127.0.0.1:8786 is gone."
    assert report.exit_code is ExitCode.TRY_LATER


def test_somebody_who_watches_sees_bundles_bytes_and_calls(
    driving: Driving, sandbox: Sandbox
) -> None:
    """One progress for all machines."""

    class Watching(NobodyWatches):
        def __init__(self) -> None:
            self.seen: list[tuple[int, int | None]] = []

        def tick(self, progress: Progress) -> None:
            if progress.cluster is not None:
                self.seen.append((progress.cluster.done, progress.cluster.bundles))

    watching = Watching()
    driving.carry_out(sandbox.url, watching)
    assert watching.seen[-1] == (FILES, FILES)


def test_what_cannot_be_sent_out_ends_the_job_before_anything_is_sent(
    driving: Driving, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found while exports are listed, it is the job's problem."""

    def refuse(*_: object, **__: object) -> Iterator[None]:
        raise ConvertroError("No.", exit_code=ExitCode.UNREADABLE_EXPORT)
        yield

    monkeypatch.setattr(driver, "bundles_of", refuse)
    report = driving.carry_out(sandbox.url)
    assert (report.problem, report.exit_code) == ("No.", ExitCode.UNREADABLE_EXPORT)
    assert sandbox.stats()["requests"] == 0
