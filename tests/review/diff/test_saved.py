"""A saved dry run beside an export: matched by place, told where it is none, never held whole."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from convertro_cli.errors import ConvertroError
from convertro_cli.mapping.dry_run import DryRunJob
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.batch import BATCH_BYTES, LineBatch
from convertro_cli.reading.sources import find_exports
from convertro_cli.review.diff.report import DiffReport
from convertro_cli.review.diff.run import DiffOptions, Sides, compare
from convertro_cli.review.diff.saved import SavedRun
from convertro_cli.run.progress import NobodyWatches
from tests.mapping.messages import make_rules, web_message
from tests.review.diff.comparing import WRITTEN

RULES = make_rules(events={"Signed Up": "signup"})
OTHER = make_rules(events={"Signed Up": "lead"})


def export(folder: Path, name: str, count: int, *, event: str = "Signed Up") -> Path:
    """Write an export of so many tracks."""
    path = folder / name
    messages = (web_message("track", event=event, messageId=f"{name}-{n}") for n in range(count))
    path.write_bytes(b"".join(orjson.dumps(message) + b"\n" for message in messages))
    return path


def saved(path: Path, *exports: Path, rules: Rules = RULES, include_skipped: bool = False) -> Path:
    """Save the dry run of some exports."""
    job = DryRunJob(rules, include_skipped=include_skipped)
    batches = (
        LineBatch(index, str(export), 1, export.read_bytes(), 0)
        for index, export in enumerate(exports)
    )
    path.write_bytes(b"".join(job(batch).output for batch in batches))
    return path


def against(
    run: Path, *exports: Path, rules: Rules = RULES, limit: int | None = None, workers: int = 1
) -> DiffReport:
    """Compare a saved dry run with what would be sent now."""
    return compare(
        find_exports([str(export) for export in exports]),
        Sides("then", SavedRun(run), "now", rules),
        options=DiffOptions(WRITTEN, workers, limit),
        watcher=NobodyWatches(),
    )


def calls(report: DiffReport) -> dict[str, int]:
    """The numbers of calls that are not nought."""
    return {verdict: number for verdict, number in report.tally.calls.items() if number}


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two exports of 40 and 30 messages."""
    return export(tmp_path, "a.ndjson", 40), export(tmp_path, "b.ndjson", 30)


def test_the_same_run_is_the_same(tmp_path: Path, two: tuple[Path, Path]) -> None:
    """What was saved a moment ago is what would be now."""
    run = saved(tmp_path / "run.ndjson", *two)
    assert calls(against(run, *two)) == {"unchanged": 70}
    assert calls(against(run, *two, rules=OTHER)) == {"changed": 70}


def test_any_number_of_processes_gives_the_same(tmp_path: Path) -> None:
    """Saved lines cross to the processes with their batches; what came before is found in all.

    The run that is saved here did not look for copies, so that they are gone now.
    """
    path = export(tmp_path, "a.ndjson", 1_500)
    path.write_bytes(path.read_bytes() * 2)
    assert path.stat().st_size > 3 * BATCH_BYTES
    run = saved(tmp_path / "run.ndjson", path)
    alone, together = (against(run, path, rules=OTHER, workers=workers) for workers in (1, 3))
    assert calls(alone) == calls(together) == {"changed": 1_500, "removed": 1_500}
    assert alone.tally == together.tally


def test_a_saved_run_may_be_compressed_and_re_formatted(
    tmp_path: Path, two: tuple[Path, Path]
) -> None:
    """It is read like an export, and other tools may have written its lines anew."""
    run = saved(tmp_path / "run.ndjson", *two)
    again = [orjson.loads(line) for line in run.read_bytes().splitlines()]
    run.write_bytes(
        gzip.compress(
            b"\r\n\n".join(orjson.dumps(line, option=orjson.OPT_SORT_KEYS) for line in again)
        )
    )
    assert calls(against(run, *two)) == {"unchanged": 70}


def test_lines_of_other_files_are_only_on_their_side(
    tmp_path: Path, two: tuple[Path, Path]
) -> None:
    """A file that only one run has is added or removed, wherever it stands in the order."""
    first, second = two
    third = export(tmp_path, "c.ndjson", 20)
    run = saved(tmp_path / "run.ndjson", first, third)
    report = against(run, first, second)
    assert calls(report) == {"unchanged": 40, "added": 30, "removed": 20}
    assert report.tally.messages.newly_sent == {"not_in_saved_run": 30}
    assert report.tally.messages.newly_skipped == {"not_in_this_run": 20}
    assert calls(against(run, second, third)) == {"unchanged": 20, "added": 30, "removed": 40}
    assert calls(against(run, second)) == {"added": 30, "removed": 60}
    assert calls(against(saved(tmp_path / "none.ndjson"), first)) == {"added": 40}


def test_an_export_that_changed_in_between_is_told(tmp_path: Path, two: tuple[Path, Path]) -> None:
    """Messages at a place that another one had then were removed and added, not changed."""
    first, _ = two
    run = saved(tmp_path / "run.ndjson", first)
    lines = first.read_bytes().splitlines(keepends=True)
    first.write_bytes(b"".join([*lines[1:], lines[0]]))
    assert calls(against(run, first)) == {"added": 40, "removed": 40}
    first.write_bytes(b"".join(lines[:10]))
    assert calls(against(run, first)) == {"unchanged": 10, "removed": 30}


def test_what_was_skipped_then_tells_why(tmp_path: Path, two: tuple[Path, Path]) -> None:
    """Of a run with skipped messages it is known why a message was not sent before."""
    first, _ = two
    run = saved(tmp_path / "run.ndjson", first, rules=make_rules(), include_skipped=True)
    report = against(run, first)
    assert report.tally.messages.newly_sent == {"unmapped_event": 40}
    later = against(saved(run, first, include_skipped=True), first, rules=make_rules())
    assert later.tally.messages.newly_skipped == {"unmapped_event": 40}
    assert calls(later) == {"removed": 40}


