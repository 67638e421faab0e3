"""``make golden``: writes the kept reports anew, and the reference of the command line.

Look at what changed before you commit it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.golden.reference import REFERENCE, make_reference
from tests.golden.reports import HOME, REPORTS, KeptReport


def main() -> None:
    """Write every report and the reference, and say which of them are not what they were."""
    for report in REPORTS:
        _keep(report.file, _run(report))
    _keep(REFERENCE, make_reference())


def _keep(file: Path, content: str) -> None:
    before = file.read_text(encoding="utf-8") if file.exists() else None
    if content != before:
        file.write_text(content, encoding="utf-8")
        print(f"{'new' if before is None else 'changed'}: {file.relative_to(HOME)}")


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
