"""Messages as exports hold them, whole or spoilt in one place, and any JSON at all.

A message with something odd in each of its places dies at the first gate, and shows nothing of
what stands behind it. So a whole message is drawn first, of every kind that yields calls and with
all the parts that are optional, and then it is spoilt in one place at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

Message = dict[str, Any]
Path = tuple[str, ...]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(-(2.0**53) + 1, 2.0**53 - 1)  # what is larger is read again, exactly: see the lines
    | st.text(max_size=10)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text(max_size=8), JSON, max_size=4)

REMOVED: Any = object()
"""In place of a value: the key is taken away."""

_IDS = st.sampled_from(["u1", "jane@example.com", 12345, 7.5, "é" * 40, "a b&c=d"])
_AMOUNTS = st.sampled_from([0, -3, 50.99, "$1,200.50", "1.200,50 €", "1.200", 1e300, "(5)"])
_TIMES = st.sampled_from(["2024-03-01T10:20:30.500Z", "2024-03-01 10:20", 1709288430500])
_LATER = st.sampled_from(["2024-03-01T10:20:31.500Z", "2024-03-05T10:20:31Z"])
_TEXTS = st.sampled_from(["", "https://shop.example.com/?a=b", "Mozilla/5.0", "203.0.113.9"])
_TRAITS = st.dictionaries(st.sampled_from(["plan", "age", "id", "email"]), SCALARS, max_size=3)
_ORDER_NAMES = st.sampled_from(["Order Completed", "completed_order", "Completed Order"])
_NAMES = st.sampled_from(["Signed Up", "signedUp", "signed_up"])
_CONSENT = {"consent": st.just({"categoryPreferences": {"Advertising": True}})}


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Message]:
    return st.fixed_dictionaries({}, optional=fields)


def _object(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[Message]:
    return st.fixed_dictionaries(required, optional=optional)


_WEB_CONTEXT = _object(
    {"library": st.sampled_from([{"name": "analytics.js"}, "analytics.js"])} | _CONSENT,
    page=_some(url=_TEXTS, referrer=_TEXTS),
    ip=_TEXTS,
    userAgent=_TEXTS,
)
_CLOUD_CONTEXT = _object(
    {"device": st.fixed_dictionaries({"id": _IDS})} | _CONSENT,
    library=st.just({"name": "analytics-ios"}),
    ip=_TEXTS,
    userAgent=_TEXTS,
)
_ORDER = st.builds(
    lambda wanted, others: {**wanted, **others},
    st.builds(lambda key, value: {key: value}, st.sampled_from(["id", "order_id"]), _IDS),
    _some(
        **{"Order ID": _IDS},
        total=_AMOUNTS,
        revenue=_AMOUNTS,
        repeat=st.booleans(),
        currency=st.sampled_from(["EUR", "CLP"]),
    ),
)


def _message(
    message_type: str, context: st.SearchStrategy[Message], **required: Any
) -> st.SearchStrategy[Message]:
    return st.fixed_dictionaries(
        {"type": st.sampled_from([message_type, message_type.upper()]), "context": context}
        | {"userId": _IDS, "messageId": _IDS, "timestamp": _TIMES, **required},
        optional={
            "anonymousId": _IDS,
            "receivedAt": _LATER,
            "projectId": st.just("p1"),
            "channel": st.just("client"),
            "integrations": st.sampled_from([{}, {"All": True}, {"Convertro": {"sid": "S1"}}]),
        },
    )


WHOLE = st.one_of(
    _message("identify", _WEB_CONTEXT, traits=_TRAITS),
    _message("identify", _CLOUD_CONTEXT),
    _message("track", _WEB_CONTEXT, event=_ORDER_NAMES, properties=_ORDER),
    _message("track", _CLOUD_CONTEXT, event=_ORDER_NAMES, properties=_ORDER),
    _message("track", _WEB_CONTEXT, event=_NAMES, properties=_ORDER),
    _message("track", _CLOUD_CONTEXT, event=_NAMES, properties=_ORDER),
    _message("track", _CLOUD_CONTEXT, event=st.just("Application Installed")),
)
"""Messages of every kind that yields calls, with nothing wrong with them."""

SPOILERS: list[tuple[Path, Any]] = [
    (("type",), "page"),
    (("type",), "record"),
    (("type",), REMOVED),
    (("userId",), "suppressed"),
    (("context", "consent"), {"categoryPreferences": {"Advertising": False}}),
    (("context", "consent"), {}),
    (("context", "consent"), REMOVED),
    (("integrations",), {"Convertro": False}),
    (("integrations",), {"All": False, "Amazon S3": True}),
    (("event",), "Test Event"),
    (("_metadata",), {"bundled": ["Convertro"]}),
    (("_metadata",), {"bundled": ["Convertro"], "failedInitializations": ["Convertro"]}),
    (("timestamp",), "2001-01-01T00:00:00Z"),
    (("userId",), "dropped"),
    (("userId",), "sampled"),
    (("userId",), "transformed"),
    (("context", "personas"), {"computation_key": "k"}),
    (("userId",), None),
    (("event",), " "),
    (("event",), "Nobody Knows"),
    (("event",), "Violation Generated"),
    (("context", "device"), {}),
    (("properties",), {"total": 5}),
    (("properties", "total"), "N/A"),
    (("properties",), {"order_id": "o1", "total": "N/A", "Revenue": 3}),
    (("properties",), {"order_id": "o1", "revenue": "1.200"}),
    (("receivedAt",), "2024-02-01T00:00:00Z"),
    (("timestamp",), REMOVED),
    (("timestamp",), "soon"),
    (("timestamp",), "2031-01-01T00:00:00Z"),
    (("timestamp",), 0),
    (("traits",), {"a b": 1, "sid": 2}),
    (("context", "page"), {"url": "x" * 9000}),
    (("messageId",), REMOVED),
]
"""What each gate stops, and what is odd in a known way."""


def paths_of(message: Message, above: Path = ()) -> Iterator[Path]:
    """Give every place of a message, those inside its objects as well."""
    for key, value in message.items():
        path = (*above, key)
        yield path
        if isinstance(value, dict):
            yield from paths_of(value, path)


def spoil(holder: Any, path: Path, value: Any) -> Message:
    """Give a message with another value in one place; what is in the way becomes an object."""
    copied = dict(holder) if isinstance(holder, dict) else {}
    key, *rest = path
    if rest:
        copied[key] = spoil(copied.get(key), tuple(rest), value)
    elif value is REMOVED:
        copied.pop(key, None)
    else:
        copied[key] = value
    return copied


@st.composite
def _messages(draw: st.DrawFn) -> Message:
    message: Message = draw(WHOLE)
    match draw(st.sampled_from(["whole", "whole", "whole", "spoilt", "anything"])):
        case "spoilt":
            return spoil(message, *draw(st.sampled_from(SPOILERS)))
        case "anything":
            path = draw(st.sampled_from(sorted(paths_of(message))))
            return spoil(message, path, draw(JSON | st.just(REMOVED)))
    return message


MESSAGES: st.SearchStrategy[Message] = _messages()
"""Messages of every kind, at most one place of each spoilt: in a known way, or by any JSON."""
