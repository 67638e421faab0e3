"""The report in words: the sentence that sums it up, and a name for each kind of change."""

from __future__ import annotations

from convertro_cli.review.diff.model import DiffReport
from convertro_cli.review.diff.samples import Kind
from convertro_cli.run.unread import in_words
from convertro_cli.text import amount, count, listed, signed

HEADINGS = {
    "added": "Calls added",
    "removed": "Calls removed",
    "changed": "Calls changed",
    "skipped_otherwise": "Still not sent, for another reason",
}
"""The kinds of change that have examples, in the order in which they are told."""


def summarise(report: DiffReport) -> str:
    """Say in a sentence or two what changes: the calls, then what they are worth."""
    return f"{_calls(report)} {_value(report)}".strip()


def _calls(report: DiffReport) -> str:
    calls = report.tally.calls
    parts = [
        f"{count(calls[verdict])} {verdict}"
        for verdict in ("added", "removed", "changed")
        if calls[verdict]
    ]
    same = calls["unchanged"]
    if not parts:
        return "No call changes." if not same else f"No call changes: {_all(same)} the same."
    first, *others = parts
    number, verdict = first.split(" ")
    noun = "call is" if number == "1" else "calls are"
    told = listed([f"{number} {noun} {verdict}", *others])
    kept = f"{count(same)} stay" if same > 1 else "one stays" if same else "none stays"
    return f"{told}; {kept} the same."


def _all(same: int) -> str:
    return "the only one stays" if same == 1 else f"all {count(same)} stay"


def _value(report: DiffReport) -> str:
    total = report.tally.by_event_type.sum()
    before, after = amount(total.before.value), amount(total.after.value)
    difference = total.value_difference
    if not total.before.calls and not total.after.calls:
        return ""
    if not difference:
        return f"The events are worth {after}, as before."
    verb = "rises" if difference > 0 else "falls"
    return (
        f"The value of all events {verb} from {before} to {after} ({signed(amount(difference))})."
    )


def scope(report: DiffReport) -> str:
    """Say what was compared."""
    read, files = report.tally.messages.read, report.files["read"] + report.files["damaged"]
    messages = "1 message" if read == 1 else f"{count(read)} messages"
    return f"{messages} in {'1 file' if files == 1 else f'{count(files)} files'}"


def warnings(report: DiffReport) -> list[str]:
    """Say what the reader must know to take the numbers for what they are."""
    said = list(report.notes)
    if report.interrupted:
        said.insert(0, "Interrupted: these are the numbers of what was compared until then.")
    if damaged := report.files["damaged"]:
        files = "1 file was" if damaged == 1 else f"{count(damaged)} files were"
        said.append(f"{files} damaged, and compared up to the break.")
    if skipped := report.files["skipped"]:
        files = "1 file was" if skipped == 1 else f"{count(skipped)} files were"
        said.append(f"{files} not read: {in_words(report.unread)}.")
    return said


def title(kind: Kind) -> str:
    """Name a kind of change: the event type or the call, the fields, or the reasons."""
    if kind.change == "changed":
        return ", ".join(kind.fields)
    if kind.change == "skipped_otherwise":
        return f"{kind.was} → {kind.now}"
    return str(kind.call if kind.event_type is None else kind.event_type)


def reason(kind: Kind) -> str:
    """Say why the messages of added or removed calls were, or now are, not sent at all."""
    if kind.change == "skipped_otherwise":
        return ""
    if kind.was is not None:
        return f"not sent before: {kind.was}"
    return f"no longer sent: {kind.now}" if kind.now is not None else ""
