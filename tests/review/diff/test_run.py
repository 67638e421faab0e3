"""A comparison of whole exports: what it sums up, in how many processes, and how it ends."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import sys
from collections import Counter
from decimal import Decimal
from fcntl import ioctl
from pathlib import Path
from termios import FIONREAD
from typing import IO

import orjson
import pytest

from convertro_cli.errors import ExitCode
from convertro_cli.mapping.rules import Rules, Selection
from convertro_cli.reading.batch import BATCH_BYTES
from convertro_cli.reading.sources import find_exports
from convertro_cli.review.diff import tally
from convertro_cli.review.diff.compare import Wanted
from convertro_cli.review.diff.document import to_document
from convertro_cli.review.diff.report import DiffReport, write_json
from convertro_cli.review.diff.run import DiffOptions, Sides, compare
from convertro_cli.review.diff.samples import MOST_KINDS
from convertro_cli.review.masking import Masking
from convertro_cli.review.report.markdown import to_markdown
from convertro_cli.run.progress import NobodyWatches, Progress
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import load_settings
from tests.exports import BENCH_SETTINGS, write_export
from tests.mapping.messages import Message, cloud_message, make_rules, web_message
from tests.review.diff.comparing import WRITTEN, each
from tests.system.program import Workspace, wait_until

EXAMPLES = Path(__file__).parents[3] / "examples"


def report_of(
    export: Path,
    before: Rules,
    after: Rules,
    *,
    workers: int = 1,
    limit: int | None = None,
    written: bytearray | None = None,
    wanted: Wanted = WRITTEN,
    watcher: NobodyWatches | None = None,
) -> DiffReport:
    """Compare an export under two sets of rules."""
    return compare(
        find_exports([str(export)]),
        Sides("old.toml", before, "new.toml", after),
        options=DiffOptions(wanted, workers, limit),
        watcher=watcher or NobodyWatches(),
        write=None if written is None else written.extend,
    )


def rules_of(folder: Path, text: str) -> Rules:
    """The rules of a settings file with this text."""
    file = folder / "settings.toml"
    file.write_text(text)
    return compile_rules(load_settings(file, environ={}).settings)


def with_hybrid(text: str, *, hybrid: bool) -> str:
    """The same settings with the hybrid attribution model on or off."""
    kept = [line for line in text.splitlines() if not line.startswith("hybrid_attribution_model")]
    at = kept.index("[convertro]") + 1
    return "\n".join([*kept[:at], f"hybrid_attribution_model = {str(hybrid).lower()}", *kept[at:]])


def sales_that_the_hybrid_model_adds(export: Path, *, cloud: bool) -> list[Decimal]:
    """Work out from the messages alone what is worth how much, without the mapping."""
    values = []
    for line in export.read_bytes().splitlines():
        message = orjson.loads(line)
        properties = message.get("properties") or {}
        if (
            message["type"] == "track"
            and message["event"] in {"Order Completed", "Completed Order"}
            and isinstance(properties.get("repeat"), bool)
            and (message.get("integrations") or {}).get("Convertro") is not False
            and (cloud or message["channel"] == "client")
        ):
            amount = properties.get("total", properties.get("revenue"))
            values.append(Decimal(str(amount)))
    return values


def test_the_hybrid_model_adds_exactly_the_sale_calls(tmp_path: Path) -> None:
    """With it on, each order that says whether its buyer is new is one more sale, to the cent."""
    export = write_export(tmp_path / "e.ndjson", 5000).path
    off, on = (
        rules_of(tmp_path, with_hybrid(BENCH_SETTINGS, hybrid=hybrid)) for hybrid in (False, True)
    )
    report = report_of(export, off, on)
    added = sales_that_the_hybrid_model_adds(export, cloud=False)
    assert len(added) > 100
    assert list(each(report.tally)) == [len(added), 0, 0, 1500]
    differing = {
        name: (row.calls_difference, row.value_difference)
        for name, row in report.tally.by_event_type
        if row.differs
    }
    assert differing == {"sale": (len(added), sum(added))}
    back = report_of(export, on, off)
    assert list(each(back.tally)) == [0, len(added), 0, 1500]


def test_the_sample_settings_without_the_hybrid_model_lack_the_sale_calls(tmp_path: Path) -> None:
    """The examples' settings show the same: nothing but sale calls goes, in any order's mode."""
    text = (EXAMPLES / "convertro.toml").read_text()
    shutil.copy(EXAMPLES / "suppressed.txt", tmp_path)
    on, off = (rules_of(tmp_path, with_hybrid(text, hybrid=hybrid)) for hybrid in (True, False))
    report = report_of(EXAMPLES / "export.ndjson", on, off)
    added, removed, changed, _ = each(report.tally)
    assert (added, changed) == (0, 0)
    assert removed > 0
    rows = dict(report.tally.by_event_type)
    assert {name for name, row in rows.items() if row.differs} == {"sale"}
    assert rows["sale"].calls_difference == -removed
    before = {name: row.before.value for name, row in rows.items()}
    after = {name: row.after.value for name, row in rows.items()}
    with_model = before["sale.new"] + before["sale.repeat"]
    assert before["sale"] - after["sale"] == with_model


MIXED: list[bytes | Message] = [
    web_message("track", event="Signed Up", messageId="m1"),
    web_message("track", event="Product Viewed", messageId="m2"),
    web_message("identify", messageId="m3", traits={"plan": "pro", "age": 3}),
    cloud_message("track", event="Trial Ended", messageId="m4", properties={"revenue": 1.1}),
    web_message("page", messageId="m5"),
    b"{",
    web_message("track", event="Order Completed", messageId="m6", properties={"total": 3}),
]
OLD = make_rules(events={"Signed Up": "signup", "Trial Ended": "ended"})
NEW = make_rules(
    events={"Signed Up": ["signup", "lead"], "Product Viewed": "view", "X": "x"},
    mapping={"traits": ["plan"], "require_order_id": False},
    wire={"params": {"sid": "visitor"}},
)


def write(path: Path, times: int) -> Path:
    """Write the mixed messages so many times, each time under other ids."""
    lines = [
        m if isinstance(m, bytes) else orjson.dumps(m | {"messageId": f"{m['messageId']}-{time}"})
        for time in range(times)
        for m in MIXED
    ]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_any_number_of_processes_gives_the_same(tmp_path: Path) -> None:
    """The counts, the samples and every change, in the order of the export."""
    export = write(tmp_path / "e.ndjson", 450)
    assert export.stat().st_size > 3 * BATCH_BYTES
    alone, together = bytearray(), bytearray()
    first = report_of(export, OLD, NEW, workers=1, written=alone)
    second = report_of(export, OLD, NEW, workers=3, written=together)
    assert first.tally == second.tally
    assert alone == together
    numbers = [int(orjson.loads(line)["source"].rpartition(":")[2]) for line in alone.splitlines()]
    assert numbers == sorted(numbers)
    assert len(numbers) == sum(list(each(first.tally))[:3]) + 3 * 450


def test_everything_is_counted_once(tmp_path: Path) -> None:
    """Calls by verdict, messages by reason, days and kinds of call: all of the same messages."""
    tally = report_of(write(tmp_path / "e.ndjson", 10), OLD, NEW).tally
    assert tally.calls == {"added": 30, "removed": 10, "changed": 20}
    assert tally.fields == {"url": 10, "traits": 10}
    assert tally.messages.read == 70
    assert tally.messages.before.sent == 30
    assert tally.messages.after.sent == 40
    assert tally.messages.before.not_sent == {
        "unmapped_event": 10,
        "unsupported_type": 10,
        "invalid_json": 10,
        "missing_order_id": 10,
    }
    assert tally.messages.newly_sent == {"unmapped_event": 10, "missing_order_id": 10}
    assert tally.messages.newly_skipped == {"unmapped_event": 10}
    assert [row.after.count for _, row in tally.by_day] == [50]
    assert {name: row.after.count for name, row in tally.by_call} == {
        "event": 40,
        "user": 10,
    }
    assert {name: row.before.count for name, row in tally.by_event} == {
        "Signed Up": 10,
        "Product Viewed": 0,
        "Trial Ended": 10,
        "Order Completed": 0,
    }


def test_a_limit_counts_messages_that_pass_the_filters(tmp_path: Path) -> None:
    """As in a replay: after so many the comparison ends, in whatever batch that is."""
    export = write(tmp_path / "e.ndjson", 800)
    assert export.stat().st_size > 5 * BATCH_BYTES
    assert report_of(export, OLD, NEW, limit=5, workers=4).tally.messages.read == 5
    selection = Selection(events=frozenset({"product viewed"}))
    old, new = (make_rules(events=events, selection=selection) for events in ({}, {"X": "x"}))
    assert report_of(export, old, new, limit=500).tally.messages.after.not_sent["filtered_out"] > 0


def test_a_damaged_export_is_compared_up_to_the_break(tmp_path: Path) -> None:
    """It ends with the exit code for an export that cannot be read, and what was read counts."""
    export = write(tmp_path / "e.ndjson", 300)
    export.write_bytes(gzip.compress(export.read_bytes())[:-100])
    report = report_of(export, OLD, NEW)
    assert report.exit_code is ExitCode.UNREADABLE_EXPORT
    assert report.files["damaged"] == 1
    assert report.tally.messages.read > 0


def test_the_first_moment_of_all_is_counted(tmp_path: Path) -> None:
    """The earliest time that counts, and one whose offset puts it into the next day."""
    times = ("2000-01-01T00:00:00Z", "2023-12-31T23:59:59-14:00")
    messages = [web_message("track", event="Signed Up", timestamp=time) for time in times]
    path = tmp_path / "e.ndjson"
    path.write_bytes(b"".join(orjson.dumps(message) + b"\n" for message in messages))
    report = report_of(path, OLD, NEW)
    assert {day for day, _ in report.tally.by_day} == {"2000-01-01", "2024-01-01"}
    shown = to_markdown(to_document(report, Masking("full")))
    assert "2000-01-01T00:00:00Z" in shown
    assert "2024-01-01T13:59:59Z" in shown


class InterruptsItself(NobodyWatches):
    """A watcher that interrupts the run as soon as it has seen a message."""

    def tick(self, progress: Progress) -> None:
        """Send this process SIGINT, once."""
        if progress.tally.read and not self.done:
            self.done = True
            os.kill(os.getpid(), signal.SIGINT)

    done = False


def test_an_interrupt_gives_what_was_compared_until_then(tmp_path: Path) -> None:
    """The report says that it was interrupted, and the exit code does."""
    export = write(tmp_path / "e.ndjson", 6_000)
    report = report_of(export, OLD, NEW, watcher=InterruptsItself())
    assert report.interrupted
    assert report.exit_code is ExitCode.INTERRUPTED
    assert 0 < report.tally.messages.read < 42_000


def test_endless_names_take_no_endless_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export in which every event has a name of its own leaves a small report."""
    monkeypatch.setattr(tally, "MOST_NAMES", 100)
    path = tmp_path / "e.ndjson"
    messages = (web_message("track", event=f"Event {number} " + "x" * 300) for number in range(600))
    path.write_bytes(b"".join(orjson.dumps(message) + b"\n" for message in messages))
    after = make_rules(mapping={"unmapped_events": "send"})
    report = report_of(path, make_rules(), after, wanted=Wanted(3))
    assert report.tally.calls == {"added": 600}
    assert report.tally.by_event.rest.after.count == 500
    assert report.tally.by_event_type.total().after.value == 600
    written = orjson.loads(write_json(report, Masking("full")))
    assert written["by_event_rest"]["after"] == {"calls": 500, "value": 500}
    assert len(written["samples"]) == MOST_KINDS


