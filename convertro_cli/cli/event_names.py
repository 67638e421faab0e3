"""Saying on standard error that nothing has the name which ``--event`` gives."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from convertro_cli.cli.log import is_json, log_json
from convertro_cli.reading.export_set import ExportFile
from convertro_cli.review.event_names import advise_on_names
from convertro_cli.text import visible


def say_which_names(wanted: Sequence[str], files: Sequence[ExportFile]) -> None:
    """Say it of each name that nothing in the exports has."""
    for sentence in advise_on_names(wanted, files):
        if is_json():
            log_json("warning", "notice", text=sentence)
        else:
            print(f"→ {visible(sentence)}", file=sys.stderr)
