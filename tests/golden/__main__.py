"""``make golden``: writes the kept reports anew. Look at what changed before you commit it."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.golden.reports import HOME, REPORTS, KeptReport


def main() -> None:
    """Write every report, and say which ones are not what they were."""
    for report in REPORTS:
        content = _run(report)
        before = report.file.read_text(encoding="utf-8") if report.file.exists() else None
        if content != before:
            report.file.write_text(content, encoding="utf-8")
            print(f"{'new' if before is None else 'changed'}: {report.file.relative_to(HOME)}")


def _run(report: KeptReport) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "convertro_cli", *report.command],
        cwd=HOME,
        env={**os.environ, "COLUMNS": str(report.columns), "NO_COLOR": "1"},
        capture_output=True,
        check=True,
    )
    return report.kept(done.stdout)


if __name__ == "__main__":
    main()