def test_the_json_has_the_form_that_is_promised(tmp_path: Path) -> None:
    """Calls by verdict, and for each event type calls and value before and after, exactly."""
    report = report_of(write(tmp_path / "e.ndjson", 10), OLD, NEW)
    written = orjson.loads(write_json(report, Masking("masked")))
    assert written["calls"] == {"added": 30, "removed": 10, "changed": 20, "unchanged": 0}
    assert written["by_event_type"] == {
        "ended": {"before": {"calls": 10, "value": 11.0}, "after": {"calls": 0, "value": 0}},
        "lead": {"before": {"calls": 0, "value": 0}, "after": {"calls": 10, "value": 10}},
        "sale": {"before": {"calls": 0, "value": 0}, "after": {"calls": 10, "value": 30}},
        "signup": {"before": {"calls": 10, "value": 10}, "after": {"calls": 10, "value": 10}},
        "view": {"before": {"calls": 0, "value": 0}, "after": {"calls": 10, "value": 10}},
    }
    assert written["messages"]["newly_sent"] == {"unmapped_event": 10, "missing_order_id": 10}
    assert written["by_day"] == {
        "2024-03-01": {
            "before": {"calls": 30, "value": 21.0},
            "after": {"calls": 50, "value": 60},
        }
    }
    assert Counter(len(group["examples"]) for group in written["samples"]) == {3: 6}
    assert all("…" in one["message_id"] for one in written["samples"][0]["examples"])


