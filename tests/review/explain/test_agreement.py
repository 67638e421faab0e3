"""An explanation says what a dry run does: the same calls, the same reason."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as profile

from convertro_cli.mapping.rules import Selection
from convertro_cli.review.explain.explanation import Explanation
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.model import Settings
from tests.mapping.messages import settings_of
from tests.mapping.test_conformance import line_of, read_cases
from tests.review.explain import messages as made
from tests.review.explain.messages import Message, dry_run, explain_message
from tests.soaking import examples
from tests.system.test_conformance import OPEN_GATES


def assert_agrees(explained: Explanation, written: list[Message]) -> None:
    """Compare an explanation with what a dry run wrote of the same line."""
    assert explained.message_id == written[0]["message_id"]
    stops = [step.reason for step in explained.steps if step.verdict == "stopped"]
    reason = written[0].get("skip") or written[0].get("invalid")
    if reason is not None:
        assert explained.reason == reason
        assert stops == [reason]
        assert explained.steps[-1].reason == reason
        assert explained.calls == []
        assert explained.detail == written[0].get("detail")
        return
    assert stops == []
    for call, line in zip(explained.calls, written, strict=True):
        made = {"method", "url", "failed", "detail", "source", "message_id"}
        shared = (call.line.keys() | line.keys()) - made
        assert {key: call.line[key] for key in shared} == {key: line[key] for key in shared}
        assert call.line["url"] == line.get("url", call.line["url"])
        assert call.fault == line.get("failed")


def _web_settings(segment: Message) -> Settings:
    hybrid = segment["hybridAttributionModel"]
    return settings_of(
        {
            "convertro": {"account": segment["account"], "hybrid_attribution_model": hybrid},
            "events": segment["events"],
            "mapping": {"mode": "web", "require_order_id": False},
        }
    )


def _recorded_cases() -> Iterator[tuple[bytes, Settings]]:
    """Give the line and the settings of each recorded case."""
    for case in read_cases("rules.ndjson"):
        yield line_of(case), settings_of(case["settings"])
    for case in read_cases("web.ndjson"):
        yield line_of(case), _web_settings(case["settings"])


def test_every_recorded_case_is_explained_as_the_dry_run_maps_it() -> None:
    """Each recorded message has the same calls, or the same reason for none."""
    for line, settings in _recorded_cases():
        assert_agrees(explain_message(line, settings), dry_run(line, compile_rules(settings)))


@pytest.mark.parametrize("name", ["filters_oracle.ndjson", "filters_docs.ndjson"])
def test_every_case_of_filters_is_explained_as_the_dry_run_maps_it(name: str) -> None:
    """Whatever filters drop or take away, with each of their conditions explained."""
    explained = 0
    for case in read_cases(name):
        filters = [
            {"title": f"filter {number}"} | {key: one[key] for key in ("if", "actions")}
            for number, one in enumerate(case["filters"])
        ]
        settings = settings_of(OPEN_GATES | {"filters": filters})
        line = orjson.dumps(case["message"])
        found = explain_message(line, settings)
        assert_agrees(found, dry_run(line, compile_rules(settings)))
        explained += any(step.filter is not None for step in found.steps)
    assert explained > 100


@given(made.messages, made.settings, made.selection)
@profile(max_examples=examples(300), deadline=None)
def test_any_message_is_explained_as_the_dry_run_maps_it(
    message: Message, settings: Settings, selection: Selection
) -> None:
    """Whatever the message and the settings, the explanation agrees with the dry run."""
    rules = compile_rules(settings, selection)
    line = orjson.dumps(message)
    assert_agrees(explain_message(message, settings, selection), dry_run(line, rules))


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'"text"',
        b"\xff",
        b'{"type":"track","a":"' + b"x" * (1 << 20) + b'"}',
        b'{"reason":"r","source":"x:1","event":{"type":"page"}}',
        b'{"reason":"r","source":"x:1","line":"no json"}',
    ],
    ids=["broken", "array", "text", "not-utf-8", "long", "letter", "letter-of-text"],
)
def test_any_line_is_explained_as_the_dry_run_maps_it(line: bytes) -> None:
    """A line that holds no message, or a dead letter, agrees as well."""
    settings = settings_of({"convertro": made.ACCOUNT})
    assert_agrees(explain_message(line, settings), dry_run(line, compile_rules(settings)))


@given(made.messages, made.settings)
@profile(max_examples=100, deadline=None)
def test_every_parameter_is_explained(message: Message, settings: Settings) -> None:
    """Each parameter of a URL is named with its value and its meaning, in order."""
    explained = explain_message(message, settings)
    for call in explained.calls:
        assert _query(call.line["url"]) == [(each.name, each.value) for each in call.parameters]
        assert all(each.meaning and each.from_ for each in call.parameters)


def _query(url: str) -> list[tuple[str, str]]:
    return parse_qsl(url.partition("?")[2], keep_blank_values=True)
