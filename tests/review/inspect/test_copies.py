"""What came before: it is counted apart, and not among what would be sent."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.amounts import Sum
from convertro_cli.errors import ExitCode
from convertro_cli.mapping.rules import Rules
from convertro_cli.review.inspect.as_json import describe
from convertro_cli.review.inspect.build import build_report
from convertro_cli.review.inspect.copies import Copies
from convertro_cli.review.inspect.findings import Findings
from convertro_cli.review.inspect.job import InspectJob, rules_without_settings
from convertro_cli.review.inspect.report import InspectReport, ReadingFacts
from tests.mapping.messages import make_rules
from tests.review.inspect.looking import Message, as_line, batches_of, order, track

RULES = make_rules(events={"Signed Up": "signup"})
ONCE = make_rules(mapping={"repeated_orders": "skip"})
FACTS = ReadingFacts("convertro.toml", False, {}, 0, 0.0, False, ExitCode.OK)


def report_of(
    *messages: Message, rules: Rules = RULES, cuts: tuple[int, ...] = ()
) -> InspectReport:
    """Inspect messages as a run does."""
    found, copies = Findings(), Copies(rules)
    job = InspectJob(rules)
    for batch in batches_of([as_line(message) for message in messages], cuts):
        result = job(batch)
        copies.look_at(batch, result)
        found.add(result.found)
    return build_report(found, rules, FACTS, top=25, before=copies.sums)


def sale(order_id: str, total: float, **fields: object) -> Message:
    return order(**{"properties": {"order_id": order_id, "total": total}, **fields})


def test_a_copy_is_delivered_already() -> None:
    """In the same batch or a later one; its value counts once, and stands among the copies."""
    messages = [sale("o1", 10), track(messageId="m2"), sale("o1", 10)]
    for cuts in ((), (2,)):
        report = report_of(*messages, cuts=cuts)
        assert (report.outcome.sent, report.outcome.already_delivered) == (2, 1)
        assert report.outcome.calls == {"event": 2}
        assert {total.event_type: total.value for total in report.by_type} == {
            "sale": Decimal(10),
            "signup": Decimal(1),
        }
        assert report.came_before.copies == Sum(1, Decimal(10))
        assert [(event.name, event.sent) for event in report.events] == [
            ("Order Completed", 1),
            ("Signed Up", 1),
        ]


def test_messages_that_share_an_id_are_all_sent() -> None:
    """Each further one is a warning with its place, and its value is told."""
    report = report_of(sale("o1", 100), sale("o2", 200), sale("o3", 300))
    assert report.outcome.sent == 3
    assert report.came_before.shared_ids == Sum(2, Decimal(500))
    (warning,) = report.warnings
    assert (warning.reason, warning.count) == ("shared_message_id", 2)
    assert [place for place, _ in warning.places] == ["export.ndjson:2", "export.ndjson:3"]


def test_repeated_orders_are_counted_whether_they_are_sent_or_not() -> None:
    """How many there are is what one must know to decide."""
    messages = [sale("o1", 100), sale("o1", 70, messageId="m2"), sale("o2", 5, messageId="m3")]
    sent, skipped = report_of(*messages), report_of(*messages, rules=ONCE)
    assert sent.came_before.repeated_orders == Sum(1, Decimal(70))
    assert skipped.came_before.repeated_orders == Sum(1, Decimal(70))
    assert (sent.outcome.sent, skipped.outcome.sent) == (3, 2)
    assert skipped.outcome.skipped == {"repeated_order": 1}
    assert describe(sent)["repeated_orders"] == {"calls": 1, "value": 70.0}


def test_without_settings_copies_are_told_too() -> None:
    """Whatever the settings will be, a copy will not be sent again."""
    report = report_of(sale("o1", 10), sale("o1", 10), rules=rules_without_settings())
    assert (report.outcome.sent, report.outcome.already_delivered) == (1, 1)


MESSAGES = st.builds(
    sale,
    st.sampled_from(["o1", "o2", "o" * 9000]),
    st.sampled_from([1, 0.1, 1e300]),
    messageId=st.sampled_from(["m1", "m2", None]),
) | st.builds(track, messageId=st.sampled_from(["m1", "m2"]))


@settings(max_examples=40, deadline=None)
@given(st.lists(MESSAGES, max_size=8), st.sampled_from([RULES, ONCE]), st.sets(st.integers(1, 7)))
def test_the_counts_add_up(messages: list[Message], rules: Rules, cuts: set[int]) -> None:
    """Every message is counted once, and what is sent does not depend on the batches."""
    report = report_of(*messages, rules=rules, cuts=tuple(cuts))
    outcome = report.outcome
    assert len(messages) == (
        outcome.sent
        + outcome.already_delivered
        + outcome.already_failed
        + sum(outcome.skipped.values())
        + sum(outcome.failed.values())
    )
    assert sum(event.sent for event in report.events) == outcome.sent
    whole = report_of(*messages, rules=rules)
    assert (whole.outcome, whole.by_type, whole.came_before) == (
        outcome,
        report.by_type,
        report.came_before,
    )


def test_the_value_sent_of_an_event_leaves_copies_out() -> None:
    """It is that of the calls by event type, of which a copy is none; value found has both."""
    report = report_of(sale("o1", 100), sale("o1", 100), sale("o2", 0.3, messageId="m2"))
    (event,) = report.events
    assert (event.messages, event.sent) == (3, 2)
    assert (event.value, event.sent_value) == (Decimal("200.3"), Decimal("100.3"))
    assert sum(total.value for total in report.by_type) == event.sent_value