def dropping(*filters: tuple[str, str], **transformation: object) -> Rules:
    """Rules with filters that drop the messages of a user, by title, and a transformation."""
    return make_rules(
        events={"Signed Up": "signup"},
        filters=[
            {"title": title, "if": f'userId = "{user}"', "actions": [{"type": "DROP"}]}
            for title, user in filters
        ],
        transformations=[transformation] if transformation else [],
    )


def test_what_filters_drop_is_counted_by_their_titles(tmp_path: Path) -> None:
    """Where one filter takes over from another, too: the reason alone would hide it."""
    users = ["u1", "u1", "u2", "u3", "u4"]
    messages = [
        web_message("track", event="Signed Up", userId=user, messageId=f"m{number}")
        for number, user in enumerate([*users, "u4"])
    ]
    path = tmp_path / "e.ndjson"
    path.write_bytes(b"".join(orjson.dumps(message) + b"\n" for message in messages))
    before = dropping(("No staff", "u1"), ("No tests", "u2"))
    gone = {"title": "Gone", "if": 'userId = "u3"', "drop": True}
    after = dropping(("No staff", "u1"), ("No robots", "u2"), **gone)
    report = report_of(path, before, after)
    told = orjson.loads(write_json(report, Masking("full")))["messages"]
    assert told["before"]["by_filter"] == {"dropped_by_filter": {"No staff": 2, "No tests": 1}}
    assert told["after"]["by_filter"] == {
        "dropped_by_filter": {"No staff": 2, "No robots": 1},
        "dropped_by_transformation": {"Gone": 1},
    }
    shown = to_markdown(to_document(report, Masking("full")))
    assert "| `dropped_by_filter: No staff` | 2 | 2 | ±0 |" in shown
    assert "| `dropped_by_filter: No robots` | 0 | 1 | \\+1 |" in shown
    report.is_saved = True  # nobody knows then which filter it was
    assert "| `dropped_by_filter: No robots` | – | 1 | – |" in to_markdown(
        to_document(report, Masking("full"))
    )


