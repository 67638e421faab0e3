"""The lines of several files, taken in as one batch: each file is done with when its own are."""

from __future__ import annotations

from pathlib import Path

import orjson

from convertro_cli.delivery.pending import PendingFile
from convertro_cli.mapping.jobs import ReplayJob
from convertro_cli.reading.batch import LineBatch
from convertro_cli.reading.joined import joined
from tests.delivery.fakes import OK, Reply
from tests.delivery.rig import Rig
from tests.mapping.messages import make_rules, web_message


def order(order_id: str) -> bytes:
    properties = {"order_id": order_id, "total": 1}
    message = web_message("track", event="Order Completed", messageId=order_id)
    return orjson.dumps(message | {"properties": properties}) + b"\n"


def test_a_file_waits_for_its_own_messages_alone(tmp_path: Path) -> None:
    """Of three, the one with the message that is tried again is open, and has one open message."""

    def answers(url: str, now: float) -> Reply:
        return Reply(503) if "stuck" in url else OK

    lines = [order("a1") + order("a2"), order("b1") + order("stuck"), order("c1")]
    whole = joined([LineBatch(at, f"{at}.json", 1, data, 0) for at, data in enumerate(lines)])
    files = [PendingFile() for _ in lines]
    rig = Rig(tmp_path, answers)
    rig.delivery.take(whole, ReplayJob(make_rules())(whole), files)
    assert [file.open_messages for file in files] == [2, 2, 1]
    rig.run(until=lambda: rig.tally.calls["delivered"] == 4)
    assert [file.open_messages for file in files] == [0, 1, 0]
    assert {call.message.source for call in rig.delivery.open_calls.values()} == {"1.json:2"}
