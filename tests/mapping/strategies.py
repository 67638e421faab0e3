"""Any JSON at all, and messages that are almost right."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text(max_size=8), JSON, max_size=4)

NAMES = st.sampled_from(
    ["Order Completed", "completed_order", "Signed Up", "signedUp", "Application Installed", "X"]
)
AMOUNTS = st.sampled_from([0, -0.0, 50.99, "$1,200.50", "1.200,50 €", "free", "", 1e300, "9" * 400])
TIMES = st.sampled_from(["2024-03-01T10:20:30Z", "soon", "", 1709288430500, -1, "1612121512340"])
IDS = st.sampled_from(["u1", "jane@example.com", "", " ", 0, 12.5, True, "é" * 40])


def _nested(key: str, inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional={key: inner}) | JSON


PROPERTIES = st.dictionaries(
    st.sampled_from(["id", "order_id", "orderId", "Total", "total", "revenue", "repeat", "x"]),
    AMOUNTS | IDS | JSON,
)
CONTEXT = st.fixed_dictionaries(
    {},
    optional={
        "library": _nested("name", st.sampled_from(["analytics.js", "analytics-ios"])),
        "device": _nested("id", IDS),
        "personas": _nested("computation_key", IDS),
        "page": _nested("url", st.text()),
        "ip": IDS | JSON,
        "userAgent": IDS | JSON,
    },
)
MESSAGES = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "identify", "TRACK", "page"]) | JSON},
    optional={
        "event": NAMES | JSON,
        "messageId": IDS | JSON,
        "anonymousId": IDS | JSON,
        "userId": IDS | JSON,
        "timestamp": TIMES | JSON,
        "receivedAt": TIMES | JSON,
        "channel": st.sampled_from(["client", "server"]) | JSON,
        "integrations": st.dictionaries(
            st.sampled_from(["All", "all", "Convertro"]), st.booleans() | JSON
        )
        | JSON,
        "context": CONTEXT | JSON,
        "properties": PROPERTIES | JSON,
        "traits": st.dictionaries(st.sampled_from(["id", "plan", "sid", "a b"]), JSON) | JSON,
    },
)
"""Messages with the right keys and realistic values, and anything else in any place of them."""
