"""What is counted of each message, and that all of it adds up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.amounts import Sum, add_up
from convertro_cli.mapping.dead_letter import wrap
from convertro_cli.mapping.dry_run import DryRunJob
from convertro_cli.mapping.rules import Rules, Selection
from convertro_cli.review.inspect.profile import Lack
from convertro_cli.review.inspect.report import InspectReport
from tests.mapping.messages import cloud_message, make_rules, web_message
from tests.mapping.strategies import MESSAGES, OBJECTS
from tests.review.inspect.looking import SHOP_RULES, as_line, batches_of, order, report_of, track

Json = dict[str, Any]

ANY_RULES = st.sampled_from(
    [
        SHOP_RULES,
        make_rules(mapping={"unmapped_events": "send", "require_order_id": False}),
        make_rules(mapping={"mode": "cloud"}, events={"X": "é" * 700}),
        make_rules(selection=Selection(since=1.7e9, events=frozenset({"order completed"}))),
        None,
    ]
)
WRECKS = [b"", b" \t", b"[]", b"{", b"\xff", b"3", b'{"a":1}']
LINES = st.lists(
    MESSAGES.map(orjson.dumps) | OBJECTS.map(orjson.dumps) | st.sampled_from(WRECKS), max_size=12
)


@settings(max_examples=50)
@given(LINES, ANY_RULES, st.sets(st.integers(1, 12)))
def test_any_split_into_batches_gives_the_same(
    lines: list[bytes], rules: Rules | None, cuts: set[int]
) -> None:
    """Where a batch ends changes nothing, so neither does the number of workers."""
    assert report_of(*lines, rules=rules, cuts=cuts) == report_of(*lines, rules=rules)


@settings(max_examples=50)
@given(LINES, ANY_RULES)
def test_the_counts_add_up(lines: list[bytes], rules: Rules | None) -> None:
    """Every message read is in exactly one place of each list."""
    report = report_of(*lines, rules=rules, top=2)
    outcome = report.would_be_sent
    reasons = [outcome.skipped, outcome.invalid, outcome.failed]
    assert report.messages.read == sum(1 for line in lines if line.strip())
    assert report.messages.read == sum(report.messages[1:])
    assert report.messages.read == outcome.messages + sum(
        sum(counts.values()) for counts in reasons
    )
    assert sum(report.types.values()) == report.messages.described
    assert sum(count for *_, count in report.sources) == report.messages.described
    tracks = report.types.get("track", 0)
    assert sum(event.messages for event in report.events.every) == tracks
    assert sum(e.messages for e in report.events.top) + report.events.others.messages == tracks
    assert sum(report.modes.values()) == tracks + report.types.get("identify", 0)
    without_time = next((x.lacking for x in report.lacking if x.what == "readable time"), 0)
    by_day = report.time.by_day if report.time else {}
    assert sum(by_day.values()) == report.messages.described - without_time
    for total in report.by_event_type.values():
        by_month = add_up(Sum(*worth) for worth in total.by_month.values())
        assert by_month == Sum(total.calls, total.value)


@settings(max_examples=50)
@given(LINES, ANY_RULES.filter(bool))
def test_it_agrees_with_the_dry_run(lines: list[bytes], rules: Rules) -> None:
    """What would be sent, what not and why, and each event type's calls and value are the same."""
    (batch,) = batches_of(lines)
    dry = DryRunJob(rules)(batch)
    report = report_of(*lines, rules=rules)
    outcome = report.would_be_sent
    assert outcome.messages == dry.messages
    assert outcome.skipped == dict(dry.skipped)
    assert sum(outcome.invalid.values()) == len(dry.invalid)
    assert sum(outcome.failed.values()) == dry.failed_messages
    assert sum(outcome.calls.values()) == dry.calls + dry.failed_calls
    assert {name: total.calls for name, total in report.by_event_type.items()} == {
        name[:200] + ("…" if len(name) > 200 else ""): total.count
        for name, total in dry.totals.items()
    }
    assert {name: warning.count for name, warning in report.warnings.items()} == dict(dry.warnings)


def lacks_of(*messages: object, rules: Rules | None = None) -> dict[tuple[str, str], str]:
    """What messages lack, as ``lacking/of`` by what and among which."""
    lacks: tuple[Lack, ...] = report_of(*messages, rules=rules).lacking
    return {(lack.what, lack.among): f"{lack.lacking}/{lack.of}" for lack in lacks}


