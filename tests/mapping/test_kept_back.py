"""What a gate kept back is counted with its value, whoever does the counting."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.amounts import Sum, add_up
from convertro_cli.mapping.dry_run import DryRunJob
from convertro_cli.mapping.jobs import ReplayJob
from convertro_cli.mapping.kept_back import KeptBack
from convertro_cli.mapping.message import MADE_BY_REPLAY
from convertro_cli.mapping.rules import Selection
from convertro_cli.reading.batch import LineBatch
from tests.mapping.gated import GATED
from tests.mapping.messages import Message, make_rules, web_message


def order(total: Any, **fields: Any) -> Message:
    """An order from a browser, with the consent that is asked for."""
    context = web_message("x")["context"] | {
        "consent": {"categoryPreferences": {"Advertising": True}}
    }
    properties = {"order_id": "o1", "total": total}
    return (
        web_message("track", event="Order Completed", properties=properties, context=context)
        | fields
    )


def batch_of(*messages: Message) -> LineBatch:
    """A batch of messages."""
    data = b"".join(orjson.dumps(message) + b"\n" for message in messages)
    return LineBatch(0, "export.ndjson", 1, data, len(data))


MESSAGES = [
    order(1),
    order("0.1 €", userId="suppressed"),
    order(0.2, userId="suppressed"),
    order(3, integrations={"All": False, "Amazon S3": True}),
    order(4, integrations={"Convertro": False}),
    order(5, userId="dropped"),
    order(6, userId="sampled"),
    order(7, userId="transformed"),
    order("N/A"),
    order(8, timestamp="2001-01-01T00:00:00Z"),
    {"type": "page"},
]
KEPT = {
    "suppressed_user": {"messages": 2, "value": 0.3},
    "disabled_by_integrations": {
        "messages": 2,
        "value": 7.0,
        "by_title": {MADE_BY_REPLAY: {"messages": 1, "value": 3.0}},
    },
    "dropped_by_filter": {
        "messages": 1,
        "value": 5.0,
        "by_title": {"No dropped": {"messages": 1, "value": 5.0}},
    },
    "sampled_out": {
        "messages": 1,
        "value": 6.0,
        "by_title": {"No sampled": {"messages": 1, "value": 6.0}},
    },
    "dropped_by_transformation": {
        "messages": 1,
        "value": 7.0,
        "by_title": {"No transformed": {"messages": 1, "value": 7.0}},
    },
    "unreadable_amount": {"messages": 1, "value": 0.0},
}


@pytest.mark.parametrize(
    "job",
    [
        ReplayJob(GATED),
        DryRunJob(GATED),
        DryRunJob(GATED, include_skipped=True),
        ReplayJob(GATED, limit=100),
    ],
    ids=["replay", "dry run", "dry run with skipped", "with a limit"],
)
def test_what_is_kept_back_is_counted_with_its_value(job: ReplayJob | DryRunJob) -> None:
    """To the last digit, by reason and by filter; a page, and what was not asked for, is not."""
    result = job(batch_of(*MESSAGES))
    assert result.kept_back.as_json() == KEPT
    assert result.mapped == 1


def test_whether_messages_carry_consent_is_noted() -> None:
    """It is said of those that are sent, and never unsaid again by others."""
    plain, with_consent = order(1) | {"context": {}, "channel": "web"}, order(1)
    job = ReplayJob(make_rules())
    assert not job(batch_of(plain)).carries_consent
    assert job(batch_of(plain, with_consent, plain)).carries_consent


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["no_consent", "dropped_by_filter"]),
            st.sampled_from(["", "a", "b"]),
            st.decimals(-1000, 1000, places=2).map(float) | st.integers(-1000, 1000),
        )
    ),
    st.integers(0, 20),
)
def test_parts_add_up_to_the_whole(kept: list[tuple[str, str, float]], cut: int) -> None:
    """However the messages are shared between batches, the sums are the same, and exact."""
    whole, first, second = KeptBack(), KeptBack(), KeptBack()
    for index, (reason, title, worth) in enumerate(kept):
        whole.note(reason, title, worth)
        (first if index < cut else second).note(reason, title, worth)
    first.add(second)
    assert first.totals == whole.totals
    total = Sum(len(kept), sum((Decimal(str(worth)) for _, _, worth in kept), Decimal(0)))
    assert add_up(whole.totals.values()) == total
    assert add_up(whole.by_reason().values()) == total


def test_a_limit_counts_what_was_asked_for_whatever_becomes_of_it() -> None:
    """A message that a gate keeps back uses the limit up if it is one of those, a page does not."""
    rules = make_rules(selection=Selection(events=frozenset({"order completed"})))
    held = order(5, integrations={"Convertro": False})
    other = web_message("track", event="Signed Up", integrations={"Convertro": False})
    messages = [{"type": "page"}, other, held, {"type": "record"}, order(1), order(2)]
    result = ReplayJob(rules, limit=2)(batch_of(*messages))
    assert (result.read, result.mapped, result.exhausted) == (5, 1, True)
