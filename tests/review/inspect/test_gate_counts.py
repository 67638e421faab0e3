"""What the gates see is counted: marks of delivery by month, consent, and what is kept back."""

from __future__ import annotations

from decimal import Decimal

from convertro_cli.mapping.rules import Rules
from convertro_cli.review.inspect import tables
from convertro_cli.review.inspect.parts import Kept
from convertro_cli.review.inspect.report import InspectReport
from convertro_cli.review.report.document import Cell
from tests.mapping.messages import make_rules
from tests.review.inspect.looking import Message, as_read, order
from tests.review.inspect.test_copies import report_of, sale

ASKING = make_rules(consent={"categories": ["Advertising"]})
DELIVERED = {"bundled": ["Convertro"]}
FAILED = {"bundled": ["Convertro"], "failedInitializations": ["Convertro"]}


def consenting(**categories: object) -> Message:
    """An order whose user was asked."""
    message = order()
    consent = {"categoryPreferences": categories}
    return {**message, "context": {**message["context"], "consent": consent}}


def inspected(*messages: Message, rules: Rules | None = None) -> InspectReport:
    return report_of(*messages, rules=rules or make_rules())


def test_web_messages_are_counted_by_mark_and_month() -> None:
    """Each mark of analytics.js stands under the month in which its message happened."""
    april = {"timestamp": "2024-04-30T23:59:59Z"}
    report = inspected(
        order(_metadata=DELIVERED, **april),
        order(_metadata=FAILED, **april),
        order(_metadata={"bundled": []}, **april),
        order(timestamp="2024-05-01T00:00:00Z"),
        order(timestamp="2024-05-01T00:00:00Z"),
        order(context={"device": {"id": "d"}}, channel="mobile"),
    )
    assert report.web_messages == (
        {"month": "2024-04", "delivered": 1, "failed": 1, "not loaded": 1},
        {"month": "2024-05", "unmarked": 2},
    )
    assert [list(row) for row in tables.marks(report).rows] == [
        ["2024-04", "1", "1", "1", "–"],
        ["2024-05", "–", "–", "–", "2"],
    ]
    assert as_read(report)["web_messages"][1] == {"month": "2024-05", "unmarked": 2}


def test_consent_is_counted_by_category_with_a_hint_where_nobody_asks() -> None:
    """How many give and refuse each category, and that it is not looked at."""
    messages = [
        consenting(Advertising=True, Analytics=False),
        consenting(Advertising=False),
        consenting(Advertising="true"),
        order(),
    ]
    report = inspected(*messages)
    consent = report.consent
    assert (consent.carrying, consent.of) == (3, 4)
    assert consent.categories == {"Advertising": (1, 2), "Analytics": (0, 1)}
    assert "[consent]" in tables.consent(report).note
    assert "hint" in as_read(report)["consent"]
    asking = inspected(*messages, rules=ASKING)
    assert asking.consent.hint == ""
    assert "hint" not in as_read(asking)["consent"]
    assert inspected(order()).consent.hint == ""


def test_what_is_kept_back_is_counted_with_its_worth() -> None:
    """By reason and by the title of a filter, as in the summary of a replay."""
    rules = make_rules(
        filters=[
            {"title": "Big ones", "if": "properties.total > 40", "actions": [{"type": "DROP"}]}
        ]
    )
    report = inspected(
        sale("a", 50.5),
        sale("b", 41),
        sale("c", 7) | {"integrations": {"All": False}},
        order(properties={"order_id": "d", "total": "N/A"}),
        rules=rules,
    )
    assert report.kept_back == (
        Kept(reason="dropped_by_filter", title="Big ones", messages=2, value=Decimal("91.5")),
        Kept(reason="disabled_by_integrations", messages=1, value=Decimal(7)),
        Kept(reason="unreadable_amount", messages=1, value=Decimal(0)),
    )
    assert list(tables.kept_back(report).rows[0]) == [
        *("dropped_by_filter", Cell("Big ones", "code"), "2", "91.50"),
    ]
    assert as_read(report)["kept_back"][0]["title"] == "Big ones"


def test_what_came_before_is_a_table_with_the_value_at_stake() -> None:
    """Copies and repeated orders, each with its number and worth; nothing where there is none."""
    rows = tables.came_before(inspected(sale("a", 5), sale("a", 5, messageId="m2"))).rows
    assert [row[:3] for row in rows] == [("repeated orders", "1", "5.00")]
    assert not tables.came_before(inspected(sale("a", 5))).rows
