"""A batch of lines, made ready for delivery or written down for a dry run."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from convertro_cli.amounts import Sum
from convertro_cli.mapping.dead_letter import wrap
from convertro_cli.mapping.dry_run import DryRunJob
from convertro_cli.mapping.jobs import PLACES_KEPT, ReplayJob
from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.batch import LineBatch
from tests.mapping.messages import (
    Message,
    cloud_message,
    make_rules,
    ready_messages,
    web_message,
)

ORDER = web_message(
    "track",
    event="Order Completed",
    properties={"order_id": "o1", "total": 50.99, "repeat": False},
    messageId="m-order",
)
USER = web_message("identify", traits={"plan": "pro"}, userId="jane@example.com", messageId=7)
CLOUD = cloud_message("track", event="Signed Up", messageId=None)
CLOUD_USER = cloud_message("identify", messageId="m4")
INSTALL = cloud_message("track", event="Application Installed", messageId="m5")
NO_DEVICE = cloud_message("track", event="X", context={}, messageId="m6")


def batch_of(*lines: Message | bytes, first_line: int = 1) -> LineBatch:
    """A batch of messages and raw lines."""
    data = b"".join(
        (line if isinstance(line, bytes) else orjson.dumps(line)) + b"\n" for line in lines
    )
    return LineBatch(3, "export.ndjson", first_line, data, len(data))


def dry_lines(*lines: Message | bytes, **options: Any) -> list[Message]:
    """The lines of a dry run, without the URLs' queries."""
    job = DryRunJob(make_rules(convertro={"hybrid_attribution_model": True}), **options)
    output = job(batch_of(*lines, first_line=12)).output
    shown = [orjson.loads(line) for line in output.splitlines()]
    for line in shown:
        if "url" in line:
            line["url"] = line["url"].partition("?")[0]
    return shown


def test_the_lines_of_a_dry_run() -> None:
    """Each kind of call with its fields, in their order, under its place and message id."""
    web = {"mode": "web", "call": "event"}
    get = {"timestamp": 1709288430, "method": "GET"}
    sale = {"event_value": 50.99, "event_id": "o1"}
    host = "https://sp1.convertro.com/api"
    expected = [
        {"source": "export.ndjson:12", "message_id": "m-order"}
        | web
        | {"event_type": "sale.new", **sale, **get, "url": f"{host}/hit/acme/7/"},
        {"source": "export.ndjson:12", "message_id": "m-order"}
        | web
        | {"event_type": "sale", **sale, **get, "url": f"{host}/hit/acme/7/"},
        {"source": "export.ndjson:13", "message_id": "7", "mode": "web", "call": "user"}
        | {"user_id": "jane@example.com", "traits": {"plan": "pro"}}
        | {**get, "url": f"{host}/user/acme/7/"},
        {"source": "export.ndjson:14", "message_id": None, "mode": "cloud", "call": "event"}
        | {"device_id": "D-1", "event_type": "Signed Up", "event_value": 1, "event_id": None}
        | {**get, "url": f"{host}/hit/acme-inc/7/"},
        {"source": "export.ndjson:15", "message_id": "m4", "mode": "cloud", "call": "user"}
        | {"device_id": "D-1", "user_id": "u1", **get, "url": f"{host}/user/acme-inc/7/"},
        {"source": "export.ndjson:16", "message_id": "m5", "mode": "cloud", "call": "install"}
        | {"device_id": "D-1", **get, "url": f"{host}/install/acme-inc/7/"},
    ]
    shown = dry_lines(ORDER, USER, CLOUD, CLOUD_USER, INSTALL, NO_DEVICE, b"{")
    assert shown == expected
    assert [list(line) for line in shown] == [list(line) for line in expected]


def test_what_is_not_sent_is_shown_only_when_asked_for() -> None:
    """A skip with its reason; an invalid line with its reason and detail."""
    shown = dry_lines(NO_DEVICE, b"{", {"messageId": "m9"}, include_skipped=True)
    assert shown[0] == {
        "source": "export.ndjson:12",
        "message_id": "m6",
        "skip": "missing_device_id",
    }
    assert shown[1].pop("detail")
    assert shown[1] == {
        "source": "export.ndjson:13",
        "message_id": None,
        "invalid": "invalid_json",
    }
    assert (shown[2]["message_id"], shown[2]["invalid"]) == ("m9", "missing_type")


