"""Messages and settings of every kind, and how an explanation of one is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from hypothesis import strategies as st

from convertro_cli.mapping.dry_run import DryRunJob
from convertro_cli.mapping.rules import Rules, Selection
from convertro_cli.reading.batch import LineBatch
from convertro_cli.review.explain.explanation import Explanation, explain
from convertro_cli.review.explain.find import FoundLine
from convertro_cli.review.masking import Masking
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import LoadedSettings
from convertro_cli.settings.model import Settings
from tests.mapping.gated import GATED_TABLES
from tests.mapping.messages import settings_of
from tests.mapping.strategies import MESSAGES

Message = dict[str, Any]

ACCOUNT = {
    "account": "acme",
    "client_name": "acme-inc",
    "site_id": "7",
    "domain": "https://shop.example.com",
}


def loaded_from(settings: Settings, folder: Path = Path("nowhere")) -> LoadedSettings:
    """Settings as if they were read from a file in a folder, which need not be there."""
    return LoadedSettings(settings, folder / "convertro.toml", {})


def explain_message(
    message: object, settings: Settings, selection: Selection | None = None
) -> Explanation:
    """Explain a message as if it were the first line of an export."""
    line = message if isinstance(message, bytes) else orjson.dumps(message)
    rules = compile_rules(settings, selection)
    explanation = explain(
        FoundLine("e.ndjson", 1, line), loaded_from(settings), rules, Masking("full")
    )
    assert explanation is not None
    return explanation


def dry_run(line: bytes, rules: Rules) -> list[Message]:
    """Give what a dry run writes of one line, its reason for no call among it."""
    batch = LineBatch(0, "e.ndjson", 1, line, 0)
    output = DryRunJob(rules, include_skipped=True)(batch).output
    return [orjson.loads(written) for written in output.splitlines()]


messages: st.SearchStrategy[Message] = MESSAGES
"""Messages that yield calls, and some that are spoilt in one place."""


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Message]:
    return st.fixed_dictionaries({}, optional=fields)


def _settings(
    events: Message, mapping: Message, gates: Message, hybrid: bool, cloud: bool, params: Message
) -> Settings:
    account: Message = {"account": "acme", "hybrid_attribution_model": hybrid}
    if cloud or mapping.get("mode") == "cloud":
        account |= ACCOUNT
    tables = {"events": events, "mapping": mapping, "wire": {"params": params}}
    return settings_of({"convertro": account, **tables, **gates})


GATES = {table: GATED_TABLES[table] for table in ("consent", "schema", "filters")}
"""Tables of a convertro.toml that set gates."""

settings: st.SearchStrategy[Settings] = st.builds(
    _settings,
    st.sampled_from(
        [
            {},
            {"Signed Up": "signup"},
            {"signed_up": ["a", "b"], "signedUp": "c"},
            {"Order Completed": "o"},
        ]
    ),
    _some(
        mode=st.sampled_from(["auto", "web", "cloud"]),
        unmapped_events=st.sampled_from(["auto", "send", "drop"]),
        require_order_id=st.booleans(),
        cloud_orders=st.sampled_from(["name", "sale"]),
        visitor_id=st.sampled_from([["userId"], ["integrations.Convertro.sid", "anonymousId"]]),
        traits=st.sampled_from(["all", "none", ["plan"]]),
        integrations=st.sampled_from(["obey", "ignore"]),
        delivered_in_browser=st.sampled_from(["skip", "send", "skip-unmarked"]),
        unreadable_amount=st.sampled_from(["hold", "send"]),
    ),
    st.sampled_from([{}, {}, GATES]),
    st.booleans(),
    st.sampled_from([True, True, False]),
    st.sampled_from([{}, {"sid": "visitor", "typ": "t"}]),
)

selection: st.SearchStrategy[Selection] = st.builds(
    Selection,
    since=st.sampled_from([None, None, 0.0, 2e9]),
    until=st.sampled_from([None, None, 2e9, 0.0]),
    types=st.sampled_from([frozenset[str](), frozenset({"track"})]),
    events=st.sampled_from([frozenset[str](), frozenset({"signed up"})]),
)
