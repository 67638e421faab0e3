"""What a shell offers to complete."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from convertro_cli.segment.names import normalise
from tests.system.program import Running

_PROGRAM = "import sys; sys.argv[0] = 'convertro'; from convertro_cli.__main__ import main; main()"

SETTINGS = """\
[convertro]
account = "acme"
[events]
"Signed Up" = "signup"
"Trial Started" = "trial"
"with$(touch x)" = "x"
"a;b" = "x"
"a\\u001bb" = "x"
"b.c d" = "x"
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs where only its settings are."""
    monkeypatch.chdir(tmp_path)


def offers(*words: str, shell: str = "bash") -> list[str]:
    """What is offered for the last of the words, one a line; nothing stands on standard error."""
    line = " ".join(("convertro", *words))
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words))},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    running = Running(
        [sys.executable, "-c", _PROGRAM],
        folder=Path.cwd(),
        stdin=None,
        environ={**os.environ, "_CONVERTRO_COMPLETE": f"complete_{shell}", **asked},
        before=None,
    )
    ended = running.end()
    running.close()
    assert ended.err == ""
    return [offer for offer in ended.out.decode().split("\n") if offer]


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_event_names_come_from_the_settings(shell: str) -> None:
    """The names of [events] are offered, in a spelling that needs no quotes."""
    Path("convertro.toml").write_text(SETTINGS)
    assert offers("replay", "--event", "S", shell=shell) == ["Signed-Up"]
    assert offers("replay", "--event", "T", shell=shell) == ["Trial-Started"]
    assert normalise("Signed-Up") == normalise("Signed Up")


def test_event_names_are_offered_to_zsh() -> None:
    """Zsh is given the same names in its own form."""
    Path("convertro.toml").write_text(SETTINGS)
    assert offers("replay", "--event", "S", shell="zsh") == ["_arguments '*: :((\"Signed-Up\"))'"]


def test_event_names_come_from_the_settings_of_the_same_command_line() -> None:
    """With --config, it is that file whose names are offered."""
    Path("convertro.toml").write_text(SETTINGS)
    Path("other.toml").write_text('[events]\n"Order Shipped" = "x"\n')
    assert offers("replay", "-c", "other.toml", "--event", "O") == ["Order-Shipped"]


def test_no_name_is_offered_that_means_something_to_a_shell() -> None:
    """A name out of a file is never a command, an escape or a pattern."""
    Path("convertro.toml").write_text(SETTINGS)
    assert offers("replay", "--event", "with") == []
    assert offers("replay", "--event", "a") == []
    assert offers("replay", "--event", "b") == ["b.c d"]


@pytest.mark.parametrize("content", [None, b"\xff", b"[events", b"events = 3", b"[[[[" * 5000])
def test_without_readable_settings_nothing_is_offered_and_nothing_said(
    content: bytes | None,
) -> None:
    """A missing or broken settings file must not disturb who is typing."""
    if content is not None:
        Path("convertro.toml").write_bytes(content)
    assert offers("replay", "--event", "S") == []


def test_fixed_values_are_offered() -> None:
    """Options with few values offer them."""
    assert offers("replay", "--type", "t") == ["track"]
    assert offers("replay", "--transport", "") == ["auto", "curl", "requests"]
    assert offers("replay", "--log-format", "") == ["text", "json"]


def test_commands_and_options_are_offered() -> None:
    """The names of commands and options complete too."""
    assert offers("sta") == ["status"]
    assert offers("replay", "--dry") == ["--dry-run"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_script_for_bash_works_in_bash(tmp_path: Path) -> None:
    """What --show-completion prints makes bash complete an event name."""
    Path("convertro.toml").write_text(SETTINGS)
    program = tmp_path / "convertro"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{_PROGRAM}" "$@"\n')
    program.chmod(0o755)
    script = """
    eval "$(convertro --show-completion bash)"
    COMP_WORDS=(convertro replay --event Tri) COMP_CWORD=3
    _convertro_completion convertro
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "Trial-Started\n"
