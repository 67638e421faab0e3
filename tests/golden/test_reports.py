"""Reports over the sample export are what they were, byte for byte."""

from __future__ import annotations

import os

import pytest

from convertro_cli.cli.app import run
from tests.golden.reports import HOME, KEPT, REPORTS, KeptReport


@pytest.mark.parametrize("report", [pytest.param(report, id=report.name) for report in REPORTS])
def test_a_report_is_what_it_was(
    report: KeptReport, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """After a change on purpose: ``make golden``, and look at what git shows as changed."""
    monkeypatch.chdir(HOME)
    for name in os.environ:
        if name.startswith("CONVERTRO_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", str(report.columns))
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(list(report.command)) == 0
    printed = report.kept(capfdbinary.readouterr().out)
    assert printed == report.file.read_text(encoding="utf-8")


def test_nothing_else_is_kept() -> None:
    """A report that is no longer made leaves no file behind that looks as if it were."""
    assert {path.name for path in KEPT.iterdir()} == {report.name for report in REPORTS}
