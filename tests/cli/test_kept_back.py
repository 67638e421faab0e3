"""The summary names what each gate kept back: number, value, and the setting that decides."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine
from tests.system.messages import Message, order

BUNDLED: Message = {"_metadata": {"bundled": ["Convertro"]}}
REPLAYED: Message = {"integrations": {"All": False, "Amazon S3": True}}
WITH_CONSENT: Message = {"context": {"consent": {"categoryPreferences": {"Ads": True}}}}
FILTER = """
[[filters]]
title = "No staff"
if = 'userId = "staff"'
actions = [{ type = "DROP" }]
"""


def seen(text: str) -> str:
    """The text with all spacing made one space."""
    return re.sub(r"\s+", " ", text)


def total_of(message: Message, total: object) -> Message:
    """The order with another total."""
    return message | {"properties": message["properties"] | {"total": total}}


EXPORT = [
    total_of(order(1), 10.5) | BUNDLED,
    total_of(order(2), 20) | BUNDLED,
    total_of(order(3), 7) | {"userId": "staff"},
    total_of(order(4), "N/A"),
    total_of(order(5), 5),
]


def test_number_value_and_setting_are_named(convertro: CommandLine, sandbox: Sandbox) -> None:
    """On standard error for eyes, and in the summary's JSON, in a dry run and in a replay."""
    convertro.workspace.write("export.ndjson", *EXPORT)
    with (convertro.workspace.folder / "convertro.toml").open("a") as file:
        file.write(FILTER)
    dry = convertro("replay", "--dry-run", "export.ndjson")
    assert "delivered_in_browser 2 worth 30.50 (mapping.delivered_in_browser)" in seen(dry.err)
    assert "dropped_by_filter 1 worth 7.00 (filters) 1 worth 7.00: No staff" in seen(dry.err)
    assert "unreadable_amount 1 worth 0.00 (mapping.unreadable_amount)" in seen(dry.err)
    summary: dict[str, Any] = convertro.replay(sandbox.url, "export.ndjson").summary
    assert summary["kept_back"] == {
        "delivered_in_browser": {"messages": 2, "value": 30.5},
        "dropped_by_filter": {
            "messages": 1,
            "value": 7.0,
            "by_title": {"No staff": {"messages": 1, "value": 7.0}},
        },
        "unreadable_amount": {"messages": 1, "value": 0.0},
    }
    assert summary["messages"]["delivered"] == 1


@pytest.mark.parametrize(
    ("export", "is_said"),
    [
        ([order(1) | REPLAYED, order(2) | REPLAYED, order(3), {"type": "page"}], True),
        ([order(1) | REPLAYED, order(2)], False),
        ([order(1) | {"integrations": {"All": False}}] * 3, False),
    ],
)
def test_a_bucket_that_a_replay_filled_is_told(
    convertro: CommandLine, export: list[Message], is_said: bool
) -> None:
    """Where most messages are off by All with a storage on, the setting is named."""
    convertro.workspace.write("export.ndjson", *export)
    ended = convertro("replay", "--dry-run", "export.ndjson")
    assert ('integrations = "ignore"' in ended.err) is is_said


def test_consent_that_is_not_looked_at_is_told(convertro: CommandLine) -> None:
    """Messages say whether their users gave consent, and no categories are set."""
    message = order(1) | WITH_CONSENT | {"channel": "client"}
    convertro.workspace.write("export.ndjson", message)
    assert "[consent] categories" in convertro("replay", "--dry-run", "export.ndjson").err
    with (convertro.workspace.folder / "convertro.toml").open("a") as file:
        file.write('\n[consent]\ncategories = ["Ads"]\n')
    assert "[consent]" not in convertro("replay", "--dry-run", "export.ndjson").err


def test_explain_shows_a_filter_part_by_part(convertro: CommandLine) -> None:
    """Each condition, the value of its parts, whether it held; and the filter as the remedy."""
    convertro.workspace.write("export.ndjson", EXPORT[2])
    with (convertro.workspace.folder / "convertro.toml").open("a") as file:
        file.write(FILTER)
    shown = seen(convertro("explain", "--line", "export.ndjson:1").out.decode())
    assert "dropped_by_filter" in shown
    assert 'userId = "staff" holds: userId is "staff"' in shown
    assert '[[filters]] title = "No staff" enabled = false' in shown
    masked = convertro("explain", "--line", "export.ndjson:1", "--show", "none", "--json").out
    (described,) = orjson.loads(masked)["messages"]
    (step,) = [step for step in described["steps"] if step["topic"] == "destination filters"]
    assert step["filter"]["parts"][0]["found"] == [{"what": "userId", "value": "…"}]
    assert step["filter"]["dropped"]
