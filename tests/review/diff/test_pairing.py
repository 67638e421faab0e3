"""Which call before belongs to which after, and which fields count as changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.review.diff.calls import ShownCall, pair_calls

SALE: dict[str, Any] = {
    "mode": "web",
    "call": "event",
    "event_type": "sale",
    "event_value": 50.99,
    "event_id": "o1",
    "timestamp": 1709288430,
    "url": "https://x.example/?typ=sale",
}
USER: dict[str, Any] = {
    "mode": "web",
    "call": "user",
    "user_id": "u1",
    "traits": {"plan": "pro", "n": 1},
    "timestamp": 1709288430,
    "url": "https://x.example/?id=u1",
}
INSTALL = {"mode": "cloud", "call": "install", "device_id": "d", "timestamp": 1, "url": "u"}


def event(event_type: str, **fields: Any) -> dict[str, Any]:
    """A sale's fields with another type, and other fields as told."""
    return SALE | {"event_type": event_type} | fields


def paired(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> list[tuple[str | None, str | None, tuple[str, ...]]]:
    """Pair calls; give for each pair the types (or calls) and the fields that changed."""
    pairs = pair_calls(*([ShownCall(fields=fields) for fields in side] for side in (before, after)))
    return [(_name(pair.before), _name(pair.after), pair.fields) for pair in pairs]


def _name(call: ShownCall | None) -> str | None:
    return None if call is None else call.event_type or call.kind


@pytest.mark.parametrize(
    ("before", "after", "pairs"),
    [
        ([], [], []),
        ([SALE], [SALE], [("sale", "sale", ())]),
        ([], [SALE], [(None, "sale", ())]),
        ([SALE], [], [("sale", None, ())]),
        (
            [event("sale.new")],
            [event("sale.new"), SALE],
            [("sale.new", "sale.new", ()), (None, "sale", ())],
        ),
        (
            [event("a"), event("b")],
            [event("b"), event("a")],
            [("b", "b", ()), ("a", "a", ())],
        ),
        (
            [event("a"), event("b")],
            [event("b"), event("c")],
            [("b", "b", ()), ("a", "c", ("event_type",))],
        ),
        (
            [event("a"), event("b")],
            [event("c"), event("d"), event("e")],
            [("a", "c", ("event_type",)), ("b", "d", ("event_type",)), (None, "e", ())],
        ),
        (
            [event("a"), event("b"), event("c")],
            [event("c", event_value=1)],
            [("c", "c", ("event_value",)), ("a", None, ()), ("b", None, ())],
        ),
        ([SALE], [USER | {"timestamp": 1709288430}], None),
        ([INSTALL], [event("user")], None),
        ([USER], [event("user")], None),
    ],
)
def test_calls_are_paired_by_kind_and_type_and_then_in_order(
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
    pairs: list[tuple[str | None, str | None, tuple[str, ...]]] | None,
) -> None:
    """A call goes with its like; what is left in order; what is left then is added or removed."""
    found = paired(before, after)
    if pairs is None:  # one call became another: it changed, and its kind is among what did
        ((_, _, fields),) = found
        assert "call" in fields
    else:
        assert found == pairs


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        (SALE, SALE | {"event_value": 1, "url": "other"}, ("event_value",)),
        (SALE, SALE | {"url": "https://y.example/?typ=sale"}, ("url",)),
        (SALE, SALE | {"event_value": 50.990}, ()),
        (SALE, SALE | {"event_id": None, "event_type": "sale", "url": "o"}, ("event_id",)),
        (SALE, SALE | {"mode": "cloud", "device_id": "d", "url": "o"}, ("mode", "device_id")),
        (USER, USER | {"traits": {"n": 1, "plan": "pro"}}, ()),
        (USER, USER | {"traits": {"n": True, "plan": "pro"}}, ("traits",)),
        (USER, USER | {"traits": {"plan": "pro"}}, ("traits",)),
        (
            SALE,
            {k: v for k, v in SALE.items() if k != "url"} | {"failed": "request_too_long"},
            ("failed",),
        ),
        (
            SALE | {"url": None, "failed": "request_too_long", "detail": "9,000"},
            SALE | {"url": None, "failed": "request_too_long", "detail": "9,001"},
            ("detail",),
        ),
    ],
)
def test_the_fields_that_changed_are_named(
    before: dict[str, Any], after: dict[str, Any], fields: tuple[str, ...]
) -> None:
    """Each field that differs is named; the URL, which follows from them, only by itself."""
    ((_, _, found),) = paired([before], [after])
    assert found == fields


_calls = st.lists(
    st.builds(
        lambda kind, name, value: SALE | {"call": kind, "event_type": name, "event_value": value},
        st.sampled_from(["event", "user"]),
        st.sampled_from(["a", "b", "c", None]),
        st.integers(1, 3),
    ),
    max_size=6,
)


@given(_calls, _calls)
def test_every_call_is_in_exactly_one_pair(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    """No call is lost and none is counted twice, and no two are left that could be paired."""
    sides = [[ShownCall(fields=fields) for fields in side] for side in (before, after)]
    pairs = pair_calls(*sides)
    for side, found in zip(
        sides, ([pair.before for pair in pairs], [pair.after for pair in pairs]), strict=True
    ):
        assert sorted(map(id, filter(None, found))) == sorted(map(id, side))
    verdicts = {pair.verdict for pair in pairs}
    assert not {"added", "removed"} <= verdicts
