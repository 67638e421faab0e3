"""An explanation on a terminal: the way through the rules, the calls, and what would help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from convertro_cli.cli.console import output_console
from convertro_cli.segment.ids import plain_number
from convertro_cli.settings.toml_text import toml_string, toml_value
from convertro_cli.text import visible

_TOPIC = 12
_PLACES = {"command": "the command", "export": "the export", "settings": "the settings"}
_MARKS = {
    "passed": Text("✓", style="green"),
    "found": Text("·", style="dim"),
    "stopped": Text("✗", style="bold red"),
}


def print_explanations(explanations: Sequence[dict[str, Any]]) -> None:
    """Print what ``describe`` gives for each message."""
    console = output_console()
    for index, explained in enumerate(explanations):
        if index:
            console.print()
        _print(console, explained)


def _print(console: Console, explained: dict[str, Any]) -> None:
    heading = Text(visible(explained["source"]), style="bold")
    if explained["message_id"] is not None:
        heading.append(f"  message {visible(explained['message_id'])}", style="not bold")
    console.print(heading, soft_wrap=True)
    if explained["first_source"]:
        first = f"a dead letter, first met at {visible(explained['first_source'])}"
        console.print(Text(first), soft_wrap=True)
    console.print()
    console.print(_way(explained["steps"]))
    console.print()
    console.print(_verdict(explained))
    for index in range(len(explained["calls"])):
        console.print()
        _print_call(console, explained["calls"], index)
    if explained["reason"] is not None:
        console.print()
        _print_remedies(console, explained)


def _way(steps: Sequence[dict[str, Any]]) -> Table:
    table = _grid()
    table.add_column(width=1)
    table.add_column(width=_TOPIC, style="bold")
    table.add_column(overflow="fold")
    for step in steps:
        text = Text(_finding(step))
        if step["reason"]:
            text = Text(f"{step['reason']}: ", style="bold red").append_text(text)
        for line in _filter_lines(step.get("filter")):
            text.append(f"\n{visible(line)}", style="dim")
        for setting in step["settings"]:
            text.append("\n").append(_setting(setting), style="dim")
        table.add_row(_MARKS[step["verdict"]], step["topic"], text)
    return table


def _finding(step: dict[str, Any]) -> str:
    value, says = visible(step["value"]), visible(step["says"])
    if not value:
        return says
    return f"{value} {says}" if says.startswith(("from ", "by default")) else f"{value}: {says}"


def _filter_lines(filtered: dict[str, Any] | None) -> Iterator[str]:
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


def _setting(setting: dict[str, Any]) -> str:
    key, value = setting["key"], setting["value"]
    table, _, name = key.partition(".")
    shown = f"[events] {toml_string(name)}" if table == "events" else key
    if value is None:
        return f"{shown} is not set"
    return f"{shown} = {toml_value(value)} ({setting['origin']})"


def _verdict(explained: dict[str, Any]) -> Text:
    number = len(explained["calls"])
    if explained["outcome"] != "mapped":
        return Text(
            f"{explained['outcome'].capitalize()}: {explained['reason']}.", style="bold red"
        )
    verdict = Text(
        f"Mapped to {number} calls." if number > 1 else "Mapped to 1 call.", style="bold green"
    )
    if explained["warnings"]:
        verdict.append(f" Warnings: {', '.join(explained['warnings'])}.", style="not bold yellow")
    return verdict


def _print_call(console: Console, calls: Sequence[dict[str, Any]], index: int) -> None:
    call, first = calls[index], calls[0]
    which = f"Call {index + 1} of {len(calls)}" if len(calls) > 1 else "The call"
    console.print(Text(f"{which}: {_title(call)}", style="bold"))
    console.print(Text(f"{call['method']} {visible(call['url'])}"), soft_wrap=True)
    console.print()
    alike = first["parameters"] if index else []
    console.print(_parameters([each for each in call["parameters"] if each not in alike]))
    if index:
        console.print(Text("All else is as in call 1.", style="dim"))
    console.print()
    table = _grid()
    table.add_column(width=7, style="bold")
    table.add_column(overflow="fold")
    if not index:
        address = "\n".join(_setting(setting) for setting in call["address"])
        if call["mode"] == "web" and address.endswith("site_id is not set"):
            address += ", so it is 0"
        table.add_row("sent to", Text(address, style="dim"))
    table.add_row("ledger", Text(visible(_ledger(call["ledger"]))))
    if call["fault"]:
        table.add_row("fault", Text(f"{call['fault']}: {call['detail']}", style="red"))
    console.print(table)


def _parameters(parameters: Sequence[dict[str, Any]]) -> Table:
    table = _grid()
    table.add_column(no_wrap=True, max_width=16, overflow="ellipsis", style="bold")
    table.add_column(ratio=2, overflow="fold")
    table.add_column(ratio=3, overflow="fold", style="dim")
    for parameter in parameters:
        source = f", from {parameter['from']}" if parameter["from"] else ""
        table.add_row(
            Text(visible(parameter["name"])),
            Text(visible(parameter["value"])),
            Text(visible(parameter["meaning"] + source)),
        )
    return table


def _title(call: dict[str, Any]) -> str:
    if call["call"] != "event":
        return f"{call['call']} ({call['mode']})"
    value = plain_number(call["event_value"])
    return f"event {visible(call['event_type'])}, worth {value} ({call['mode']})"


def _ledger(ledger: dict[str, Any]) -> str:
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


def _print_remedies(console: Console, explained: dict[str, Any]) -> None:
    if explained["mending"]:
        console.print(Text(explained["mending"]))
        return
    if not explained["remedies"]:
        console.print(Text("No single setting or value was found that would send it."))
        return
    for number, remedy in enumerate(explained["remedies"]):
        start = "The smallest change that would send it" if not number else "Or"
        console.print(Text(f"{start}:", style="bold"))
        table = _grid()
        table.add_column(width=1)
        table.add_column(width=_TOPIC)
        table.add_column(overflow="fold")
        for change in remedy:
            table.add_row("→", _PLACES[change["where"]], _change(change))
        console.print(table)


def _change(change: dict[str, Any]) -> Text:
    text = Text("\n".join(map(visible, _change_lines(change))), style="bold")
    note = change.get("note")
    if change.get("example"):
        note = f"for example; it must be {note}"
    if note:
        text.append(f"\n{visible(note)}", style="not bold dim")
    return text


def _change_lines(change: dict[str, Any]) -> Iterator[str]:
    if change["where"] == "command":
        yield f"without {change['without']}"
    elif change["where"] == "settings":
        yield from _toml(change)
    elif change.get("remove"):
        yield f"without {change['path']}"
    else:
        yield f"{change['path']} = {_json(change['value'])}"


def _toml(change: dict[str, Any]) -> Iterator[str]:
    if "title" in change:
        yield f"[[{change['table']}]]"
        yield f"title = {toml_string(change['title'])}"
    else:
        yield f"[{change['table']}]"
    for name, value in change["values"].items():
        key = toml_string(name) if change["table"] == "events" else name
        yield f"{key} = {toml_value(value)}"


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _grid() -> Table:
    return Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