@pytest.mark.parametrize(
    ("what", "among", "lacking", "having"),
    [
        ("user id", "identifies", web_message("identify", userId=" "), web_message("identify")),
        ("user id", "tracks", track(userId=None), track(userId=7)),
        (
            "device id",
            "from apps and servers",
            cloud_message("track", event="X", context={}),
            cloud_message("track", event="X"),
        ),
        ("event name", "tracks", track(" "), track("X")),
        ("order id", "orders", order(properties={"total": 1}), order()),
        ("readable amount", "orders", order("free"), order("$1,200.50")),
        ("readable amount", "other tracks", track(), track(properties={"Revenue": 0})),
        (
            "readable amount",
            "tracks that have an amount",
            track(properties={"total": "free"}),
            track(properties={"total": "free", "revenue": 2}),
        ),
        (
            "message id",
            "messages",
            {"type": "page", "messageId": {}},
            {"type": "page", "messageId": 5},
        ),
        ("readable time", "messages", {"type": "page"}, {"type": "page", "sentAt": "2024-03-01"}),
    ],
)
def test_what_a_message_lacks(what: str, among: str, lacking: Any, having: Any) -> None:
    """Each kind of lack is counted among the messages where it is looked for, and only there."""
    assert lacks_of(lacking, having)[what, among] == "1/2"
    assert lacks_of(having)[what, among] == "0/1"


LONG_IDS = {
    "the device": {"channel": "web", "context": {"device": {"id": "@"}}},
    "a device that Engage names": {
        "channel": "web",
        "context": {"device": {"id": "@"}, "personas": {"computation_key": "k"}},
    },
    "the user": {"userId": "@"},
    "the visitor": {"anonymousId": "@"},
    "the order": {"properties": {"order_id": "@"}},
    "the message": {"messageId": "@"},
    "the time": {"timestamp": "@", "receivedAt": "2024-03-01"},
    "the library": {"context": {"library": "@"}, "channel": "@"},
}


@pytest.mark.parametrize("fields", LONG_IDS.values(), ids=LONG_IDS)
@pytest.mark.parametrize(
    "rules",
    [None, *(make_rules(mapping={"mode": mode}) for mode in ("auto", "web", "cloud"))],
    ids=["without settings", "auto", "web", "cloud"],
)
def test_a_number_of_many_digits_is_no_trouble(fields: Json, rules: Rules | None) -> None:
    """Whether or not the mapping asked for its digits, it is there."""
    messages = [track(**fields), track("Unlisted", **fields), order(**fields), web_message("page")]
    lines = [as_line(message).replace(b'"@"', b"1234567890123456789012") for message in messages]
    assert report_of(*lines, rules=rules).messages.described == len(messages)


def test_what_cannot_be_lacking_is_not_listed() -> None:
    """Without orders there is no word on their ids."""
    assert ("order id", "orders") not in lacks_of(track())
    assert lacks_of() == {}


def test_messages_are_counted_by_type_source_and_mode() -> None:
    """Types in any case, library and channel as they are, modes for what can be sent."""
    report = report_of(
        track(channel="client"),
        track() | {"type": "TRACK", "channel": " ", "context": {"library": {"name": 5}}},
        cloud_message("identify", channel="mobile"),
        {"type": "page"},
    )
    assert report.types == {"track": 2, "identify": 1, "page": 1}
    assert report.modes == {"cloud": 2, "web": 1}
    assert set(report.sources) == {
        ("analytics.js", "client", 1),
        ("analytics-ios", "mobile", 1),
        (None, None, 2),
    }


def test_event_names_that_normalise_alike_are_one() -> None:
    """The most frequent spelling stands for all of them, with their counts and amounts."""
    paid = {"properties": {"revenue": 0.1}}
    report = report_of(
        track("signed_up", **paid),
        track("Signed Up", **paid),
        track("Signed Up", properties={"total": "0.1 €"}),
        track("SignedUp2"),
    )
    first, second = report.events.every
    assert (first.name, first.spellings) == ("Signed Up", ("Signed Up", "signed_up"))
    assert (first.messages, first.with_amount, first.value_found) == (3, 3, Decimal("0.3"))
    assert (second.name, second.with_amount) == ("SignedUp2", 0)


