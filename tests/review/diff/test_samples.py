"""Samples: a few of each kind of change, the first ones, and never too much of an event."""

from __future__ import annotations

import pickle
from typing import Any

import orjson
import pytest

from convertro_cli.review.diff.compare import Wanted
from convertro_cli.review.diff.samples import MOST_KINDS, ChangeKind, ChangeSample, Groups
from tests.mapping.messages import make_rules, web_message
from tests.review.diff.comparing import compare


def sample(number: int) -> ChangeSample:
    """A sample that can be told from others."""
    return ChangeSample(f"e.ndjson:{number}", None, None, None, {"call": "install"})


def test_the_first_of_each_kind_are_kept_and_all_are_counted() -> None:
    """Over all parts of an export: the first samples in its order, and the number of all."""
    total = Groups(3)
    for part in range(4):
        groups = Groups(3)
        for number in range(part * 2, part * 2 + 2):
            groups.note(ChangeKind("added", "event", "sale"), lambda n=number: sample(n))  # type: ignore[misc]
        total.add(groups)
    (group,) = total.kinds.values()
    assert group.count == 8
    assert [one.source for one in group.samples] == ["e.ndjson:0", "e.ndjson:1", "e.ndjson:2"]


@pytest.mark.parametrize("wanted", [1, 2, 3, 7])
def test_samples_are_collected_over_batches(wanted: int) -> None:
    """One in each batch gives as many as are wanted, and they are the first of the export."""
    page, order = web_message("page"), web_message("track", event="Signed Up")
    lines = [orjson.dumps(message) for message in (page, order, page) * 10]
    tally, _ = compare(
        lines, make_rules(), make_rules(events={"Signed Up": "signup"}), Wanted(wanted)
    )
    (group,) = tally.groups.kinds.values()
    assert group.count == 10
    assert [one.source for one in group.samples] == [
        f"e.ndjson:{3 * number + 2}" for number in range(wanted)
    ]


def test_endless_kinds_do_not_fill_the_memory() -> None:
    """Of each change a bounded number of kinds has samples."""
    total = Groups(1)
    for number in range(MOST_KINDS * 3):
        part = Groups(1)
        part.note(ChangeKind("added", "event", f"type {number}"), lambda: sample(1))
        part.note(ChangeKind("removed", "event", f"type {number}"), lambda: sample(1))
        total.add(part)
    assert len(total.kinds) == 2 * MOST_KINDS


def test_no_samples_are_made_if_none_are_wanted() -> None:
    """With ``--samples 0`` changes are counted and nothing of an event is kept."""
    groups = Groups(0)
    groups.note(ChangeKind("added", "event", "sale"), lambda: sample(1))
    (group,) = groups.kinds.values()
    assert (group.count, group.samples) == (1, [])


def test_a_huge_event_leaves_a_small_sample() -> None:
    """Long texts, many traits and long names are cut, so that samples stay small."""
    traits: dict[str, Any] = {f"t{number}": "x" * 200 for number in range(4000)}
    traits |= {"y" * 5000: "long name", "z": ["deep" * 5000]}
    message = web_message("identify", messageId="m" * 100_000, traits=traits)
    name = "event " * 10_000
    track = web_message("track", event=name)
    tally, _ = compare(
        [orjson.dumps(message), orjson.dumps(track)],
        make_rules(mapping={"traits": "none"}),
        make_rules(mapping={"unmapped_events": "send"}),
        Wanted(samples=3),
    )
    assert {kind.change for kind in tally.groups.kinds} == {"added", "changed"}
    assert len(pickle.dumps(tally)) < 50_000
    (changed,) = (group for kind, group in tally.groups.kinds.items() if kind.change == "changed")
    assert changed.samples[0].after is not None
    assert changed.samples[0].after["traits"]["…"] == "3,952 more"


def test_why_a_message_was_not_sent_makes_a_kind() -> None:
    """Calls are added to messages sent before, or to such that were not, and that is told."""
    orders = [
        web_message("track", event="Order Completed", properties={"id": "1", "repeat": True}),
        web_message("track", event="Order Completed", properties={"repeat": True}),
    ]
    tally, _ = compare(
        [orjson.dumps(order) for order in orders],
        make_rules(),
        make_rules(
            convertro={"hybrid_attribution_model": True}, mapping={"require_order_id": False}
        ),
    )
    assert [
        (kind.event_type, kind.was, group.count) for kind, group in tally.groups.kinds.items()
    ] == [
        ("sale", None, 1),
        ("sale.repeat", "missing_order_id", 1),
        ("sale", "missing_order_id", 1),
    ]
