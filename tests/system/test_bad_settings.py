"""Settings with faults: all of them told at once, before anything is done."""

from __future__ import annotations

import pytest

from tests.system.messages import order
from tests.system.program import Workspace

FAULTY = """\
[convertro]
acount = "acme"
site_id = true

[mapping]
mode = "both"

[delivery]
concurrency = 1000
timeout = "soon"

[wire]
base_url = "http://shop.example.com"
"""


@pytest.mark.parametrize("command", [["check"], ["replay", "a.ndjson"], ["status"]])
def test_all_faults_at_once(workspace: Workspace, command: list[str]) -> None:
    """One message names every fault with its key; nothing is done."""
    workspace.config.write_text(FAULTY)
    workspace.write("a.ndjson", order(1))
    ended = workspace.run(*command)
    ended.assert_told(
        2,
        "convertro.acount",
        "account",
        "convertro.site_id",
        "mapping.mode",
        "delivery.concurrency",
        "delivery.timeout",
        "allow_http",
    )
    assert not ended.out
    assert not workspace.state.exists()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"[convertro", "no TOML"),
        (b"", "convertro"),
        (b"a = " + b"[" * 10_000, "convertro.toml"),
        (b'[convertro]\naccount = "a"\n[mapping]\nmode = "cloud"\n', "client_name"),
        (b'[convertro]\naccount = "a"\n[wire.paths]\nweb_event = "/../x"\n', "web_event"),
    ],
)
def test_each_kind(workspace: Workspace, content: bytes, word: str) -> None:
    """Whatever is wrong with the file, there is one message and no traceback."""
    workspace.config.write_bytes(content)
    workspace.run("check").assert_told(2, word)
