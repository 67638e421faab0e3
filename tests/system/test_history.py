"""Half a year as history left it: however a backfill is cut up, the same calls arrive once each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from convertro_cli.sandbox import Sandbox, SandboxOptions
from tests.system.history import MONTHS, History
from tests.system.program import Ended, Workspace
from tests.system.receiving import Target, accepted, wait_for_requests

SEED = 20


class Backfill:
    """One way to replay the same bucket: a folder, a ledger and a sandbox of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.workspace = Workspace(folder)
        self.history = History(SEED)
        self.bucket = self.history.write(folder)
        self.sandbox = Sandbox(SandboxOptions(port=0), keep_requests=True)
        self.sandbox.start()

    def replay(self, *arguments: str) -> Ended:
        """Replay the bucket to the end, with a summary."""
        return self.workspace.replay(self.sandbox.url, "bucket", *arguments)

    def arrived(self) -> Counter[Target]:
        """The calls that the other side took, and how often."""
        return accepted(self.sandbox.received())

    def close(self) -> None:
        """End what is left of it."""
        self.workspace.close()
        self.sandbox.close()


@pytest.fixture
def backfills(tmp_path: Path) -> Iterator[list[Backfill]]:
    """Two ways to replay."""
    both = [Backfill(tmp_path / name) for name in ("whole", "cut")]
    yield both
    for backfill in both:
        backfill.close()


def counted(summary: dict[str, Any]) -> dict[str, Any]:
    """What a dry run and a run must agree on."""
    names = ("messages", "skipped", "invalid", "failed", "warnings", "by_event_type")
    calls = {name: summary["calls"][name] for name in ("delivered", "already_delivered", "failed")}
    return {name: summary[name] for name in names} | {"calls": calls}


def test_the_bucket_holds_every_kind() -> None:
    """No kind is so rare under the seed that the tests below would not meet it."""
    history = History(SEED)
    history._fill()
    assert min(history.kinds.values()) >= 30
    assert len(history.files) > 300


def test_a_dry_run_and_inspect_say_what_the_run_does(backfills: list[Backfill]) -> None:
    """Counts by reason, warnings, calls and value by event type are equal, to the cent."""
    whole = backfills[0]
    url = whole.sandbox.url
    dry = whole.workspace.run(
        *("replay", "bucket", "--dry-run", "--json", "--output", "lines.ndjson"),
        *("--base-url", url),
    )
    inspected = whole.workspace.run("inspect", "bucket", "--format", "json")
    ran = whole.replay()
    assert counted(dry.summary) == counted(ran.summary)
    (report,) = inspected.lines
    assert report["messages"]["read"] == ran.summary["messages"]["read"]
    assert report["would_be_sent"]["messages"] == ran.summary["messages"]["delivered"]
    said = {
        name: {"calls": total["calls"], "value": total["value"]}
        for name, total in report["by_event_type"].items()
    }
    assert said == ran.summary["by_event_type"]
    again = whole.replay("--reread")
    assert again.summary["messages"]["delivered"] == 0
    assert again.summary["calls"]["delivered"] == 0
    assert set(whole.arrived().values()) == {1}


def test_six_monthly_runs_deliver_what_one_run_delivers(backfills: list[Backfill]) -> None:
    """A message counts in the month in which it happened, whenever it was received."""
    whole, cut = backfills
    whole.replay()
    for since, until in pairwise(MONTHS):
        ended = cut.replay("--since", since, "--until", until)
        assert ended.code in {0, 1}, ended.err
    assert cut.arrived() == whole.arrived()
    assert set(cut.arrived().values()) == {1}


def test_a_run_killed_ten_times_delivers_what_one_run_delivers(backfills: list[Backfill]) -> None:
    """Nothing is lost, and nothing is repeated beyond what each kill left in doubt."""
    whole, cut = backfills
    whole.replay()
    dice = Random(SEED)
    for _ in range(10):
        running = cut.workspace.start("replay", "bucket", "--base-url", cut.sandbox.url)
        wait_for_requests(cut.sandbox, cut.sandbox.stats()["requests"] + dice.randrange(1, 40))
        running.kill()
    last = cut.replay()
    assert last.code in {0, 1}, last.err
    assert set(cut.arrived()) == set(whole.arrived())
    repeats = cut.arrived().total() - len(cut.arrived())
    assert repeats <= 10 * 256
