"""Explanations as a document: the way through the rules, the calls, and what would help."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from convertro_cli.review.explain.explanation import ExplainedCall, Explanation, Parameter
from convertro_cli.review.explain.steps import ShownSetting, Step
from convertro_cli.review.report.document import (
    Block,
    Cell,
    Document,
    Part,
    Prose,
    Row,
    Table,
    Text,
    Verbatim,
    code,
)
from convertro_cli.segment.ids import plain_number
from convertro_cli.settings.toml_text import toml_string, toml_value
from convertro_cli.text import count, things

Change = Mapping[str, Any]
"""A change that would help, as programs read it."""

_PLACES = {"command": "the command", "export": "the export", "settings": "the settings"}
_MARKS = {"passed": Cell("✓", "added"), "found": Cell("·", "soft"), "stopped": Cell("✗", "removed")}
_THREE = ("", "", "")


def to_document(explained: Sequence[Explanation]) -> Document:
    """Put explanations into words and tables; of one message, its own name is the title."""
    if len(explained) == 1:
        (one,) = explained
        way = Part("way", "The way through the rules", [_way(one)])
        return Document(
            command="convertro explain",
            title=_heading(one),
            lede=_verdict(one),
            facts=[("from", text) for text in _first_place(one)],
            warnings=list(_warnings(one)),
            parts=[way, *_calls(one), *_remedies(one)],
        )
    outcomes = Counter(each.outcome for each in explained)
    parts: list[Part] = []
    for number, each in enumerate(explained, 1):
        warnings = [Cell(text, "warning") for text in _warnings(each)]
        about: list[Text] = [*_first_place(each), _verdict(each), *warnings]
        parts.append(Part(f"message-{number}", _heading(each), [Prose("", about), _way(each)]))
        parts += (*_calls(each, f"{number}-"), *_remedies(each, f"{number}-"))
    return Document(
        command="convertro explain",
        title=things(len(explained), "message"),
        lede=", ".join(f"{count(n)} {outcome}" for outcome, n in outcomes.items()),
        parts=parts,
    )


def _heading(explained: Explanation) -> str:
    if explained.message_id is None:
        return explained.source
    return f"{explained.source}  message {explained.message_id}"


def _first_place(explained: Explanation) -> Iterator[str]:
    if explained.first_source:
        yield f"a dead letter, first met at {explained.first_source}"


def _verdict(explained: Explanation) -> Cell:
    if explained.outcome != "mapped":
        return Cell(f"{explained.outcome.capitalize()}: {explained.reason}.", "removed")
    return Cell(f"Mapped to {things(len(explained.calls), 'call')}.", "added")


def _warnings(explained: Explanation) -> Iterator[str]:
    if explained.warnings and explained.outcome == "mapped":
        yield f"Warnings: {', '.join(explained.warnings)}."


def _way(explained: Explanation) -> Table:
    rows: list[Row] = []
    for step in explained.steps:
        found = Cell(_finding(step))
        if step.reason:
            found = Cell(f"{step.reason}: {found.text}", "removed")
        rows.append((_MARKS[step.verdict], Cell(step.topic, "strong"), found))
        more = [*_filter_lines(step.filter), *map(_setting, step.settings)]
        rows += (("", "", Cell(line, "soft")) for line in more)
    return Table("", _THREE, rows)


def _finding(step: Step) -> str:
    value, says = step.value, step.says
    if not value:
        return says
    return f"{value} {says}" if says.startswith(("from ", "by default")) else f"{value}: {says}"


def _filter_lines(filtered: Mapping[str, Any] | None) -> Iterator[str]:
    """Give what a filter looked at, part by part, and what it changed."""
    if filtered is None:
        return
    for part in filtered["parts"]:
        found = ", ".join(f"{each['what']} is {_json(each['value'])}" for each in part["found"])
        held = "holds" if part["held"] else "does not hold"
        yield f"{part['part']} {held}" + (f": {found}" if found else "")
    for change in filtered["changes"]:
        after = f" to {_json(change['after'])}" if change["how"] != "taken away" else ""
        yield f"{change['path']} {change['how']}{after}"


def _setting(setting: ShownSetting) -> str:
    table, _, name = setting.key.partition(".")
    shown = f"[events] {toml_string(name)}" if table == "events" else setting.key
    if setting.value is None:
        return f"{shown} is not set"
    return f"{shown} = {toml_value(setting.value)} ({setting.origin})"


def _calls(explained: Explanation, key: str = "") -> Iterator[Part]:
    calls = explained.calls
    for index, call in enumerate(calls):
        which = f"Call {index + 1} of {len(calls)}" if len(calls) > 1 else "The call"
        alike = calls[0].parameters if index else []
        shown = [each for each in call.parameters if each not in alike]
        blocks: list[Block] = [Verbatim([f"{call.line['method']} {call.line['url']}"])]
        blocks += (_parameters(shown), _delivery(call, is_first=not index))
        if index:
            blocks.insert(2, Prose("", [Cell("All else is as in call 1.", "soft")]))
        yield Part(f"{key}call-{index + 1}", f"{which}: {_title(call)}", blocks)


def _parameters(parameters: Sequence[Parameter]) -> Table:
    rows: list[Row] = []
    for name, value, meaning, source in parameters:
        meant = Cell(f"{meaning}, from {source}" if source else meaning, "soft")
        rows.append((code(name), code(value), meant))
    return Table("", _THREE, rows)


def _delivery(call: ExplainedCall, *, is_first: bool) -> Table:
    """Say where a call goes, which is the same for all of a message, and what became of it."""
    rows: list[Row] = []
    if is_first:
        address = [_setting(setting) for setting in call.address]
        if call.line["mode"] == "web" and address[-1].endswith("site_id is not set"):
            address[-1] += ", so it is 0"
        rows += (
            (Cell("" if number else "sent to", "strong"), Cell(line, "soft"))
            for number, line in enumerate(address)
        )
    rows.append((Cell("ledger", "strong"), _ledger(call.ledger)))
    if call.fault:
        fault = Cell(f"{call.fault}: {call.detail}", "removed")
        rows.append((Cell("fault", "strong"), fault))
    return Table("", ("", ""), rows)


def _title(call: ExplainedCall) -> str:
    if call.line["call"] != "event":
        return f"{call.line['call']} ({call.line['mode']})"
    value = plain_number(call.line["event_value"])
    return f"event {call.line['event_type']}, worth {value} ({call.line['mode']})"


_LEDGER = {
    "delivered": "delivered by {when}",
    "failed": "failed for good in {when}: {why}",
    "in_doubt": "in doubt: {when}, ended before the answer came",
    "not_there": "not delivered yet",
    "no_ledger": "there is none yet: nothing was replayed",
    "unknown": "not known. {fault}",
}


def _ledger(ledger: Mapping[str, Any]) -> str:
    when = f"run {ledger.get('run')}, begun {ledger.get('run_started_at') or 'at some time'}"
    why = ledger.get("reason") or "no reason is known"
    return _LEDGER[ledger["state"]].format_map({**ledger, "when": when, "why": why})


def _remedies(explained: Explanation, key: str = "") -> Iterator[Part]:
    if explained.reason is None:
        return
    blocks: list[Block] = [
        _remedy("Or:" if number else "The smallest change that would send it:", remedy)
        for number, remedy in enumerate(explained.remedies)
    ]
    if not blocks:
        none = "No single setting or value was found that would send it."
        blocks = [Prose("", [explained.mending or none])]
    yield Part(f"{key}remedy", "What would send it", blocks)


def _remedy(title: str, changes: Sequence[Change]) -> Table:
    rows: list[Row] = []
    for change in changes:
        cells = [*map(code, _change_lines(change)), *_notes(change)]
        rows.append(("→", _PLACES[change["where"]], cells[0]))
        rows += (("", "", cell) for cell in cells[1:])
    return Table(title, _THREE, rows)


def _notes(change: Change) -> Iterator[Cell]:
    if change.get("note"):
        example = "for example; it must be " if change.get("example") else ""
        yield Cell(example + change["note"], "soft")


def _change_lines(change: Change) -> Iterator[str]:
    if change["where"] == "command":
        yield f"without {change['without']}"
    elif change["where"] == "settings":
        yield from _toml(change)
    elif change.get("remove"):
        yield f"without {change['path']}"
    else:
        yield f"{change['path']} = {_json(change['value'])}"


def _toml(change: Change) -> Iterator[str]:
    if "title" in change:
        yield f"[[{change['table']}]]"
        yield f"title = {toml_string(change['title'])}"
    else:
        yield f"[{change['table']}]"
    for name, value in change["values"].items():
        key = toml_string(name) if change["table"] == "events" else name
        yield f"{key} = {toml_value(value)}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
