"""Half a year as history left it: however a backfill is cut up, the same calls arrive once each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from convertro_cli.sandbox.options import SandboxOptions
from convertro_cli.sandbox.server import Sandbox
from tests.system.history import MONTHS, History
from tests.system.ledger_view import read_ledger
from tests.system.program import Ended, Workspace
from tests.system.receiving import Target, accepted, wait_for_requests

SEED = 20

KINDS = {
    "track",
    "identify",
    "page",
    "late",
    "copy",
    "shared id",
    "delivered in the browser",
    "no consent",
    "consent",
    "suppressed",
    "off",
    "staff",
    "odd money",
    "odd time",
}


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


class Whole(Backfill):
    """The bucket in one run, after a dry run of it and a look into it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        dry_run = ("replay", "bucket", "--dry-run", "--json", "--output", "lines.ndjson")
        self.dry = self.workspace.run(*dry_run, "--base-url", self.sandbox.url).summary
        (self.inspected,) = self.workspace.run("inspect", "bucket", "--format", "json").lines
        self.ran = self.replay().summary
        self.delivered = self.arrived()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """One run over all of it, which every other way is held against."""
    backfill = Whole(tmp_path_factory.mktemp("history") / "whole")
    yield backfill
    backfill.close()


@pytest.fixture
def cut(tmp_path: Path) -> Iterator[Backfill]:
    """The same bucket, for another way to replay it."""
    backfill = Backfill(tmp_path / "cut")
    yield backfill
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
    assert set(history.kinds) == KINDS
    assert min(history.kinds.values()) >= 30
    assert len(history.files) > 40


def test_a_dry_run_and_inspect_say_what_the_run_does(whole: Whole) -> None:
    """Counts by reason, warnings, calls and value by event type are equal, to the cent."""
    dry, ran, inspected = whole.dry, whole.ran, whole.inspected
    assert counted(dry) == counted(ran)
    assert dry["kept_back"] == ran["kept_back"]
    outcome = inspected["would_be_sent"]
    assert inspected["messages"]["read"] == ran["messages"]["read"]
    assert outcome["messages"] == ran["messages"]["delivered"]
    assert outcome["already_delivered"] == ran["messages"]["already_delivered"]
    assert outcome["skipped"] == ran["skipped"]
    assert outcome["invalid"] == ran["invalid"]
    assert {name: one["count"] for name, one in inspected["warnings"].items()} == ran["warnings"]
    said = {
        name: {"calls": total["calls"], "value": total["value"]}
        for name, total in inspected["by_event_type"].items()
    }
    assert said == ran["by_event_type"]
    assert whole.delivered.total() == ran["calls"]["delivered"] > 400
    assert set(whole.delivered.values()) == {1}


def test_six_monthly_runs_deliver_what_one_run_delivers(whole: Whole, cut: Backfill) -> None:
    """A message counts in the month in which it happened, whenever it was received."""
    months = []
    for since, until in pairwise(MONTHS):
        ended = cut.replay("--since", since, "--until", until)
        assert ended.code in {0, 1}, ended.err
        months.append(ended.summary["calls"]["delivered"])
    assert min(months) > 10
    assert cut.arrived() == whole.delivered


def test_a_run_killed_ten_times_delivers_what_one_run_delivers(whole: Whole, cut: Backfill) -> None:
    """Nothing is lost, and nothing is repeated but what a kill left in doubt."""
    dice = Random(SEED)
    in_doubt = 0
    for _ in range(10):
        running = cut.workspace.start("replay", "bucket", "--base-url", cut.sandbox.url)
        wait_for_requests(cut.sandbox, cut.sandbox.stats()["requests"] + dice.randrange(1, 40))
        assert running.kill().code == -9
        in_doubt += len(read_ledger(cut.workspace.state).sending)
    last = cut.replay()
    assert last.code in {0, 1}, last.err
    assert set(cut.arrived()) == set(whole.delivered)
    assert cut.arrived().total() - len(cut.arrived()) <= in_doubt
    again = cut.replay("--reread")
    assert again.summary["calls"]["delivered"] == 0
