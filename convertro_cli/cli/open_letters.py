"""A word on open dead letters at the end of a run that found nothing else to do."""

from __future__ import annotations

import shlex

from convertro_cli.cli.options import DEFAULT_CONFIG
from convertro_cli.record.backends import read_open_letters
from convertro_cli.run.report import Report
from convertro_cli.settings.load import LoadedSettings

_DONE = ("delivered", "failed", "invalid")


def advise_on_open_letters(report: Report, loaded: LoadedSettings) -> None:
    """Add a line to the report of a run that did nothing, where dead letters are open."""
    messages = report.tally.messages
    if report.problem or report.interrupted or any(messages[name] for name in _DONE):
        return
    letters = read_open_letters(loaded.ledger).values()
    number = sum(each.count for each in letters)
    if not number:
        return
    oldest = min((each.oldest for each in letters if each.oldest is not None), default=None)
    since = f", the oldest from {oldest}" if oldest else ""
    are = "dead letter is" if number == 1 else "dead letters are"
    report.open_letters = number
    report.advice.append(
        f"Nothing was left to send, but {number:,} {are} open{since}: "
        f"`{_status_command(loaded)}` tells more."
    )


def _status_command(loaded: LoadedSettings) -> str:
    words = ["convertro", "status"]
    if loaded.file != DEFAULT_CONFIG:
        words += ["-c", str(loaded.file)]
    if loaded.origins.get("delivery.state") == "option":
        words += ["--state", loaded.settings.delivery.state]
    if loaded.origins.get("delivery.ledger") == "option":
        words += ["--ledger", str(loaded.settings.delivery.ledger)]
    return shlex.join(words)