@pytest.mark.parametrize(
    ("event", "kind", "targets", "sent"),
    [
        ("Order Completed", "order", (), 1),
        ("Application Installed", "install", (), 0),
        ("signedUp", "mapped", ("signup", "lead"), 1),
        ("Product Viewed", "unmapped", (), 0),
        (None, "unnamed", (), 0),
    ],
)
def test_what_an_event_becomes(
    event: str | None, kind: str, targets: tuple[str, ...], sent: int
) -> None:
    """Orders, installs and mapped names are told apart from those that need an entry."""
    (total,) = report_of(order() | {"event": event}, rules=SHOP_RULES).events.every
    assert (total.kind, total.targets, total.would_be_sent) == (kind, targets, sent)


def test_value_found_and_value_sent_are_two() -> None:
    """What is not sent is found all the same; what is sent is what the calls are sent with."""
    rules = make_rules(
        events={"Signed Up": ["signup", "lead"]}, convertro={"hybrid_attribution_model": True}
    )
    bought = {"order_id": "o1", "total": 50, "repeat": True}
    report = report_of(
        order(10),
        track("Order Completed", properties=bought),
        track("Order Completed", properties={"total": 400}),
        order(7, integrations={"Convertro": False}),
        track("Signed Up"),
        track("Nothing", properties={"total": 9}),
        rules=rules,
    )
    found = {total.name: total for total in report.events.every}
    orders = found["Order Completed"]
    assert (orders.messages, orders.value_found) == (4, Decimal(467))
    assert (orders.would_be_sent, orders.value_sent) == (2, Decimal(10 + 2 * 50))
    assert [found["Signed Up"].value_found, found["Signed Up"].value_sent] == [
        Decimal(0),
        Decimal(2),
    ]
    assert [found["Nothing"].value_found, found["Nothing"].value_sent] == [Decimal(9), Decimal(0)]
    by_type = sum(total.value for total in report.by_event_type.values())
    assert by_type == sum(total.value_sent for total in report.events.every)


def test_value_by_type_and_month_is_exact() -> None:
    """Months are those of the event in UTC; a call without an amount counts as 1."""
    report = report_of(
        order(0.1, timestamp="2024-03-31T23:59:59Z"),
        order(0.2, timestamp="2024-03-31T12:00:00Z"),
        order(0.7, timestamp="2024-03-31T23:59:59-01:00"),
        track(timestamp="2024-03-05"),
        rules=SHOP_RULES,
    )
    assert {name: dict(total.by_month) for name, total in report.by_event_type.items()} == {
        "sale": {"2024-03": (2, Decimal("0.3")), "2024-04": (1, Decimal("0.7"))},
        "signup": {"2024-03": (1, Decimal(1))},
        "lead": {"2024-03": (1, Decimal(1))},
    }


@pytest.mark.parametrize(
    ("properties", "value"),
    [
        ({"total": 10, "revenue": 5}, 10),
        ({"revenue": 5, "total": 10}, 10),
        ({"total": "free", "revenue": 5}, 5),
        ({"total": 0, "revenue": 5}, 0),
    ],
)
def test_the_value_of_an_event_is_its_total_else_its_revenue(
    properties: dict[str, Any], value: int
) -> None:
    """Whichever comes first in the object; 0 is an amount."""
    (event,) = report_of(track(properties=properties)).events.every
    assert (event.with_amount, event.value_found) == (1, Decimal(value))


def test_a_line_with_two_warnings_is_one_place() -> None:
    """They are two, but there is one line to look at."""
    report = report_of(web_message("identify", traits={"a b": 1, "c d": 2}), rules=SHOP_RULES)
    assert [(warning.count, len(warning.places)) for warning in report.warnings.values()] == [
        (2, 1)
    ]


def test_a_url_that_is_too_long_is_a_failure_with_its_place() -> None:
    """As in a dry run: the message counts as failed, and none of it as sent."""
    report = report_of(
        track(context={"page": {"url": "x" * 9000}, "library": {"name": "analytics.js"}}),
        web_message("identify", traits={"a": "y" * 8000}),
        rules=SHOP_RULES,
    )
    assert report.would_be_sent.failed == {"request_too_long": 2}
    assert report.would_be_sent.messages == 0
    assert report.would_be_sent.calls == {"failed": 3}
    assert report.invalid["request_too_long"].places == (
        ("export.ndjson:1", ""),
        ("export.ndjson:2", ""),
    )


