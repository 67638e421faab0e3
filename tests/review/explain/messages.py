"""Messages and settings of every odd shape, and how an explanation of one is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from hypothesis import strategies as st

from convertro_cli.mapping.dry_run import DryRunJob
from convertro_cli.mapping.rules import Rules, Selection
from convertro_cli.reading.lines import LineBatch
from convertro_cli.review.explain.explanation import Explanation, explain
from convertro_cli.review.explain.find import FoundLine
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import LoadedSettings
from convertro_cli.settings.model import Settings
from tests.mapping.messages import settings_of

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
    explanation = explain(FoundLine("e.ndjson", 1, line), loaded_from(settings), rules)
    assert explanation is not None
    return explanation


def dry_run(line: bytes, rules: Rules) -> list[Message]:
    """Give what a dry run writes of one line, its reason for no call among it."""
    batch = LineBatch(0, "e.ndjson", 1, line, 0)
    output = DryRunJob(rules, include_skipped=True)(batch).output
    return [orjson.loads(written) for written in output.splitlines()]


_ids: st.SearchStrategy[Any] = st.sampled_from(
    ["u1", "joe@example.com", "", "  ", None, 7, 7.5, True, {}, ["a"], "x" * 50]
)
_names = st.sampled_from(
    [
        *("Signed Up", "signed_up", "signedUp", "Order Completed", "completed-order"),
        *("Application Installed", "Nobody Knows", "", "  ", None, 3, "a\x1b[31m", "Trial.Started"),
    ]
)
_amounts: st.SearchStrategy[Any] = st.sampled_from(
    [12, 50.99, "$1,200.50", "free", "", None, True, -3, 0, {}, "12,5"]
)
_times = st.sampled_from(
    ["2024-03-01T10:20:30.500Z", 1709288430500, "yesterday", "", None, True, "2024-03-01"]
)


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Message]:
    return st.fixed_dictionaries({}, optional=fields)


_properties = _some(
    **{
        name: values
        for names, values in (
            (("id", "order_id", "Order ID", "orderId"), _ids),
            (("total", "Total", "revenue"), _amounts),
            (("repeat",), st.sampled_from([True, False, None, "true", 1])),
        )
        for name in names
    }
)
_context = _some(
    library=st.sampled_from(
        [{"name": "analytics.js"}, {"name": "analytics-ios"}, {"name": "x-analytics-next"}, {}, 3]
    ),
    device=st.sampled_from([{"id": "D-1"}, {"id": ""}, {}, None, "d"]),
    personas=st.sampled_from([{"computation_key": "k"}, {}]),
    ip=_ids,
    userAgent=_ids,
    page=st.sampled_from(
        [{"url": "https://shop.example.com/"}, {"url": "x" * 9000, "referrer": 3}, None]
    ),
)

messages: st.SearchStrategy[Message] = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "Track", "identify", "page", None, 3, ""])},
    optional={
        "event": _names,
        "messageId": _ids,
        "anonymousId": _ids,
        "userId": _ids,
        "channel": st.sampled_from(["browser", "client", "mobile", "server", None]),
        "timestamp": _times,
        "originalTimestamp": _times,
        "receivedAt": _times,
        "integrations": st.sampled_from(
            [{}, {"Convertro": False}, {"all": False}, {"Convertro": {"sid": "s1"}}, None, True]
        ),
        "context": _context | st.none(),
        "properties": _properties | st.none(),
        "traits": st.sampled_from(
            [{"plan": "pro", "id": 3}, {"a b": 1, "sid": "x"}, {"long": "x" * 9000}, {}, None, 3]
        ),
    },
)
"""Messages that pass each gate now and then, and stop at each."""


def _settings(
    events: Message, mapping: Message, hybrid: bool, cloud: bool, params: Message
) -> Settings:
    account: Message = {"account": "acme", "hybrid_attribution_model": hybrid}
    if cloud or mapping.get("mode") == "cloud":
        account |= ACCOUNT
    return settings_of(
        {"convertro": account, "events": events, "mapping": mapping, "wire": {"params": params}}
    )


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
    ),
    st.booleans(),
    st.booleans(),
    st.sampled_from([{}, {"sid": "visitor", "typ": "t"}]),
)

selection: st.SearchStrategy[Selection] = st.builds(
    Selection,
    since=st.sampled_from([None, 0.0, 2e9]),
    until=st.sampled_from([None, 0.0, 2e9]),
    types=st.sampled_from([frozenset[str](), frozenset({"track"})]),
    events=st.sampled_from([frozenset[str](), frozenset({"signed up"})]),
)