def test_a_limit_stops_on_both_sides(tmp_path: Path, two: tuple[Path, Path]) -> None:
    """What the saved run has beyond the limit is not removed: it is not looked at."""
    run = saved(tmp_path / "run.ndjson", *two)
    assert calls(against(run, *two, limit=15)) == {"unchanged": 15}


@pytest.mark.parametrize(
    ("arranged", "words"),
    [
        (lambda a, b: b + a, "later than this run reads that file"),
        (lambda a, b: a + a, "after line 40"),
        (lambda a, b: a + b + a, "a second time"),
        (lambda a, b: b"".join(reversed(a.splitlines(keepends=True))), "after line 40"),
    ],
    ids=["other order", "twice", "again", "reversed"],
)
def test_what_is_not_one_dry_run_in_order_is_refused(
    tmp_path: Path, two: tuple[Path, Path], arranged: Any, words: str
) -> None:
    """Lines in another order would be compared with the wrong ones, so that is an error."""
    run = tmp_path / "run.ndjson"
    parts = [saved(run, file).read_bytes() for file in two]
    run.write_bytes(arranged(*parts))
    with pytest.raises(ConvertroError, match=words):
        against(run, *two)


def _line(**fields: Any) -> bytes:
    head = {"source": "SOURCE:1", "message_id": "a.ndjson-0", "mode": "web"}
    return orjson.dumps({k: v for k, v in (head | fields).items() if v != "absent"})


_EVENT = {
    "call": "event",
    "event_type": "signup",
    "event_value": 1,
    "event_id": "x",
    "timestamp": 1,
    "url": "u",
}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "is no JSON object"),
        (b"[]", "is no line of a dry run"),
        (b'{"type":"track"}', "is no line of a dry run"),
        (b'{"dry_run":true,"messages":{}}', "is no line of a dry run"),
        (b'{"reason":"http_400","source":"a:1","event":{}}', "is no line of a dry run"),
        (_line(source="nowhere", **_EVENT), "has a source without a line number"),
        (_line(source="a:" + "9" * 30, **_EVENT), "has a source without a line number"),
        (_line(**_EVENT)[:-9], "is no JSON object"),
        (_line(**_EVENT | {"call": "phone"}), "is of an unknown call"),
        (_line(**_EVENT | {"timestamp": "soon"}), "has no timestamp"),
        (_line(**_EVENT | {"timestamp": 10**12}), "has no timestamp"),
        (_line(**_EVENT | {"event_value": "12"}), "has no event value"),
        (_line(**_EVENT | {"event_value": True}), "has no event value"),
        (_line(**_EVENT | {"event_type": None}), "has no event type"),
        (_line(**_EVENT | {"message_id": 7}), "has a message id that is no text"),
        (_line(skip=3, mode="absent"), "is neither a call nor a reason for none"),
        (
            _line(call="user", timestamp=1).replace(b"1}", b'1,"traits":' + b"[" * 300 + b"]" * 300)
            + b"}",
            "is nested too deep",
        ),
    ],
)
def test_what_is_no_line_of_a_dry_run_is_told(
    tmp_path: Path, two: tuple[Path, Path], line: bytes, words: str
) -> None:
    """A file that is no dry run, or a broken one, is an error with its name and the reason."""
    first, _ = two
    run = tmp_path / "run.ndjson"
    run.write_bytes(line.replace(b"SOURCE", str(first).encode()) + b"\n")
    with pytest.raises(ConvertroError, match=words) as told:
        against(run, first)
    assert "run.ndjson" in told.value.message
    assert told.value.hint is not None


def test_a_damaged_file_is_told(tmp_path: Path, two: tuple[Path, Path]) -> None:
    """A truncated file would look as if calls were added, so it is an error."""
    run = saved(tmp_path / "run.ndjson", *two)
    run.write_bytes(gzip.compress(run.read_bytes())[:-20])
    with pytest.raises(ConvertroError, match="run"):
        against(run, *two)


def test_other_names_for_the_same_files_are_told(tmp_path: Path, two: tuple[Path, Path]) -> None:
    """Where no line matches, a note says how the saved run names its files."""
    first, second = two
    report = against(saved(tmp_path / "run.ndjson", first), second)
    (note,) = report.notes
    assert f"{first}:1" in note
    (note,) = against(saved(tmp_path / "run.ndjson"), second).notes
    assert "empty" in note
    assert against(saved(tmp_path / "run.ndjson", second), second).notes == []


def test_no_more_than_a_batch_of_saved_lines_is_held(tmp_path: Path) -> None:
    """Each batch comes with its own saved lines; lines of nothing come a few hundred at a time."""
    gone, here = export(tmp_path, "a.ndjson", 2000), export(tmp_path, "b.ndjson", 100)
    run = SavedRun(saved(tmp_path / "run.ndjson", gone, here))
    works = list(run.beside(_batches(here), [str(here)]))
    sizes = [(not work.data, len(work.saved)) for work in works]
    assert sum(size for is_gone, size in sizes if is_gone) == 2000
    assert max(size for is_gone, size in sizes if is_gone) <= 256
    assert [size for is_gone, size in sizes if not is_gone] == [10] * 10


def _batches(path: Path) -> Iterator[LineBatch]:
    lines = path.read_bytes().splitlines(keepends=True)
    for start in range(0, len(lines), 10):
        yield LineBatch(0, str(path), start + 1, b"".join(lines[start : start + 10]), 0)