@pytest.mark.parametrize("value", [0.1, 1e300, 12345678901234.56, -3, 5e-324])
def test_the_json_has_every_digit_of_a_sum(tmp_path: Path, value: float) -> None:
    """Sums are written as decimals, so nothing is lost to floating point on the way out."""
    message = web_message("track", event="Signed Up", properties={"total": value})
    path = tmp_path / "e.ndjson"
    copies = [orjson.dumps(message | {"messageId": str(number)}) for number in range(3)]
    path.write_bytes(b"\n".join(copies))
    written = write_json(report_of(path, OLD, OLD), Masking("full"))
    wanted = format(3 * Decimal(repr(value)), "f")
    assert f'"signup":{{"before":{{"calls":3,"value":{wanted}}}'.encode() in written


def test_a_signal_ends_the_program_with_a_report(tmp_path: Path) -> None:
    """The program itself, interrupted: a report that says so, no file of changes, exit code 130."""
    workspace = Workspace(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    # Open for both, it waits for no reader, and its reader waits for more.
    with (tmp_path / "pipe").open("r+b", buffering=0) as pipe:
        pipe.write(orjson.dumps(MIXED[0]) + b"\n")
        running = workspace.start(
            *("diff", "convertro.toml", "convertro.toml", "pipe", "--changes", "changes.ndjson")
        )
        try:
            wait_until(lambda: _unread(pipe) == 0, "reader of the pipe")
            running.send(signal.SIGINT)
            ended = running.end()
        finally:
            running.close()
    assert ended.code == ExitCode.INTERRUPTED, ended.err
    assert b"Interrupted" in ended.out
    assert not (tmp_path / "changes.ndjson").exists()


def _unread(pipe: IO[bytes]) -> int:
    return int.from_bytes(ioctl(pipe, FIONREAD, bytes(4)), sys.byteorder)
