"""Calls that came before are no part of a comparison's counts, as they are not sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.dry_run import DryRunOptions, dry_run
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.sources import find_exports
from convertro_cli.review.diff.compare import Wanted
from convertro_cli.review.diff.report import DiffReport
from convertro_cli.review.diff.run import DiffOptions, Sides, compare
from convertro_cli.review.diff.saved import SavedRun
from convertro_cli.review.masking import Masking
from convertro_cli.run.progress import NobodyWatches
from tests.mapping.messages import TIME, Message, make_rules, web_message

OLD = make_rules(events={"Signed Up": "signup"})
NEW = make_rules(
    events={"Signed Up": ["signup", "lead"]}, convertro={"hybrid_attribution_model": True}
)
ONCE = make_rules(mapping={"repeated_orders": "skip"})


def order(order_id: str, total: float, repeat: bool | None = None, **fields: Any) -> Message:
    properties = {"order_id": order_id, "total": total, "repeat": repeat}
    return web_message("track", event="Order Completed", properties=properties, **fields)


def diff(path: Path, before: Rules, after: Rules, written: list[bytes] | None = None) -> DiffReport:
    return compare(
        find_exports([str(path)]),
        Sides("old.toml", before, "new.toml", after),
        options=DiffOptions(Wanted(written=Masking("full")), workers=1),
        watcher=NobodyWatches(),
        write=None if written is None else written.append,
    )


def totals(path: Path, rules: Rules) -> dict[str, Any]:
    """What a dry run sums up by event type."""
    report = dry_run(
        find_exports([str(path)]),
        rules,
        write=lambda _: None,
        options=DryRunOptions(workers=1),
        watcher=NobodyWatches(),
    )
    found: dict[str, Any] = report.as_json()["by_event_type"]
    return found


def side(report: DiffReport, name: str) -> dict[str, Any]:
    """What a comparison sums up by event type on one side."""
    rows = {event: getattr(row, name) for event, row in report.tally.by_event_type}
    return {
        event: {"calls": row.count, "value": float(row.value)}
        for event, row in rows.items()
        if row.count
    }


MESSAGES = st.builds(
    order,
    st.sampled_from(["o1", "o2", "o" * 9000]),
    st.sampled_from([1, 0.1]),
    st.sampled_from([True, False, None]),
    messageId=st.sampled_from(["m1", "m2", "m3", None]),
    timestamp=st.sampled_from([TIME, "2024-03-02T00:00:00Z"]),
) | st.builds(web_message, st.just("track"), event=st.just("Signed Up"))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(MESSAGES, max_size=8), st.sampled_from([OLD, NEW, ONCE]), st.sampled_from([OLD, NEW])
)
def test_the_counts_are_those_of_the_two_dry_runs(
    tmp_path_factory: Any, messages: list[Message], before: Rules, after: Rules
) -> None:
    """By event type, on both sides, whatever comes more than once in the export."""
    path = tmp_path_factory.mktemp("diff") / "export.ndjson"
    path.write_bytes(b"".join(orjson.dumps(message) + b"\n" for message in messages))
    written: list[bytes] = []
    report = diff(path, before, after, written)
    assert side(report, "before") == totals(path, before)
    assert side(report, "after") == totals(path, after)
    assert report.tally.messages.read == len(messages)
    assert not any(count < 0 for count in report.tally.calls.values())
    changes = b"".join(written).splitlines()
    counted = [report.tally.calls[name] for name in ("added", "removed", "changed")]
    of_calls = [orjson.loads(line)["change"] in {"added", "removed", "changed"} for line in changes]
    assert sum(of_calls) == sum(counted)
    if before is after:
        assert not report.tally.differs
        assert not report.tally.groups.kinds


def test_a_copy_is_no_second_change(tmp_path: Path) -> None:
    """An order that comes twice gains one call, and its copy is counted by why it is not sent."""
    path = tmp_path / "export.ndjson"
    path.write_bytes((orjson.dumps(order("o1", 10, True)) + b"\n") * 2)
    tally = diff(path, OLD, NEW).tally
    assert dict(tally.calls) == {"added": 1, "unchanged": 1}
    assert tally.messages.after.sent == 1
    assert dict(tally.messages.after.not_sent) == {"already_delivered": 1}
    (group,) = tally.groups.kinds.values()
    assert group.count == len(group.samples) == 1


def test_a_repeat_in_a_saved_dry_run_was_not_sent(tmp_path: Path) -> None:
    """Its line stands there, but the message is counted by why it was not sent."""
    path, saved = tmp_path / "export.ndjson", tmp_path / "saved.ndjson"
    path.write_bytes((orjson.dumps(order("o1", 10)) + b"\n") * 2)
    lines: list[bytes] = []
    dry_run(
        find_exports([str(path)]),
        OLD,
        write=lines.append,
        options=DryRunOptions(workers=1),
        watcher=NobodyWatches(),
    )
    saved.write_bytes(b"".join(lines))
    report = compare(
        find_exports([str(path)]),
        Sides("saved", SavedRun(saved), "new.toml", OLD),
        options=DiffOptions(Wanted(), workers=1),
        watcher=NobodyWatches(),
    )
    assert side(report, "before") == {"sale": {"calls": 1, "value": 10.0}}
    assert side(report, "after") == {"sale": {"calls": 1, "value": 10.0}}
    assert not report.tally.differs
