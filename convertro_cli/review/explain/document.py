"""Explanations as a document: the way through the rules, the calls, and what would help."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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
)
from convertro_cli.segment.ids import plain_number
from convertro_cli.settings.toml_text import toml_string, toml_value
from convertro_cli.text import count, things

Described = Mapping[str, Any]
"""What ``describe`` gives for a message."""

_PLACES = {"command": "the command", "export": "the export", "settings": "the settings"}
_MARKS = {"passed": Cell("✓", "added"), "found": Cell("·", "soft"), "stopped": Cell("✗", "removed")}
_THREE = ("", "", "")


def to_document(explained: Sequence[Described]) -> Document:
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
    outcomes = Counter(each["outcome"] for each in explained)
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


def _heading(explained: Described) -> str:
    if explained["message_id"] is None:
        return str(explained["source"])
    return f"{explained['source']}  message {explained['message_id']}"


def _first_place(explained: Described) -> Iterator[str]:
    if explained["first_source"]:
        yield f"a dead letter, first met at {explained['first_source']}"


def _verdict(explained: Described) -> Cell:
    if explained["outcome"] != "mapped":
        return Cell(f"{explained['outcome'].capitalize()}: {explained['reason']}.", "removed")
    return Cell(f"Mapped to {things(len(explained['calls']), 'call')}.", "added")


def _warnings(explained: Described) -> Iterator[str]:
    if explained["warnings"] and explained["outcome"] == "mapped":
        yield f"Warnings: {', '.join(explained['warnings'])}."


def _way(explained: Described) -> Table:
    rows: list[Row] = []
    for step in explained["steps"]:
        found = Cell(_finding(step))
        if step["reason"]:
            found = Cell(f"{step['reason']}: {found.text}", "removed")
        rows.append((_MARKS[step["verdict"]], Cell(step["topic"], "strong"), found))
        more = [*_filter_lines(step.get("filter")), *map(_setting, step["settings"])]
        rows += (("", "", Cell(line, "soft")) for line in more)
    return Table("", _THREE, rows)


def _finding(step: Described) -> str:
    value, says = step["value"], step["says"]
    if not value:
        return str(says)
    return f"{value} {says}" if says.startswith(("from ", "by default")) else f"{value}: {says}"


def _filter_lines(filtered: Described | None) -> Iterator[str]:
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


def _setting(setting: Described) -> str:
    key, value = setting["key"], setting["value"]
    table, _, name = key.partition(".")
    shown = f"[events] {toml_string(name)}" if table == "events" else key
    if value is None:
        return f"{shown} is not set"
    return f"{shown} = {toml_value(value)} ({setting['origin']})"


def _calls(explained: Described, key: str = "") -> Iterator[Part]:
    calls = explained["calls"]
    for index, call in enumerate(calls):
        which = f"Call {index + 1} of {len(calls)}" if len(calls) > 1 else "The call"
        alike = calls[0]["parameters"] if index else []
        shown = [each for each in call["parameters"] if each not in alike]
        blocks: list[Block] = [Verbatim([f"{call['method']} {call['url']}"])]
        blocks += (_parameters(shown), _delivery(call, is_first=not index))
        if index:
            blocks.insert(2, Prose("", [Cell("All else is as in call 1.", "soft")]))
        yield Part(f"{key}call-{index + 1}", f"{which}: {_title(call)}", blocks)


def _parameters(parameters: Sequence[Described]) -> Table:
    rows: list[Row] = []
    for each in parameters:
        source = f", from {each['from']}" if each["from"] else ""
        name, value = Cell(each["name"], "code"), Cell(each["value"], "code")
        rows.append((name, value, Cell(each["meaning"] + source, "soft")))
    return Table("", _THREE, rows)


def _delivery(call: Described, *, is_first: bool) -> Table:
    """Say where a call goes, which is the same for all of a message, and what became of it."""
    rows: list[Row] = []
    if is_first:
        address = [_setting(setting) for setting in call["address"]]
        if call["mode"] == "web" and address[-1].endswith("site_id is not set"):
            address[-1] += ", so it is 0"
        rows += (
            (Cell("" if number else "sent to", "strong"), Cell(line, "soft"))
            for number, line in enumerate(address)
        )
    rows.append((Cell("ledger", "strong"), _ledger(call["ledger"])))
    if call["fault"]:
        fault = Cell(f"{call['fault']}: {call['detail']}", "removed")
        rows.append((Cell("fault", "strong"), fault))
    return Table("", ("", ""), rows)


def _title(call: Described) -> str:
    if call["call"] != "event":
        return f"{call['call']} ({call['mode']})"
    value = plain_number(call["event_value"])
    return f"event {call['event_type']}, worth {value} ({call['mode']})"


def _ledger(ledger: Described) -> str:
    run = f"run {ledger.get('run')}, begun {ledger.get('run_started_at') or 'at some time'}"
    match ledger["state"]:
        case "delivered":
            return f"delivered by {run}"
        case "failed":
            return f"failed for good in {run}: {ledger['reason'] or 'no reason is known'}"
        case "in_doubt":
            return f"in doubt: {run}, ended before the answer came"
        case "not_there":
            return "not delivered yet"
        case "no_ledger":
            return "there is none yet: nothing was replayed"
    return f"not known. {ledger['fault']}"


def _remedies(explained: Described, key: str = "") -> Iterator[Part]:
    if explained["reason"] is None:
        return
    blocks: list[Block] = [
        _remedy("Or:" if number else "The smallest change that would send it:", remedy)
        for number, remedy in enumerate(explained["remedies"])
    ]
    if not blocks:
        none = "No single setting or value was found that would send it."
        blocks = [Prose("", [explained["mending"] or none])]
    yield Part(f"{key}remedy", "What would send it", blocks)


def _remedy(title: str, changes: Sequence[Described]) -> Table:
    rows: list[Row] = []
    for change in changes:
        cells = [*(Cell(line, "code") for line in _change_lines(change)), *_notes(change)]
        rows.append(("→", _PLACES[change["where"]], cells[0]))
        rows += (("", "", cell) for cell in cells[1:])
    return Table(title, _THREE, rows)


def _notes(change: Described) -> Iterator[Cell]:
    if change.get("note"):
        example = "for example; it must be " if change.get("example") else ""
        yield Cell(example + change["note"], "soft")


def _change_lines(change: Described) -> Iterator[str]:
    if change["where"] == "command":
        yield f"without {change['without']}"
    elif change["where"] == "settings":
        yield from _toml(change)
    elif change.get("remove"):
        yield f"without {change['path']}"
    else:
        yield f"{change['path']} = {_json(change['value'])}"


def _toml(change: Described) -> Iterator[str]:
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
