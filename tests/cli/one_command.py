"""One command alone, in a folder of its own: quicker than the program, and as it ends there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer

from convertro_cli.cli.console import print_error
from convertro_cli.cli.option_groups import with_groups
from convertro_cli.errors import ConvertroError
from convertro_cli.settings.load import ENVIRONMENT


def enter_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, settings: str, messages: Iterable[object]
) -> None:
    """Go into a folder with settings and an export, its last line broken; 80 columns wide."""
    monkeypatch.chdir(folder)
    for variable in ENVIRONMENT:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    Path("convertro.toml").write_text(settings)
    lines = [each if isinstance(each, bytes) else orjson.dumps(each) for each in messages]
    Path("e.ndjson").write_bytes(b"".join(line + b"\n" for line in (*lines, b"{")))


def run_command(command: Callable[..., Any], *arguments: str) -> int:
    """Run a command as the program does; give its exit code."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(with_groups(command))
    try:
        app(list(arguments))
    except ConvertroError as error:
        print_error(error)
        return int(error.exit_code)
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else 0
    return 0
