"""The recorded cases of the mapping: Segment's own integration, and the rules by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from convertro_cli.mapping.calls import Invalid, Mapped, Outcome
from convertro_cli.mapping.lines import map_lines
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.batch import LineBatch
from convertro_cli.settings.compile import compile_rules
from tests.mapping.messages import Message, outcome_of, settings_of, shown

FOLDER = Path(__file__).parent.parent / "data" / "conformance"

Case = dict[str, Any]


def read_cases(name: str) -> list[Case]:
    """Read a file of cases."""
    return [orjson.loads(line) for line in (FOLDER / name).read_bytes().splitlines()]


def line_of(case: Case) -> bytes:
    """The line of a case: as it is written where that matters, else its message as JSON."""
    return case["line"].encode() if "line" in case else orjson.dumps(case["message"])


def outcome_of_line(line: bytes, rules: Rules) -> Outcome:
    """Map a line of an export."""
    (mapped,) = map_lines(LineBatch(0, "export.ndjson", 1, line, len(line)), rules)
    return mapped.outcome


def web_cases() -> list[Any]:
    """The recorded cases, each named by its place in the file, its type and its event."""
    cases = []
    for number, case in enumerate(read_cases("web.ndjson"), 1):
        message = case["message"]
        name = ascii(message.get("event") or message.get("userId") or "nothing")[:30]
        cases.append(pytest.param(case, id=f"{number} {message['type']} {name}"))
    return cases


def web_rules(case: Case) -> Rules:
    """The rules for Segment's settings, as analytics.js has them."""
    segment = case["settings"]
    hybrid = segment["hybridAttributionModel"]
    tables = {
        "convertro": {"account": segment["account"], "hybrid_attribution_model": hybrid},
        "events": segment["events"],
        "mapping": {"mode": "web", "require_order_id": False},
    }
    return compile_rules(settings_of(tables))


def assert_like(calls: list[Message], wanted: list[Message], default_ids: list[str]) -> None:
    """Compare the fields that the wanted calls name; an event id of null is the default id."""
    assert len(calls) == len(wanted)
    for call, fields, default_id in zip(calls, wanted, default_ids, strict=True):
        named = {
            name: default_id if name == "event_id" and value is None else value
            for name, value in fields.items()
        }
        assert {name: call.get(name) for name in named} == named


@pytest.mark.parametrize("case", web_cases())
def test_what_the_integration_did(case: Case) -> None:
    """A message from a browser gives the calls that Segment's own integration made of it."""
    outcome = outcome_of(case["message"], web_rules(case))
    calls = [] if isinstance(outcome, str) else sorted(outcome, key=by_type)
    visitor = visitor_of(case["message"])
    default_ids = [f"{call.get('event_type')}-{visitor}" for call in calls]
    assert_like(calls, sorted(case["calls"], key=by_type), default_ids)


def visitor_of(message: Message) -> str:
    """The visitor's id: Convertro's own, else Segment's, at most 32 characters of it."""
    choice = message.get("integrations", {}).get("Convertro")
    own = choice.get("sid") if isinstance(choice, dict) else None
    visitor: str = own or message.get("anonymousId") or message["userId"]
    return visitor[:32]


def by_type(call: Message) -> str:
    """Order the calls of one message: the integration made them in any order."""
    return call.get("event_type") or ""


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=c["name"]) for c in read_cases("rules.ndjson")]
)
def test_the_rules(case: Case) -> None:
    """A message gives the calls that the rules name, in order, or the reason for none."""
    outcome = outcome_of_line(line_of(case), compile_rules(settings_of(case["settings"])))
    if not isinstance(outcome, Mapped):
        kind = "invalid" if isinstance(outcome, Invalid) else "skip"
        assert case.get(kind) == outcome.reason
        assert not case["calls"]
        return
    calls = [shown(call) for call in outcome.calls]
    default_ids = [f"{call.get('event_type')}-anon-1" for call in calls]
    assert_like(calls, case["calls"], default_ids)


def test_whole_files_as_lines() -> None:
    """The same cases give the same calls, line by line, with all their traits."""
    for case in read_cases("web.ndjson"):
        data = orjson.dumps(case["message"]) + b"\n"
        (line,) = map_lines(LineBatch(0, "web.ndjson", 1, data, len(data)), web_rules(case))
        outcome = line.outcome
        calls = [shown(call) for call in outcome.calls] if isinstance(outcome, Mapped) else []
        assert sorted(call.get("event_type") or "" for call in calls) == sorted(
            map(by_type, case["calls"])
        )
        assert [call.get("traits") for call in calls] == [c.get("traits") for c in case["calls"]]