def test_the_totals_of_a_dry_run_are_exact() -> None:
    """Sums of money do not drift, and calls that are no events have no value."""
    cents = ORDER | {"properties": {"order_id": "o", "total": 0.1}}
    result = DryRunJob(make_rules())(batch_of(cents, cents, cents, USER, INSTALL))
    assert result.totals == {"sale": Sum(3, Decimal("0.3"))}
    assert (result.read, result.messages, result.calls) == (5, 5, 5)


def test_calls_made_ready() -> None:
    """Each with its URL, its event type and its value written plainly."""
    rules = make_rules(convertro={"hybrid_attribution_model": True})
    order, user, install = ready_messages(ReplayJob(rules)(batch_of(ORDER, USER, INSTALL)))
    assert [(call.event_type, call.value, call.fault) for call in order.calls] == [
        ("sale.new", "50.99", ""),
        ("sale", "50.99", ""),
    ]
    assert [(call.event_type, call.value) for call in user.calls + install.calls] == [("", "")] * 2
    assert "&typ=sale.new&val=50.99&" in order.calls[0].url
    assert "&id=hashed-2603151228&" in user.calls[0].url
    keys = [call.key for message in (order, user, install) for call in message.calls]
    assert len(set(keys)) == 4
    assert {len(key) for key in keys} == {16}


def test_warnings_are_counted_with_a_few_places() -> None:
    """The summary names some of the lines, however many there are."""
    unreadable = ORDER | {"properties": {"order_id": "o1", "total": "free", "revenue": 5}}
    taken = USER | {"traits": {"sid": 1, "ts": 2, "first name": 3}}
    result = ReplayJob(make_rules())(batch_of(taken, *[unreadable] * 20, first_line=101))
    assert result.warnings == {
        "trait_name_taken": 2,
        "trait_name_unsupported": 1,
        "unreadable_amount": 20,
    }
    assert result.warning_places["unreadable_amount"] == [*range(102, 102 + PLACES_KEPT)]
    assert result.warning_places["trait_name_taken"] == [101, 101]


def test_a_dead_letter_keeps_its_first_place_and_its_bytes() -> None:
    """Failing again, it is told under the place where it was first."""
    original = orjson.dumps(ORDER).replace(b'":', b'": ')
    letter = wrap(original, reason="http_400", detail="", source="a.gz:5", at="").rstrip()
    broken = wrap(b"{", reason="invalid_json", detail="", source="a.gz:6", at="").rstrip()
    result = ReplayJob(make_rules())(batch_of(letter, broken, ORDER))
    again, plain = ready_messages(result)
    assert (again.original, again.source) == (original, "a.gz:5")
    assert (plain.original, plain.source) == (None, None)
    assert again.calls == plain.calls
    assert [(line.original, line.source) for line in result.invalid] == [(b"{", "a.gz:6")]


@pytest.mark.parametrize(
    ("limit", "selection", "read", "exhausted", "left"),
    [
        (None, None, 6, False, None),
        (2, None, 2, True, 0),
        (6, None, 6, True, 0),
        (9, None, 6, False, 3),
        (0, None, 0, True, 0),
        # only what passes the filters counts against the limit
        (1, Selection(types=frozenset({"identify"})), 2, True, 0),
        (2, Selection(types=frozenset({"identify"})), 6, False, 1),
        (1, Selection(events=frozenset({"x"})), 6, True, 0),
    ],
)
def test_the_limit_counts_down_over_batches(
    limit: int | None, selection: Selection | None, read: int, exhausted: bool, left: int | None
) -> None:
    """No line is read beyond the limit of messages that pass the filters."""
    batch = batch_of(ORDER, USER, b"{", b'{"type":"page"}', INSTALL, NO_DEVICE)
    for job in (
        ReplayJob(make_rules(selection=selection), limit),
        DryRunJob(make_rules(selection=selection), limit),
    ):
        result = job(batch)
        assert (result.read, result.exhausted, job.limit) == (read, exhausted, left)
        if exhausted:
            again = job(batch)
            assert (again.read, again.exhausted) == (0, True)
