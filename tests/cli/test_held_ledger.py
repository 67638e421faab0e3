"""``convertro replay`` where its ledger cannot be relied on."""

from __future__ import annotations

import pytest

from convertro_cli.record import mounts
from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine
from tests.system.messages import orders


def test_a_ledger_on_a_network_file_system(
    convertro: CommandLine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay refuses it before it sends anything, and says how to move it."""
    table = convertro.workspace.folder / "mountinfo"
    folder = convertro.workspace.folder.resolve()
    table.write_text(f"1 0 0:1 / {folder} rw - nfs4 filer:/export rw\n")
    monkeypatch.setattr(mounts, "TABLE", table)
    convertro.workspace.write("export.ndjson", *orders(1))
    ended = convertro("replay", "export.ndjson", "--base-url", sandbox.url)
    ended.assert_told(74, "is nfs4, from filer:/export", "--state")
    assert sandbox.stats()["requests"] == 0
    assert convertro("replay", "export.ndjson", "--dry-run").code == 0
