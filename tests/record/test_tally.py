"""The counts of a run."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.record.tally import Fate, Tally


def test_an_empty_summary_has_every_count() -> None:
    """Counts that are zero are there all the same, so that a script can rely on them."""
    assert Tally().summary() == {
        "messages": {
            "read": 0,
            "delivered": 0,
            "already_delivered": 0,
            "already_failed": 0,
            "skipped": 0,
            "invalid": 0,
            "failed": 0,
        },
        "calls": {
            "delivered": 0,
            "already_delivered": 0,
            "already_failed": 0,
            "failed": 0,
            "possibly_repeated": 0,
            "in_doubt": 0,
            "attempts": 0,
        },
        "skipped": {},
        "invalid": {},
        "failed": {},
        "warnings": {},
        "kept_back": {},
        "by_event_type": {},
        "files": {"read": 0, "skipped": 0, "damaged": 0},
        "bytes_read": 0,
    }


def test_the_worst_fate_is_the_greatest() -> None:
    """A message has the worst fate of its calls: failed, then doubt, then delivered."""
    assert sorted(Fate) == [
        Fate.REPEATED_ORDER,
        Fate.ALREADY_DELIVERED,
        Fate.DELIVERED,
        Fate.IN_DOUBT,
        Fate.ALREADY_FAILED,
        Fate.FAILED,
    ]


@given(
    st.lists(st.sampled_from(Fate)),
    st.dictionaries(st.sampled_from(["unsupported_type", "filtered_out"]), st.integers(1, 9)),
    st.lists(st.sampled_from(["invalid_json", "missing_type"])),
)
def test_messages_add_up(fates: list[Fate], skipped: dict[str, int], invalid: list[str]) -> None:
    """What was read is the sum of all the outcomes, and of their reasons."""
    tally = Tally()
    for fate in fates:
        tally.settle_message(fate, "http_400" if fate is Fate.FAILED else None)
    tally.note_batch(Counter(skipped), Counter(), "a.ndjson:{}".format, {})
    for number, reason in enumerate(invalid):
        tally.reject(reason, f"a.ndjson:{number}")

    summary = tally.summary()
    outcomes = dict(summary["messages"])
    read = outcomes.pop("read")
    assert read == sum(outcomes.values()) == tally.read
    assert read == len(fates) + sum(skipped.values()) + len(invalid)
    for kind in ("skipped", "invalid", "failed"):
        assert sum(summary[kind].values()) == outcomes[kind]


def test_a_message_left_in_doubt_is_skipped_for_that_reason() -> None:
    """``--at-most-once`` skips a message by name, so that nothing is unaccounted for."""
    tally = Tally()
    tally.settle_message(Fate.IN_DOUBT)

    assert tally.summary()["skipped"] == {"in_doubt": 1}


@given(st.lists(st.decimals(-10_000, 10_000, places=2), max_size=50))
def test_values_are_summed_to_the_last_digit(values: list[Decimal]) -> None:
    """A million sales of 0.10 are 100,000.00, not a bit more or less."""
    tally = Tally()
    for value in values:
        tally.deliver("sale", str(value))

    assert tally.calls["delivered"] == len(values)
    if values:
        assert tally.by_event_type["sale"].value == sum(values)
        assert tally.summary()["by_event_type"]["sale"] == {
            "calls": len(values),
            "value": float(sum(values)),
        }


def test_calls_that_are_no_events_have_no_type() -> None:
    """A user call is delivered, and stands in no row of event types."""
    tally = Tally()
    tally.deliver("", "")

    assert tally.calls["delivered"] == 1
    assert tally.summary()["by_event_type"] == {}


def test_reasons_are_sorted_by_how_often_they_came() -> None:
    """The first reason in the summary is the one that matters most."""
    tally = Tally()
    for reason in ("b", "a", "a", "c", "c", "c"):
        tally.reject(reason, "x:1")

    assert list(tally.summary()["invalid"]) == ["c", "a", "b"]


def test_the_first_places_of_each_kind_are_kept() -> None:
    """A few places are named for each kind of fault, and no more, however many there are."""
    tally = Tally()
    for number in range(1000):
        tally.reject("invalid_json", f"a.ndjson:{number}")
    tally.note_batch(Counter(), Counter(bad=2), "b.ndjson:{}".format, {"bad": [4, 9]})

    assert tally.places["invalid_json"] == [f"a.ndjson:{number}" for number in range(5)]
    assert tally.warning_places["bad"] == ["b.ndjson:4", "b.ndjson:9"]


def test_places_of_what_is_sent_and_of_what_is_held_lie_apart() -> None:
    """One name may stand for both: an amount that is held back, and one that is sent as 1."""
    tally = Tally()
    tally.reject("unreadable_amount", "a.ndjson:1")
    places = {"unreadable_amount": [2]}
    tally.note_batch(Counter(), Counter(unreadable_amount=1), "a.ndjson:{}".format, places)

    assert tally.places == {"unreadable_amount": ["a.ndjson:1"]}
    assert tally.warning_places == {"unreadable_amount": ["a.ndjson:2"]}
