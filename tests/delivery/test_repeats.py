"""What a dry run says of repeats is what a replay does, for any export and any ledger."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.dry_run import DryRunOptions, dry_run
from convertro_cli.mapping.jobs import ReplayJob
from convertro_cli.mapping.rules import Rules
from convertro_cli.reading.lines import read_batches
from convertro_cli.reading.sources import find_exports
from convertro_cli.record.sqlite_calls import open_known_calls
from convertro_cli.record.sqlite_ledger import SqliteLedger
from convertro_cli.record.state import StateFolder
from convertro_cli.run.progress import NobodyWatches
from tests.delivery.fakes import OK, Reply, Server
from tests.delivery.rig import Config, Rig
from tests.mapping.messages import TIME, Message, make_rules, web_message

REFUSED = Reply(400)
NO_OPTIONS = DryRunOptions(workers=1, include_skipped=True)


def order(message_id: str | None, order_id: str, total: float = 100, **fields: Any) -> Message:
    properties = {"order_id": order_id, "total": total} | fields.pop("properties", {})
    return web_message(
        "track", event="Order Completed", messageId=message_id, properties=properties, **fields
    )


def write(folder: Path, messages: list[Message]) -> Path:
    path = folder / "export.ndjson"
    path.write_bytes(b"".join(orjson.dumps(message) + b"\n" for message in messages))
    return path


def say(path: Path, rules: Rules, options: DryRunOptions = NO_OPTIONS) -> tuple[Any, list[Any]]:
    """Do a dry run beside the ledger in the folder; give its summary and its lines."""
    lines: list[bytes] = []
    with open_known_calls(StateFolder(path.parent)) as known:
        report = dry_run(
            find_exports([str(path)]),
            rules,
            write=lines.append,
            options=options,
            watcher=NobodyWatches(),
            known=known,
        )
    return report.as_json(), [orjson.loads(line) for line in b"".join(lines).splitlines()]


def do(path: Path, rules: Rules, server: Server, config: Config | None = None) -> Rig:
    """Replay to a server, on the ledger in the folder."""
    with SqliteLedger(path.parent / "ledger.db") as ledger:
        rig = Rig(path.parent, server, config, ledger=ledger)
        job = ReplayJob(rules)
        for batch in read_batches(find_exports([str(path)]).files):
            rig.take(batch, job(batch)).run()
        rig.end()
    return rig


def accepts(url: str, now: float) -> Reply:
    return OK


def assert_same(said: dict[str, Any], rig: Rig) -> None:
    """The counts of a dry run are those of the replay, but for the requests themselves."""
    done = rig.tally.summary()
    for counts in (said, done):
        counts["calls"].pop("attempts")
    for name in ("messages", "calls", "skipped", "invalid", "failed", "warnings", "by_event_type"):
        assert said[name] == done[name], name


def test_three_orders_that_share_a_message_id(tmp_path: Path) -> None:
    """They are three calls, worth 600 together, in a dry run and in the run."""
    orders = [order("undefined", f"o{number}", 100 * number) for number in (1, 2, 3)]
    path, rules = write(tmp_path, orders), make_rules()
    said, lines = say(path, rules)
    assert said["by_event_type"] == {"sale": {"calls": 3, "value": 600.0}}
    assert said["warnings"] == {"shared_message_id": 2}
    assert not any("repeat" in line for line in lines)
    assert_same(said, do(path, rules, accepts))


def test_a_copy_is_marked_and_counted_as_delivered_already(tmp_path: Path) -> None:
    """Its line stays where it is, and its value counts once."""
    path, rules = (
        write(tmp_path, [order("m1", "o1"), order("m2", "o2"), order("m1", "o1")]),
        make_rules(),
    )
    said, lines = say(path, rules)
    assert [line.get("repeat") for line in lines] == [None, None, "earlier"]
    assert said["by_event_type"] == {"sale": {"calls": 2, "value": 200.0}}
    assert said["messages"]["already_delivered"] == 1
    assert said["calls"]["already_delivered"] == 1
    assert_same(said, do(path, rules, accepts))
    said, lines = say(path, rules)
    assert [line.get("repeat") for line in lines] == ["delivered"] * 3
    assert said["by_event_type"] == {}
    assert_same(said, do(path, rules, accepts))


def test_what_failed_before_is_marked_so(tmp_path: Path) -> None:
    """A plain replay leaves it alone, and --resend does not."""
    path, rules = write(tmp_path, [order("m1", "o1"), order("m2", "o2")]), make_rules()
    do(path, rules, lambda url, _: REFUSED if "eid=o1" in url else OK)
    said, lines = say(path, rules)
    assert [line.get("repeat") for line in lines] == ["failed", "delivered"]
    assert said["messages"]["already_failed"] == 1
    said, lines = say(path, rules, DryRunOptions(workers=1, resend=True))
    assert [line.get("repeat") for line in lines] == [None, None]
    assert_same(said, do(path, rules, accepts, Config(resend=True)))


def test_dead_letters_are_tried_again(tmp_path: Path) -> None:
    """As a replay of them does: what failed goes out, what was delivered since does not."""
    path, rules = write(tmp_path, [order("m1", "o1"), order("m2", "o2")]), make_rules()
    do(path, rules, lambda *_: REFUSED)
    letters = shutil.copy(tmp_path / "dead-letters.ndjson", tmp_path / "letters.ndjson")
    said, lines = say(Path(letters), rules)
    assert [line.get("repeat") for line in lines] == [None, None]
    assert_same(said, do(Path(letters), rules, accepts))
    said, lines = say(Path(letters), rules)
    assert [line.get("repeat") for line in lines] == ["delivered", "delivered"]


def test_a_call_that_cannot_be_sent_fails_once(tmp_path: Path) -> None:
    """Its copy failed already; both keep their lines."""
    long = order("m1", "o" * 9000)
    path, rules = write(tmp_path, [long, long]), make_rules()
    said, lines = say(path, rules)
    assert [(line["failed"], line.get("repeat")) for line in lines] == [
        ("request_too_long", None),
        ("request_too_long", "earlier"),
    ]
    assert_same(said, do(path, rules, accepts))


# --- an order once

ONCE = {"repeated_orders": "skip"}


def test_an_order_goes_out_once_whichever_message_brings_it(tmp_path: Path) -> None:
    """Later messages are skipped, in the same run and in another one."""
    path, rules = (
        write(tmp_path, [order("m1", "o1"), order("m2", "o1", 7)]),
        make_rules(mapping=ONCE),
    )
    said, lines = say(path, rules)
    assert [line.get("skip") for line in lines] == [None, "repeated_order"]
    assert said["skipped"] == {"repeated_order": 1}
    assert_same(said, do(path, rules, accepts))
    path = write(tmp_path, [order("m3", "o1"), order("m1", "o1"), order("m4", "o2")])
    said, lines = say(path, rules)
    assert [line.get("skip") or line.get("repeat") for line in lines] == [
        "repeated_order",
        "delivered",
        None,
    ]
    assert_same(said, do(path, rules, accepts))


def test_an_order_is_repeated_for_each_event_type(tmp_path: Path) -> None:
    """A message that brings one known and one new event type sends the new one."""
    rules = make_rules(mapping=ONCE, convertro={"hybrid_attribution_model": True})
    repeat, new = ({"repeat": value} for value in (True, False))
    messages = [order("m1", "o1", properties=repeat), order("m2", "o1", properties=new)]
    path = write(tmp_path, messages)
    said, lines = say(path, rules)
    assert [line["event_type"] for line in lines] == ["sale.repeat", "sale", "sale.new"]
    assert said["messages"]["delivered"] == 2
    assert_same(said, do(path, rules, accepts))


def test_an_order_that_failed_is_sent_by_the_next_message(tmp_path: Path) -> None:
    """While the first is under way the others wait; copies of one share its fate."""
    messages = [order(f"m{number}", "o1", number) for number in (1, 2, 2, 3)]
    path, rules = write(tmp_path, messages), make_rules(mapping=ONCE)
    rig = do(path, rules, lambda url, _: REFUSED if "val=1&" in url else OK)
    assert [url.partition("val=")[2][0] for url in rig.tried] == ["1", "2"]
    assert rig.messages() == {
        "read": 4,
        "delivered": 1,
        "already_delivered": 1,
        "skipped": 1,
        "failed": 1,
    }


def test_orders_sent_before_the_setting_are_learnt_from_their_messages(tmp_path: Path) -> None:
    """A message that the ledger knows as delivered has sent its order."""
    path = write(tmp_path, [order("m1", "o1"), order("m2", "o2")])
    do(path, make_rules(), accepts)
    path, rules = write(tmp_path, [order("m1", "o1"), order("m3", "o1")]), make_rules(mapping=ONCE)
    said, lines = say(path, rules)
    assert [line.get("skip") or line.get("repeat") for line in lines] == [
        "delivered",
        "repeated_order",
    ]
    assert_same(said, do(path, rules, accepts))


@pytest.mark.parametrize("at_most_once", [False, True])
def test_an_order_in_doubt_is_so_for_every_message(tmp_path: Path, at_most_once: bool) -> None:
    """After a crash its next message may repeat it, and is counted so or left alone."""
    path, rules = write(tmp_path, [order("m1", "o1")]), make_rules(mapping=ONCE)
    with SqliteLedger(tmp_path / "ledger.db") as ledger:
        rig = Rig(tmp_path, lambda *_: Reply(after=50.0), ledger=ledger)
        job = ReplayJob(rules)
        for batch in read_batches(find_exports([str(path)]).files):
            rig.take(batch, job(batch)).step()  # marked and started, and then it dies
    path = write(tmp_path, [order("m2", "o1"), order("m1", "o1")])
    options = DryRunOptions(workers=1, at_most_once=at_most_once)
    said, _ = say(path, rules, options)
    done = do(path, rules, accepts, Config(at_most_once=at_most_once))
    assert_same(said, done)
    wanted = {"in_doubt": 2} if at_most_once else {"delivered": 1, "possibly_repeated": 1}
    assert {name: done.calls().get(name) for name in wanted} == wanted
    with SqliteLedger(tmp_path / "ledger.db") as ledger:
        _, in_doubt = ledger.begin_run("x")
        assert bool(in_doubt) is at_most_once


# --- whatever the export

MESSAGES = st.builds(
    order,
    message_id=st.sampled_from(["undefined", "m1", "m2", "m3", None]),
    order_id=st.sampled_from(["o1", "o2", "o3", "o" * 9000]),
    total=st.sampled_from([1, 2.5]),
    timestamp=st.sampled_from([TIME, "2024-03-02T00:00:00Z"]),
    properties=st.sampled_from([{}, {"repeat": True}, {"repeat": False}]),
) | st.builds(
    web_message,
    st.just("identify"),
    messageId=st.sampled_from(["undefined", "m1", None]),
    traits=st.sampled_from([{}, {"plan": "x" * 9000}]),
)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(MESSAGES, max_size=8), min_size=1, max_size=3),
    st.sampled_from(["send", "skip"]),
    st.booleans(),
)
def test_a_dry_run_says_what_the_replay_does(
    exports: list[list[Message]], repeated_orders: str, resend: bool
) -> None:
    """Copies, shared ids, repeated orders and requests too long, over several runs: the counts
    are the same, and each call goes out once."""
    rules = make_rules(
        mapping={"repeated_orders": repeated_orders}, convertro={"hybrid_attribution_model": True}
    )
    options = DryRunOptions(workers=1, include_skipped=True, resend=resend)
    with TemporaryDirectory() as folder:
        urls: Counter[str] = Counter()
        for messages in exports:
            path = write(Path(folder), messages)
            said, lines = say(path, rules, options)
            rig = do(path, rules, accepts, Config(resend=resend))
            assert_same(said, rig)
            going = [line["url"] for line in lines if "url" in line and "repeat" not in line]
            assert sorted(going) == sorted(rig.transport.urls)
            assert [line["source"].rpartition(":")[2] for line in lines] == sorted(
                (line["source"].rpartition(":")[2] for line in lines), key=int
            )
            urls.update(rig.transport.urls)
        if repeated_orders == "skip" and not resend:
            sales = [
                tuple(
                    part for part in url.partition("?")[2].split("&") if part[:3] in {"eid", "typ"}
                )
                for url in urls.elements()
                if "/hit/" in url
            ]
            assert len(sales) == len(set(sales))
