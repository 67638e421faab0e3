"""The brake before the first send, on a real terminal."""

from __future__ import annotations

import pytest

from convertro_cli.sandbox.server import Sandbox
from tests.system.messages import orders
from tests.system.program import Workspace
from tests.system.terminal import CTRL_C, CTRL_D, on_a_terminal

QUESTION = "Send? [y/N]"


@pytest.mark.parametrize("keys", [CTRL_C, CTRL_D])
def test_whoever_declines_sends_nothing(
    workspace: Workspace, sandbox: Sandbox, keys: bytes
) -> None:
    """Ctrl-C and the end of input end it cleanly: nothing is sent, and nothing is written."""
    workspace.write("export.ndjson", *orders(3))
    command = ("replay", "export.ndjson", "--base-url", sandbox.url)
    with on_a_terminal(workspace.folder, *command) as terminal:
        terminal.wait_for(QUESTION)
        terminal.type(keys)
        assert terminal.end() == 130
        assert terminal.text.endswith("\nNothing was sent.\n")
    assert sandbox.stats()["requests"] == 0
    assert not workspace.state.exists()


def test_whoever_says_yes_is_asked_once(workspace: Workspace, sandbox: Sandbox) -> None:
    """After a yes all goes out; the target is known then, and nobody is asked again."""
    command = ("replay", "export.ndjson", "--base-url", sandbox.url)
    for number in (1, 2):
        workspace.write("export.ndjson", *orders(3, start=10 * number))
        with on_a_terminal(workspace.folder, *command) as terminal:
            if number == 1:
                terminal.wait_for(QUESTION)
                terminal.type(b"y\n")
            assert terminal.end() == 0
            assert (QUESTION in terminal.text) == (number == 1)
    assert sandbox.stats()["accepted"] == 6
