"""A key that is good for one run is the same in all its processes."""

from __future__ import annotations

import os
import subprocess
import sys

KEYS = """
from convertro_cli.mapping.jobs import CallKeys
from convertro_cli.mapping.lines import map_lines
from convertro_cli.reading.batch import LineBatch
from tests.mapping.messages import make_rules, web_message
import orjson

messages = [web_message("identify", messageId=id_, userId="u", traits={"plan": "x"})
            for id_ in ("m1", None)]
batch = LineBatch(0, "a", 1, b"".join(orjson.dumps(each) + b"\\n" for each in messages), 0)
rules, keys = make_rules(), CallKeys()
for line in map_lines(batch, rules):
    keys.add(line, line.outcome, batch, rules)
print(len(keys.sizes), keys.keys.hex(), list(keys.identities))
"""


def test_keys_are_alike_in_processes_of_one_seed() -> None:
    """Also those of messages without an id and of calls without an event type."""
    found = {
        subprocess.run(
            [sys.executable, "-c", KEYS],
            env={**os.environ, "PYTHONHASHSEED": "7"},
            capture_output=True,
            check=True,
        ).stdout
        for _ in range(3)
    }
    assert len(found) == 1
    assert found.pop().startswith(b"2 ")
