"""The reference of the command line says what ``--help`` does, and that has a word for all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import typer

from convertro_cli.cli.app import app
from tests.golden.reference import REFERENCE, make_reference


class Described(NamedTuple):
    """A command, or an argument or option of it under its first name, and what its help says."""

    command: str
    option: str
    said: str | None


def _described(command: Any, *words: str) -> Iterator[Described]:
    name = " ".join(("convertro", *words))
    yield Described(name, "", command.help)
    for param in command.params:
        shown = param.metavar if param.param_type_name == "argument" else param.opts[0]
        yield Described(name, shown, param.help)
    for word, inner in getattr(command, "commands", {}).items():
        yield from _described(inner, *words, word)


DESCRIBED = list(_described(typer.main.get_command(app([]))))


def test_the_reference_is_what_the_help_says() -> None:
    """After a change of commands, options or their help: ``make golden``, and look at the diff."""
    assert make_reference() == REFERENCE.read_text(encoding="utf-8")


def test_each_command_and_option_says_what_it_is_for() -> None:
    """In a sentence at least; what follows in brackets is a default."""
    silent = [each for each in DESCRIBED if "." not in (each.said or "").partition("  [")[0]]
    assert silent == []


def test_no_command_or_option_is_left_out() -> None:
    """The reference has each command under its own heading, and in there each of its options."""
    reference = REFERENCE.read_text(encoding="utf-8")
    parts = {
        part.partition("\n")[0]: {*part.replace(",", " ").split()}
        for part in reference.split("\n## ")
    }
    missing = [
        each
        for each in DESCRIBED
        if each.command not in parts or not {*each.option.split()} <= parts[each.command]
    ]
    assert missing == []
    assert len(DESCRIBED) > 100
