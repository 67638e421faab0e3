"""A brake before the first send: what would go where is shown, and a person says yes or no.

It is for terminals. What runs by itself goes ahead, and is only told what would go out twice.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TextIO

import typer

from convertro_cli.cli import log
from convertro_cli.cli.brake_view import first_send_lines, retyped_lines
from convertro_cli.cli.console import print_note
from convertro_cli.cli.options import Loudness
from convertro_cli.cli.watching import open_watcher
from convertro_cli.errors import ExitCode
from convertro_cli.mapping.rules import Selection
from convertro_cli.run.outlook import look_ahead
from convertro_cli.run.plan import ReplayOptions
from convertro_cli.run.progress import tell_of_list
from convertro_cli.settings.load import LoadedSettings
from convertro_cli.text import things, visible

_QUESTION = "Send? [y/N]"
_YES = frozenset({"y", "yes"})


def brake(
    loaded: LoadedSettings,
    exports: Sequence[str],
    selection: Selection,
    options: ReplayOptions,
    loudness: Loudness,
    *,
    canary: int | None,
    yes: bool,
) -> None:
    """Ask before the first send to a target, and where events would go out again.

    ``yes`` goes ahead without asking, and so does whatever is no terminal. Raises typer.Exit
    where the answer is not yes, and ConvertroError where there is nobody to ask for now; nothing
    was written then.
    """
    asks = not yes and _is_terminal(sys.stdin) and _is_terminal(sys.stderr)
    asking = print_note if asks else None
    with open_watcher(loudness) as watcher:
        tell = tell_of_list(watcher)
        outlook = look_ahead(loaded, exports, selection, options, asking=asking, tell=tell)
    if outlook is None:
        return
    warning = retyped_lines(outlook)
    if not asks:
        for line in warning:
            print_note(line)
        return
    lines = list(warning)
    if outlook.is_new and outlook.exports is not None and outlook.exports.found:
        lines += first_send_lines(loaded, outlook.exports, selection, options)
        lines += _ways_to_look(canary)
    if lines and not _ask(lines):
        _say("Nothing was sent.")
        raise typer.Exit(int(ExitCode.INTERRUPTED))


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def _ways_to_look(canary: int | None) -> list[str]:
    ways = "To see each call first: --dry-run."
    if canary is None:
        return [f"{ways} To send ten, and see the answers: --canary 10."]
    return [f"{ways} Now only {things(canary, 'call')} would go, each shown with its answer."]


def _ask(lines: Sequence[str]) -> bool:
    """Show what there is to know, and read the answer. No answer is no."""
    try:
        _show(lines)  # within: whoever sees the question may press Ctrl-C at once
        answer = sys.stdin.readline()
    except (KeyboardInterrupt, OSError, UnicodeDecodeError):
        answer = ""
    if not answer.endswith("\n") and not log.is_json():
        print(file=sys.stderr)  # the cursor still stands behind the question
    return answer.strip().lower() in _YES


def _show(lines: Sequence[str]) -> None:
    if log.is_json():
        log.log_json("warning", "question", text=_QUESTION, facts=list(lines))
        return
    for line in lines:
        print(_folded(visible(line)), file=sys.stderr)
    print(f"{_QUESTION} ", end="", file=sys.stderr, flush=True)


def _folded(line: str) -> str:
    """Fold a line between words, where it would run over the terminal's edge within one."""
    text = line.lstrip()
    indent = line[: len(line) - len(text)]
    folded = textwrap.wrap(
        text,
        shutil.get_terminal_size().columns,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
        drop_whitespace=True,
    )
    return "\n".join(folded) or line


def _say(text: str) -> None:
    if log.is_json():
        log.log_json("info", "notice", text=text)
    else:
        print(text, file=sys.stderr)
