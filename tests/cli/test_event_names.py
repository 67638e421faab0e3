"""``--event`` with a name that nothing has."""

from __future__ import annotations

import pytest

from convertro_cli.sandbox.server import Sandbox
from tests.cli.command_line import CommandLine
from tests.system.messages import order, orders

COMMANDS = [
    ("replay", "--dry-run"),
    ("inspect",),
    ("diff", "convertro.toml", "convertro.toml"),
    ("explain",),
]


@pytest.fixture
def with_export(convertro: CommandLine) -> CommandLine:
    """An export of orders, and of something else with a similar name."""
    convertro.workspace.write("e.ndjson", *orders(3), order(4, event="Note Written"), b"{")
    return convertro


@pytest.mark.parametrize("command", COMMANDS)
def test_it_is_said_with_the_nearest(with_export: CommandLine, command: tuple[str, ...]) -> None:
    """A misspelt name is told with the one that was likely meant."""
    ended = with_export(*command, "e.ndjson", "--event", "Order Compleded")
    assert "--event 'Order Compleded': nothing in these exports has this name" in ended.err
    assert "did you mean 'Order Completed'?" in ended.err


@pytest.mark.parametrize("command", COMMANDS)
def test_without_anything_near(with_export: CommandLine, command: tuple[str, ...]) -> None:
    """Then it says how to see the names."""
    ended = with_export(*command, "e.ndjson", "--event", "Zzz")
    assert "convertro inspect" in ended.err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("filters", [(), ("--since", "2030-01-01")])
def test_a_name_that_is_there(
    with_export: CommandLine, command: tuple[str, ...], filters: tuple[str, ...]
) -> None:
    """In any spelling, and also where other filters leave nothing of it: it is there."""
    ended = with_export(*command, "e.ndjson", "--event", "orderCompleted", *filters)
    assert "has this name" not in ended.err


def test_a_replay_says_it_too(with_export: CommandLine, sandbox: Sandbox) -> None:
    """One of several names that is right is enough to send something."""
    command = ("replay", "e.ndjson", "--base-url", sandbox.url, "--event", "Nope")
    assert "has this name" in with_export(*command).err
    ended = with_export(*command, "--event", "order_completed", "--json")
    assert ended.summary["messages"]["delivered"] == 3


def test_standard_input_is_not_read_again(with_export: CommandLine) -> None:
    """It cannot be: so nothing is said of what was in it."""
    line = (with_export.workspace.folder / "e.ndjson").read_bytes()
    ended = with_export.workspace.run("replay", "--dry-run", "-", "--event", "Nope", stdin=line)
    assert (ended.code, "has this name" in ended.err) == (0, False)
