"""What is shown of a cluster while it works: one progress for all machines."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest

from convertro_cli.cli import watching
from convertro_cli.cli.progress_text import describe
from convertro_cli.cli.watching import JsonWatcher
from convertro_cli.record.tally import Tally
from convertro_cli.run.progress import ClusterProgress, Progress


def progress(bundles: int | None) -> Progress:
    tally = Tally(messages=Counter(read=9_000, delivered=1_234, failed=5))
    rates = {"one:11": 100.04, "two:22": 400.0}
    return Progress(tally, 10_000, cluster=ClusterProgress(3, bundles, rates))


@pytest.mark.parametrize(("bundles", "words"), [(40, "3 of 40 bundles"), (None, "3 bundles")])
def test_bundles_deliveries_and_calls_a_second_are_in_one_line(
    bundles: int | None, words: str
) -> None:
    """How many bundles there are is known once all exports are found."""
    assert describe(progress(bundles), 70.0) == (
        f"{words} · 9,000 events · 70/s · 1,234 delivered · 5 failed · 500 calls/s by 2 workers"
    )


def test_a_log_has_the_calls_a_second_of_each_worker(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For whoever wants to know which machine is slow."""
    monkeypatch.setattr(watching, "_LINE_EVERY", 0.0)
    JsonWatcher(quiet=False).tick(progress(40))
    (line,) = capsys.readouterr().err.splitlines()
    found = orjson.loads(line)
    assert (found["bundles_done"], found["bundles_total"]) == (3, 40)
    assert found["calls_per_s"] == 500.0
    assert found["workers"] == {"one:11": 100.0, "two:22": 400.0}


def test_a_run_by_one_process_says_nothing_of_a_cluster() -> None:
    """Nor does its log have empty fields."""
    alone = Progress(Tally(), 10)
    assert "bundles" not in describe(alone, 0.0)
    assert watching._of_cluster(alone.cluster) == {}
