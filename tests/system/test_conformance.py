"""The recorded cases of the mapping once more, through the command line.

One process runs all the command lines, one after another: a start costs more than a dry run.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
import pytest

from tests.mapping.test_conformance import (
    Case,
    assert_like,
    by_type,
    line_of,
    read_cases,
    visitor_of,
)
from tests.system.program import Workspace

Line = dict[str, Any]
RULES, RECORDED = "rules.ndjson", "web.ndjson"


def tables_of(case: Case) -> dict[str, Any]:
    """The tables of a convertro.toml for a case; those that were recorded name Segment's."""
    segment = case["settings"]
    if "account" not in segment:
        return dict(segment)
    hybrid = segment["hybridAttributionModel"]
    return {
        "convertro": {"account": segment["account"], "hybrid_attribution_model": hybrid},
        "events": segment["events"],
        "mapping": {"mode": "web", "require_order_id": False},
    }


def toml_of(tables: dict[str, Any]) -> str:
    """Write tables as TOML, whose strings, arrays and booleans look as in JSON."""
    lines = []
    for table, values in tables.items():
        for one in values if isinstance(values, list) else [values]:
            lines.append(f"[[{table}]]" if isinstance(values, list) else f"[{table}]")
            lines += [f"{json.dumps(key)} = {_value(value)}" for key, value in one.items()]
    return "\n".join(lines)


def _value(value: Any) -> str:
    """Write a value as TOML: objects are inline tables, and all else looks as in JSON."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {_value(inner)}" for key, inner in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value)


class Group(NamedTuple):
    """The cases of a file whose settings are equal."""

    file: str
    settings: str
    cases: list[Case]


def groups() -> list[Group]:
    """All cases, by file and settings."""
    found: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for file in (RULES, RECORDED):
        for case in read_cases(file):
            found[file, toml_of(tables_of(case))].append(case)
    return [Group(*key, cases) for key, cases in found.items()]


GROUPS = groups()

FILTERED = ("filters_oracle.ndjson", "filters_docs.ndjson")
OPEN_GATES: dict[str, Any] = {
    "convertro": {
        "account": "acme",
        "client_name": "acme",
        "site_id": "1",
        "domain": "https://shop.example.com",
    },
    "mapping": {
        "integrations": "ignore",
        "delivered_in_browser": "send",
        "unmapped_events": "send",
        "require_order_id": False,
        "unreadable_amount": "send",
    },
}
"""Settings under which nothing but a filter keeps a message back that yields calls."""


def filter_cases() -> list[Case]:
    """All cases of filters; each message is of a source of its own."""
    cases = [case for file in FILTERED for case in read_cases(file)]
    for number, case in enumerate(cases):
        case["source"] = f"source-{number}"
    return cases


def filter_tables(cases: list[Case]) -> dict[str, Any]:
    """Settings with the filters of all cases, each for the source of its case."""
    names = ("if", "actions", "enabled")
    filters = [
        {name: one[name] for name in names if name in one}
        | {"title": f"{case['source']}.{number}", "source_id": case["source"]}
        for case in cases
        for number, one in enumerate(case["filters"])
    ]
    return OPEN_GATES | {"filters": filters}


def filtered_message(case: Case) -> Line:
    """What the filters leave of a message; what a replay goes by is not theirs to take away."""
    kept = {name: case["message"][name] for name in ("type", "timestamp", "messageId")}
    left: Line = case["result"] or {}
    return left | kept | {"projectId": case["source"]}


RUN_ALL = """
import json, sys
from convertro_cli.cli.app import run
sys.exit(max(run(command) for command in json.load(sys.stdin)))
"""


def filter_runs() -> Iterator[tuple[str, dict[str, Any], list[bytes]]]:
    """A run of all cases with their filters, and one of what should be left, without any."""
    cases = filter_cases()
    whole = [orjson.dumps(case["message"] | {"projectId": case["source"]}) for case in cases]
    yield "filters", filter_tables(cases), whole
    yield "left", OPEN_GATES, [orjson.dumps(filtered_message(case)) for case in cases]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A folder where the dry run of each group has been written to a file."""
    workspace = Workspace(tmp_path_factory.mktemp("conformance"))
    commands = []
    for number, group in enumerate(GROUPS):
        export = workspace.write(f"{number}.ndjson", *map(line_of, group.cases))
        export.with_suffix(".toml").write_text(group.settings)
        command = f"replay {number}.ndjson --config {number}.toml --output {number}.out"
        commands.append([*command.split(), "--dry-run", "--include-skipped"])
    for name, tables, messages in filter_runs():
        workspace.write(f"{name}.ndjson", *messages)
        (workspace.folder / f"{name}.toml").write_text(toml_of(tables))
        command = f"replay {name}.ndjson --config {name}.toml --output {name}.out"
        commands.append([*command.split(), "--dry-run", "--include-skipped"])
    program = (sys.executable, "-c", RUN_ALL)
    ended = workspace.run(program=program, stdin=orjson.dumps(commands))
    assert ended.code == 0, ended.err
    yield workspace
    workspace.close()


def lines_by_message(workspace: Workspace, name: str, count: int) -> list[list[Line]]:
    """The dry run's lines for each of so many messages."""
    found: dict[str, list[Line]] = defaultdict(list)
    for text in (workspace.folder / f"{name}.out").read_bytes().splitlines():
        line = orjson.loads(text)
        found[line.pop("source")].append(line)
    return [found[f"{name}.ndjson:{place}"] for place in range(1, count + 1)]


@pytest.mark.parametrize("number", range(len(GROUPS)))
def test_every_case(workspace: Workspace, number: int) -> None:
    """A dry run gives the calls that a case names, or the reason for none."""
    file, _, cases = GROUPS[number]
    written = lines_by_message(workspace, str(number), len(cases))
    for case, lines in zip(cases, written, strict=True):
        if not case["calls"]:
            (line,) = lines
            reasons = {key: line[key] for key in ("skip", "invalid") if key in line}
            assert len(reasons) == 1
            assert file == RECORDED or reasons.items() <= case.items()
            continue
        calls, wanted, visitor = lines, case["calls"], "anon-1"
        if file == RECORDED:  # the integration made a message's calls in any order
            calls, wanted = sorted(lines, key=by_type), sorted(wanted, key=by_type)
            visitor = visitor_of(case["message"])
        defaults = [f"{call.get('event_type')}-{visitor}" for call in calls]
        assert_like(calls, wanted, defaults)


def test_every_filter_case(workspace: Workspace) -> None:
    """A message that its filters drop is skipped; any other gives the calls of what is left."""
    cases = filter_cases()
    filtered = lines_by_message(workspace, "filters", len(cases))
    left = lines_by_message(workspace, "left", len(cases))
    dropped = changed = 0
    for case, lines, wanted in zip(cases, filtered, left, strict=True):
        if case["message"]["type"] not in {"identify", "track"}:
            assert [line["skip"] for line in lines] == ["unsupported_type"]
        elif case["result"] is None:
            assert [line["skip"] for line in lines] in (["dropped_by_filter"], ["sampled_out"])
            dropped += 1
        else:
            assert lines == wanted, case["name"]
            changed += case["result"] != case["message"]
    assert dropped > 100
    assert changed > 100


def test_no_case_is_left_out() -> None:
    """Every line of the files of cases is in a group."""
    lines = sum(len(read_cases(file)) for file in (RULES, RECORDED))
    assert sum(len(group.cases) for group in GROUPS) == lines > 600
