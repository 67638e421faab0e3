"""The changes are all the changes: put onto the old dry run they give the new one."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings

from convertro_cli.amounts import Sum
from convertro_cli.mapping.dead_letter import wrap
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.sources import find_exports
from convertro_cli.review.diff.run import DiffOptions, Sides
from convertro_cli.review.diff.run import compare as run_diff
from convertro_cli.review.diff.tally import DiffTally
from convertro_cli.run.progress import NobodyWatches
from tests.mapping.messages import make_rules, web_message
from tests.review.diff import comparing
from tests.review.diff.comparing import (
    WRITTEN,
    apply,
    compare,
    compare_saved,
    dry_run,
    each,
    lines_of,
)


def assert_counts_agree(tally: DiffTally, old: bytes, new: bytes) -> None:
    """The counts are those of the two dry runs."""
    added, removed, changed, unchanged = each(tally)
    assert changed + unchanged + removed == sum("call" in line for line in lines_of(old))
    assert changed + unchanged + added == sum("call" in line for line in lines_of(new))


def totals(tally: DiffTally, side: str) -> dict[str, Sum]:
    """The calls and the value of each event type on one side, where there are any."""
    rows = {name: getattr(row, side) for name, row in tally.by_event_type}
    return {name: total for name, total in rows.items() if total.count}


@given(comparing.lines, comparing.rules, comparing.rules)
@settings(max_examples=200, deadline=None)
def test_applying_the_changes_to_the_old_dry_run_gives_the_new_one(
    lines: list[bytes], before: Rules, after: Rules
) -> None:
    """For any two settings and any export, with what is skipped and why.

    By event type the calls and the value before and after are what each dry run sums up.
    """
    old, new = (dry_run(lines, rules) for rules in (before, after))
    tally, changes = compare(lines, before, after)
    assert apply(changes, lines_of(old.output)) == lines_of(new.output)
    assert_counts_agree(tally, old.output, new.output)
    assert totals(tally, "before") == dict(old.totals)
    assert totals(tally, "after") == dict(new.totals)


DIGITS = b"1234567890123456789012"
ASKS = make_rules(events={"Signed Up": "signup"})
SKIPS = make_rules(events={"Other": "other"})
ASKS_FOR_ANOTHER = make_rules(
    events={"Signed Up": "signup"}, mapping={"visitor_id": ["context.page.url"]}
)


@pytest.mark.parametrize(
    ("before", "after"), [(ASKS, SKIPS), (SKIPS, ASKS), (ASKS, ASKS_FOR_ANOTHER)]
)
@pytest.mark.parametrize("is_letter", [False, True])
@pytest.mark.parametrize("copies", [1, 2])
def test_an_id_that_only_one_side_looks_at_keeps_its_digits(
    tmp_path: Path, before: Rules, after: Rules, is_letter: bool, copies: int
) -> None:
    """A number of 22 digits is shown and compared with all of them, in a copy too."""
    message = web_message("track", event="Signed Up", properties={"order_id": "@"})
    line = orjson.dumps(message | {"anonymousId": "@"}).replace(b'"@"', DIGITS)
    if is_letter:
        line = wrap(line, reason="http_400", detail="", source="e:1", at="").rstrip(b"\n")
    old, new = (dry_run([line], rules).output for rules in (before, after))
    path = tmp_path / "e.ndjson"
    path.write_bytes((line + b"\n") * copies)
    written: list[bytes] = []
    run_diff(
        find_exports([str(path)]),
        Sides("old.toml", before, "new.toml", after),
        options=DiffOptions(WRITTEN, workers=1),
        watcher=NobodyWatches(),
        write=written.append,
    )
    changes = [orjson.loads(change) for change in b"".join(written).splitlines()]
    first = [change for change in changes if change["source"].endswith(":1")]
    assert DIGITS in b"".join(written)
    for change in first:
        change["source"] = "e.ndjson:1"
    assert apply(first, lines_of(old)) == lines_of(new)


@given(comparing.lines, comparing.rules, comparing.rules)
@settings(max_examples=100, deadline=None)
def test_the_same_holds_against_a_saved_dry_run(
    lines: list[bytes], before: Rules, after: Rules
) -> None:
    """A dry run saved with its skipped messages makes no difference to its settings."""
    old, new = (dry_run(lines, rules).output for rules in (before, after))
    tally, changes = compare_saved(old, lines, after)
    assert apply(changes, lines_of(old)) == lines_of(new)
    assert_counts_agree(tally, old, new)
    direct, _ = compare(lines, before, after)
    assert tally.calls == direct.calls
    assert tally.fields == direct.fields
    assert tally.by_event_type == direct.by_event_type
    assert tally.messages.newly_sent == direct.messages.newly_sent
    assert tally.messages.newly_skipped == direct.messages.newly_skipped


@given(comparing.lines, comparing.rules, comparing.rules)
@settings(max_examples=100, deadline=None)
def test_the_same_holds_against_a_dry_run_of_calls_alone(
    lines: list[bytes], before: Rules, after: Rules
) -> None:
    """Where it was not saved why messages were skipped, the changes of calls are all there."""
    old, new = (dry_run(lines, rules, include_skipped=False).output for rules in (before, after))
    tally, changes = compare_saved(old, lines, after)
    of_calls = [change for change in changes if change["change"] in {"added", "removed", "changed"}]
    assert apply(of_calls, lines_of(old)) == lines_of(new)
    assert_counts_agree(tally, old, new)


@given(comparing.lines, comparing.rules)
@settings(max_examples=50, deadline=None)
def test_settings_change_nothing_against_themselves(lines: list[bytes], rules: Rules) -> None:
    """Between a dry run and itself there is no change, however it is compared."""
    saved = dry_run(lines, rules).output
    for tally, changes in (compare(lines, rules, rules), compare_saved(saved, lines, rules)):
        assert not tally.differs
        assert changes == []
        assert not tally.groups.kinds
        assert not any(row.differs for _, row in tally.by_event)
