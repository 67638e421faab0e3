"""Each option is declared once: under its panel, in the panels' order, over a setting there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import pytest
import typer
from msgspec import Struct

from convertro_cli.cli import options as declared
from convertro_cli.cli.app import app
from convertro_cli.cli.option_groups import Overrides, overrides, with_groups
from convertro_cli.cli.options import (
    PANELS,
    LedgerOptions,
    SendingOptions,
    TargetOptions,
    option,
    repeat_options,
)
from convertro_cli.settings.load import load_settings
from convertro_cli.settings.model import Settings

GROUPS = (LedgerOptions, SendingOptions, TargetOptions)

OWN = {
    "--config",
    "--dry-run",
    "--event",
    "--exit-code",
    "--limit",
    "--output",
    "--rate-limit",
    "--suggest",
}
"""What means something of its own in a command or two, and says so there."""


def _commands(command: Any, *words: str) -> Iterator[tuple[str, Any]]:
    yield " ".join(words), command
    for word, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, *words, word)


COMMANDS = {
    name: [each for each in command.params if each.param_type_name == "option"]
    for name, command in _commands(typer.main.get_command(app([])))
}


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in {"", "sandbox"}])
def test_options_stand_in_panels(command: str) -> None:
    """In those of all commands, and in their order."""
    panels = [each.rich_help_panel for each in COMMANDS[command] if each.name != "help"]
    assert set(panels) <= set(PANELS)
    assert panels == sorted(panels, key=PANELS.index)


def test_an_option_says_the_same_in_every_command() -> None:
    """Which is the case if it is declared once."""
    said = defaultdict(set)
    for options in COMMANDS.values():
        for each in options:
            said[each.opts[0]].add((each.help, tuple(each.opts)))
    assert {name for name, words in said.items() if len(words) > 1} == OWN


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_in_place_of_a_setting_is_named_like_it(group: type) -> None:
    """So whoever knows convertro.toml knows the options, and ``repeat_options`` their names."""
    tables = Settings.model_fields
    found = 0
    for name, hint in get_type_hints(group, include_extras=True).items():
        for each in hint.__metadata__:
            if isinstance(each, Overrides):
                table, setting = each.key.split(".")
                assert setting == name
                assert setting in tables[table].annotation.model_fields  # type: ignore[union-attr]
                found += 1
    assert found >= 2


def test_only_what_is_given_is_in_place_of_a_setting() -> None:
    """And a number is one, however it was typed; what is none is left to the settings' check."""
    given = overrides(SendingOptions(concurrency="12"), TargetOptions(account="acme"))
    assert {key: value for key, value in given.items() if value is not None} == {
        "delivery.concurrency": 12,
        "convertro.account": "acme",
    }
    for text in ("auto", "-1", "1" * 5000):
        assert overrides(SendingOptions(concurrency=text))["delivery.concurrency"] == text


def test_options_can_be_repeated_for_another_command(tmp_path: Path) -> None:
    """All that says which settings, ledger and target are meant, and nothing else."""
    file = tmp_path / "a shop.toml"
    file.write_text('[convertro]\naccount = "acme"\n')
    sending = SendingOptions(rate_limit=7)
    target, ledger = TargetOptions(base_url="http://127.0.0.1:8020"), LedgerOptions(state="s")
    loaded = load_settings(file, options=overrides(sending, target, ledger))
    expected = f"-c '{file}' --base-url http://127.0.0.1:8020 --state s"
    assert repeat_options(loaded) == expected


class _Greeting(Struct, frozen=True):
    """A group for the tests."""

    name: Annotated[str, option("--name", panel=declared.INPUT, help="Whom.")] = "you"
    times: Annotated[int, option("--times", panel=declared.INPUT, help="How often.")] = 1


def test_a_command_takes_its_groups_options(capsys: pytest.CaptureFixture[str]) -> None:
    """Each under its own name, with its default, beside the options of the command itself."""

    def greet(
        word: Annotated[str, typer.Argument()],
        greeting: _Greeting,
        loud: Annotated[bool, option("--loud", panel=declared.OUTPUT, help="Shout.")] = False,
    ) -> None:
        said = " ".join([word] * greeting.times + [greeting.name])
        print(said.upper() if loud else said)

    program = typer.Typer()
    program.command()(with_groups(greet))
    program(["hello"], standalone_mode=False)
    program(["--times", "2", "hello", "--name", "Ada", "--loud"], standalone_mode=False)
    assert capsys.readouterr().out == "hello you\nHELLO HELLO ADA\n"
