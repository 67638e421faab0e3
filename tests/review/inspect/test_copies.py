"""What came before: it is counted apart, and not among what would be sent."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.errors import ExitCode
from convertro_cli.mapping.rules import Rules
from convertro_cli.review.inspect.copies import Copies
from convertro_cli.review.inspect.findings import Findings
from convertro_cli.review.inspect.job import InspectJob, rules_without_settings
from convertro_cli.review.inspect.report import InspectReport, ReadingFacts, build_report
from tests.mapping.messages import make_rules
from tests.review.inspect.looking import Message, as_line, as_read, batches_of, order, track

RULES = make_rules(events={"Signed Up": "signup"})
ONCE = make_rules(mapping={"repeated_orders": "skip"})
FACTS = ReadingFacts(
    settings="convertro.toml",
    filtered=False,
    files={},
    unread={},
    bytes_read=0,
    elapsed_s=0.0,
    interrupted=False,
    exit_code=ExitCode.OK,
)


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
        assert (report.would_be_sent.messages, report.would_be_sent.already_delivered) == (2, 1)
        assert report.would_be_sent.calls == {"event": 2}
        assert {name: total.value for name, total in report.by_event_type.items()} == {
            "sale": Decimal(10),
            "signup": Decimal(1),
        }
        assert report.copies == (1, Decimal(10))
        assert [(event.name, event.would_be_sent) for event in report.events.every] == [
            ("Order Completed", 1),
            ("Signed Up", 1),
        ]


def test_messages_that_share_an_id_are_all_sent() -> None:
    """Each further one is a warning with its place, and its value is told."""
    report = report_of(sale("o1", 100), sale("o2", 200), sale("o3", 300))
    assert report.would_be_sent.messages == 3
    assert report.shared_message_ids == (2, Decimal(500))
    warning = report.warnings["shared_message_id"]
    assert (len(report.warnings), warning.count) == (1, 2)
    assert [place for place, _ in warning.places] == ["export.ndjson:2", "export.ndjson:3"]


def test_repeated_orders_are_counted_whether_they_are_sent_or_not() -> None:
    """How many there are is what one must know to decide."""
    messages = [sale("o1", 100), sale("o1", 70, messageId="m2"), sale("o2", 5, messageId="m3")]
    sent, skipped = report_of(*messages), report_of(*messages, rules=ONCE)
    assert sent.repeated_orders == (1, Decimal(70))
    assert skipped.repeated_orders == (1, Decimal(70))
    assert (sent.would_be_sent.messages, skipped.would_be_sent.messages) == (3, 2)
    assert skipped.would_be_sent.skipped == {"repeated_order": 1}
    assert as_read(sent)["repeated_orders"] == {"calls": 1, "value": 70.0}


def test_without_settings_copies_are_told_too() -> None:
    """Whatever the settings will be, a copy will not be sent again."""
    report = report_of(sale("o1", 10), sale("o1", 10), rules=rules_without_settings())
    assert (report.would_be_sent.messages, report.would_be_sent.already_delivered) == (1, 1)


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
    outcome = report.would_be_sent
    assert len(messages) == (
        outcome.messages
        + outcome.already_delivered
        + outcome.already_failed
        + sum(outcome.skipped.values())
        + sum(outcome.failed.values())
    )
    assert sum(event.would_be_sent for event in report.events.every) == outcome.messages
    whole = report_of(*messages, rules=rules)
    assert (whole.would_be_sent, whole.by_event_type, whole.copies) == (
        outcome,
        report.by_event_type,
        report.copies,
    )


def test_the_value_sent_of_an_event_leaves_copies_out() -> None:
    """It is that of the calls by event type, of which a copy is none; value found has both."""
    report = report_of(sale("o1", 100), sale("o1", 100), sale("o2", 0.3, messageId="m2"))
    (event,) = report.events.every
    assert (event.messages, event.would_be_sent) == (3, 2)
    assert (event.value_found, event.value_sent) == (Decimal("200.3"), Decimal("100.3"))
    assert sum(total.value for total in report.by_event_type.values()) == event.value_sent
