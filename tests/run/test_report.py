"""The summary of a run as JSON."""

from __future__ import annotations

import orjson

from convertro_cli.errors import ExitCode
from convertro_cli.record.tally import Tally
from convertro_cli.run.report import Report


def test_a_report_is_one_json_object_with_all_that_was_counted() -> None:
    """The keys are those that the README shows, in their order."""
    report = Report(Tally(), dry_run=False, exit_code=ExitCode.OK, elapsed_s=1.23456)
    report.transport = "curl"

    summary = orjson.loads(orjson.dumps(report.as_json()))

    assert list(summary) == [
        "dry_run",
        "messages",
        "calls",
        "skipped",
        "invalid",
        "failed",
        "warnings",
        "kept_back",
        "by_event_type",
        "files",
        "bytes_read",
        "elapsed_s",
        "transport",
        "exit_code",
    ]
    assert summary["elapsed_s"] == 1.235
    assert summary["exit_code"] == 0


def test_latencies_are_there_where_there_were_answers() -> None:
    """In milliseconds, beside the rest."""
    report = Report(Tally(), False, ExitCode.OK, 1.0, latency_p50_s=0.0512, latency_p95_s=0.25)

    assert report.as_json()["latency_ms"] == {"p50": 51.2, "p95": 250.0}


def test_an_interrupted_run_says_so() -> None:
    """Only then the key is there."""
    report = Report(Tally(), False, ExitCode.INTERRUPTED, 1.0, interrupted=True)

    assert report.as_json()["interrupted"] is True
    assert report.as_json()["exit_code"] == 130
