"""The file of metrics: what Prometheus reads out of it after one run, and after several."""

from __future__ import annotations

import os
import stat
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from convertro_cli.amounts import Sum
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record.open_letters import Target
from convertro_cli.record.tally import Tally
from convertro_cli.run.metrics import MOST_EVENT_TYPES, OTHERS, RunFacts, write_metrics
from convertro_cli.run.report import Report

ACME = Target("https://sp1.convertro.com", "acme", "1")
OTHER = Target("https://sp1.convertro.com", "other", "1")


def report(delivered: int, failed: int = 0, **calls: int) -> Report:
    """A report of so many messages, and of calls worth 10 each by event type."""
    tally = Tally()
    tally.messages.update(read=delivered + failed, delivered=delivered, failed=failed)
    tally.calls.update(delivered=delivered, failed=failed, attempts=delivered + 2 * failed)
    for event_type, number in (calls or {"sale": delivered}).items():
        tally.by_event_type[event_type].add(Sum(number, Decimal(10) * number))
    code = ExitCode.SOME_FAILED if failed else ExitCode.OK
    return Report(tally, dry_run=False, exit_code=code, elapsed_s=1.5)


def facts(one: Report, target: Target = ACME, *, letters: int = 0, at: float = 100.0) -> RunFacts:
    return RunFacts(target, int(one.exit_code), letters, one, ended_at=at)


def read(path: Path, account: str = "acme") -> dict[str, float]:
    """The samples of one account, by name and by what is no label of the target."""
    found = {}
    for family in text_string_to_metric_families(path.read_text()):
        for sample in family.samples:
            labels = dict(sample.labels)
            if labels.pop("account") == account and labels.pop("url") and labels.pop("site_id"):
                found[" ".join([sample.name, *labels.values()])] = sample.value
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "convertro.prom"


def test_what_one_run_says(path: Path) -> None:
    """Messages and calls by outcome, value by event type, and how and when it ended."""
    write_metrics(path, facts(report(3, 1), letters=2))
    found = read(path)
    outcomes = [v for k, v in found.items() if k.startswith("convertro_messages_total")]
    assert sum(outcomes) == 4
    assert found["convertro_attempts_total"] == 5
    assert found["convertro_messages_total delivered"] == 3
    assert found["convertro_messages_total failed"] == 1
    assert found["convertro_messages_total skipped"] == 0
    assert found["convertro_calls_total delivered"] == 3
    assert found["convertro_event_calls_total sale"] == 3
    assert found["convertro_event_value_total sale"] == 30
    assert found["convertro_dead_letters_open"] == 2
    assert found["convertro_exit_code"] == 1
    assert found["convertro_run_duration_seconds"] == 1.5
    assert found["convertro_last_run_timestamp_seconds"] == 100
    assert "convertro_last_success_timestamp_seconds" not in found


def test_counters_go_on(path: Path) -> None:
    """A second run adds to the first; a failed one leaves the time of the last success."""
    write_metrics(path, facts(report(3), at=100))
    write_metrics(path, facts(report(4, 1), at=200, letters=1))
    found = read(path)
    assert found["convertro_messages_total delivered"] == 7
    assert found["convertro_event_value_total sale"] == 70
    assert found["convertro_exit_code"] == 1
    assert found["convertro_last_success_timestamp_seconds"] == 100
    assert found["convertro_last_run_timestamp_seconds"] == 200


def test_targets_are_told_apart(path: Path) -> None:
    """Two accounts in one file have series of their own."""
    write_metrics(path, facts(report(3)))
    write_metrics(path, facts(report(5), OTHER))
    assert read(path)["convertro_messages_total delivered"] == 3
    assert read(path, "other")["convertro_messages_total delivered"] == 5


def test_event_types_are_bounded(path: Path) -> None:
    """However many names there are, the most frequent ones have a series; the sums stay right."""
    for run in range(3):
        names = {f"own {run} {number}": 1 + number for number in range(200)}
        write_metrics(path, facts(report(0, 0, sale=1_000, **names)))
    found = read(path)
    calls = {k: v for k, v in found.items() if k.startswith("convertro_event_calls_total")}
    assert len(calls) == MOST_EVENT_TYPES + 1
    assert found["convertro_event_calls_total sale"] == 3_000
    assert sum(calls.values()) == 3 * (1_000 + sum(range(1, 201)))
    value = [v for k, v in found.items() if k.startswith("convertro_event_value_total")]
    assert sum(value) == 10 * sum(calls.values())
    assert f"convertro_event_calls_total {OTHERS}" in found


def test_a_run_that_did_not_begin(path: Path) -> None:
    """Its exit code is told, for every target where none is known; counters stay as they are."""
    write_metrics(path, facts(report(3)))
    write_metrics(path, RunFacts(None, 2, ended_at=300))
    found = read(path)
    assert found["convertro_exit_code"] == 2
    assert found["convertro_messages_total delivered"] == 3
    write_metrics(path, RunFacts(ACME, 75, ended_at=400))
    assert read(path)["convertro_exit_code"] == 75


def test_the_first_run_did_not_begin(path: Path) -> None:
    """Without a target there are no labels; they come with the first run that has one."""
    write_metrics(path, RunFacts(None, 2, ended_at=300))
    (line,) = [line for line in path.read_text().splitlines() if line.startswith("convertro_exit")]
    assert line.endswith("} 2.0")
    write_metrics(path, facts(report(3)))
    assert path.read_text().count("convertro_exit_code{") == 1


def test_odd_names_are_escaped(path: Path) -> None:
    """A name is whatever an export has; it breaks no line."""
    write_metrics(path, facts(report(0, 0, **{'a"b\\c\nd': 2})))
    assert read(path)['convertro_event_calls_total a"b\\c\nd'] == 2
    write_metrics(path, facts(report(0, 0, **{'a"b\\c\nd': 2})))
    assert read(path)['convertro_event_calls_total a"b\\c\nd'] == 4


def test_node_exporter_can_read_it(path: Path) -> None:
    """Whatever the umask is; and no half of a file is left, nor a temporary one."""
    before = os.umask(0o077)
    try:
        write_metrics(path, facts(report(1)))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"nonsense {", b"\xff\xfe", b"other_metric 1\n"])
def test_what_is_no_file_of_metrics_begins_anew(path: Path, content: bytes) -> None:
    """A file that was damaged does not stop the metrics."""
    path.write_bytes(content)
    write_metrics(path, facts(report(2)))
    assert read(path)["convertro_messages_total delivered"] == 2
    assert "other_metric" not in path.read_text()


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    """What cannot be written is told with exit code 74."""
    with pytest.raises(ConvertroError, match="cannot be written") as raised:
        write_metrics(tmp_path / "none" / "convertro.prom", facts(report(1)))
    assert raised.value.exit_code is ExitCode.CANNOT_WRITE_STATE


def test_no_counter_becomes_infinite(path: Path) -> None:
    """Amounts that no float can add up leave a counter that is finite, and later runs go on."""
    enormous = report(2)
    enormous.tally.by_event_type["sale"].add(Sum(2, Decimal("1.7e308") * 2))
    write_metrics(path, facts(enormous, at=100))
    write_metrics(path, facts(report(3), at=200))
    assert read(path)["convertro_event_value_total sale"] == sys.float_info.max