def test_places_of_invalid_lines_and_warnings() -> None:
    """A few places of each reason are kept over all batches, with what is wrong there."""
    lines = [b"{"] * 8 + [b"[]"] + [b"{"] * 8 + [order("free")]
    report = report_of(*lines, rules=SHOP_RULES, cuts={3, 9})
    assert [(name, fault.count) for name, fault in report.invalid.items()] == [
        ("invalid_json", 16),
        ("not_an_object", 1),
    ]
    places = [place for place, _ in report.invalid["invalid_json"].places]
    numbers = [*range(1, 9), 10, 11]
    assert places == [f"export.ndjson:{number}" for number in numbers]
    assert "unexpected end of data" in report.invalid["invalid_json"].places[0][1]
    assert report.warnings["unreadable_amount"].places == (("export.ndjson:18", ""),)


def test_places_of_what_is_held_and_of_what_is_sent_lie_apart() -> None:
    """One name may stand for an amount that is held back, and for one that another replaces."""
    lines = [track(properties={"total": "free"}), track(properties={"total": "free", "revenue": 1})]
    report = report_of(*lines, rules=make_rules(mapping={"unmapped_events": "send"}))
    for found, place in ((report.invalid, "export.ndjson:1"), (report.warnings, "export.ndjson:2")):
        places = {name: [where for where, _ in each.places] for name, each in found.items()}
        assert places == {"unreadable_amount": [place]}


def test_an_event_out_of_a_dead_letter_file_counts_as_itself() -> None:
    """The wrapping is taken off, as a replay does it."""
    letter = wrap(as_line(order()), reason="http_400", detail="", source="e:1", at="now").strip()
    report = report_of(letter, rules=SHOP_RULES)
    assert report.events.every[0].name == "Order Completed"
    assert report.would_be_sent.messages == 1


FILTERED = make_rules(
    events={"Signed Up": "signup"},
    selection=Selection(
        since=1709251200, types=frozenset({"track"}), events=frozenset({"signed up"})
    ),
)


def test_filters_leave_out_what_they_say() -> None:
    """Only the selected messages are described; the outcome is still a replay's."""
    report = report_of(
        track("signedUp"),
        track("Other"),
        track("signed_up", timestamp="2024-02-01"),
        track("signed_up", integrations={"All": False}),
        track("signed_up", integrations={"All": False}, timestamp="2024-02-01"),
        track("signed_up", timestamp=None),
        {"type": "page", "timestamp": "2024-03-02"},
        b"{",
        rules=FILTERED,
    )
    assert (
        report.messages.read,
        report.messages.described,
        report.messages.unreadable,
        report.messages.left_out,
    ) == (8, 3, 1, 4)
    assert report.types == {"track": 3}
    assert report.would_be_sent.skipped == {
        "disabled_by_integrations": 2,
        "filtered_out": 2,
        "unsupported_type": 1,
    }


def test_repeated_ids_are_counted_over_all_batches() -> None:
    """Whatever the type; messages without an id are none of them."""
    messages = [track(messageId="m1"), {"type": "page", "messageId": "m1"}, track(messageId=None)]
    report = report_of(*messages, *messages, rules=SHOP_RULES, cuts={1, 2, 3, 4, 5})
    assert report.repeated_message_ids[:2] == (3, False)


def test_without_settings_nothing_is_held_back_but_what_no_settings_would_send() -> None:
    """Unmapped events and orders without an id could be sent; a page, or no user id, could not."""
    report: InspectReport = report_of(
        track("Anything"),
        order(properties={}),
        cloud_message("track", event="Other"),
        web_message("identify", userId=None),
        {"type": "page"},
    )
    assert report.would_be_sent.messages == 3
    assert report.would_be_sent.skipped == {"missing_user_id": 1, "unsupported_type": 1}
    assert report.by_event_type == {}


def test_endless_names_are_bounded() -> None:
    """A name as long as a line is cut, and never suggested or taken for another."""
    long = "x" * 5000
    report = report_of(
        track(long), track(long + "y"), {"type": long, "channel": long}, rules=SHOP_RULES
    )
    assert [len(event.spellings[0]) for event in report.events.every] == [201]
    assert {len(name) for name in report.types} == {5, 201}
    assert {len(one.channel or "") for one in report.sources} == {0, 201}
