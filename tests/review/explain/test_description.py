"""An explanation as JSON: its settings with their origin, and personal data only as allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from convertro_cli.review.explain.explanation import explain
from convertro_cli.review.explain.find import FoundLine
from convertro_cli.review.masking import Masking, Show
from convertro_cli.review.report.as_json import write_report
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import LoadedSettings
from tests.mapping.messages import settings_of, web_message

SETTINGS = settings_of({"convertro": {"account": "acme"}, "events": {"a.b": ["x"]}})
SECRETS = ("visitor-secret", "user-secret", "order-secret", "message-secret", "trait-secret")


def described(message: dict[str, Any], show: Show) -> dict[str, Any]:
    """Describe one message."""
    rules = compile_rules(SETTINGS)
    loaded = LoadedSettings(SETTINGS, Path("convertro.toml"), {"events.a.b": "file"})
    found = FoundLine("e", 1, orjson.dumps(message))
    read: dict[str, Any] = orjson.loads(write_report(explain(found, loaded, rules, Masking(show))))
    return read


MESSAGES = [
    web_message(
        "track",
        event="Order Completed",
        anonymousId=SECRETS[0],
        messageId=SECRETS[3],
        properties={"order_id": SECRETS[2], "total": 5},
    ),
    web_message(
        "identify",
        anonymousId=SECRETS[0],
        messageId=SECRETS[3],
        userId=SECRETS[1],
        traits={"plan": SECRETS[4]},
    ),
    web_message("identify", userId=SECRETS[1], messageId=SECRETS[3], timestamp=SECRETS[0]),
]


@pytest.mark.parametrize("message", MESSAGES, ids=["order", "identify", "no time"])
def test_what_is_not_to_be_shown_is_nowhere(message: dict[str, Any]) -> None:
    """Masked or hidden, no id and no trait stands anywhere; in full, they do."""
    full = orjson.dumps(described(message, "full")).decode()
    assert any(secret in full for secret in SECRETS)
    for show in ("masked", "none"):
        text = orjson.dumps(described(message, show)).decode()
        assert not any(secret in text for secret in SECRETS)


def test_each_setting_stands_with_its_value_and_origin() -> None:
    """A key of [events] may have dots in it, and is one key all the same."""
    found = described(web_message("track", event="a.b"), "full")
    (step,) = [step for step in found["steps"] if step["topic"] == "event type"]
    assert step["settings"] == [{"key": "events.a.b", "value": ["x"], "origin": "file"}]


def test_a_remedy_is_told_as_what_to_write() -> None:
    """A change of settings is given as table, key and value."""
    found = described(web_message("track", event="Nope"), "full")
    assert found["outcome"] == "skipped"
    assert found["reason"] == "unmapped_event"
    first, second = found["remedies"]
    assert first == [
        {
            "where": "settings",
            "table": "events",
            "values": {"Nope": "Nope"},
            "note": "or another name that Convertro knows it by",
        }
    ]
    assert second[0]["values"] == {"unmapped_events": "send"}
