"""The report of a comparison: what was compared, the counts, and how it ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from convertro_cli.errors import ExitCode
from convertro_cli.review.diff.tally import DiffTally
from convertro_cli.review.masking import Masking
from convertro_cli.review.report.as_json import exactly, write_report
from convertro_cli.run.retyped import RetypedSearch
from convertro_cli.settings.compare import SettingDifference


class DiffReport(Struct):
    """What changes between two sides.

    ``before`` and ``after`` name the two settings files; where ``is_saved``, ``before`` is a
    saved dry run, and ``settings`` is None, since nobody knows under which it was made.
    ``notes`` are what the reader must know to read the rest right, a sentence each. ``retyped``
    has what was delivered and would go out again under another type, None where there is no ledger.
    """

    before: str
    after: str
    tally: DiffTally
    settings: Sequence[SettingDifference] | None
    is_saved: bool = False
    interrupted: bool = False
    files: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    elapsed_s: float = 0.0
    exit_code: ExitCode = ExitCode.OK
    notes: list[str] = field(default_factory=list)
    retyped: RetypedSearch | None = None

    def told(self, masking: Masking) -> Mapping[str, Any]:
        """Give what programs read, with as much of ids and traits as may be shown."""
        again = self.retyped.as_json() if self.retyped is not None else []
        if_any = {"sent_again": again, "unread": self.unread, "interrupted": self.interrupted}
        return {
            "before": {"dry_run" if self.is_saved else "settings": self.before},
            "after": {"settings": self.after},
            **self.tally.as_json(),
            "settings": self.settings,
            "samples": self.tally.groups.told(masking),
            "files": {name: self.files[name] for name in ("read", "skipped", "damaged")},
            "elapsed_s": round(self.elapsed_s, 3),
            "notes": self.notes,
            **{name: found for name, found in if_any.items() if found},
        }


def write_json(report: DiffReport, masking: Masking) -> bytes:
    """Write the report as one JSON object on a line, with every digit of every value."""
    return write_report(report.told(masking), exactly)
