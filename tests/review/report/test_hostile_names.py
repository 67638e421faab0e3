"""Whatever an event is called, every renderer shows it as text and as nothing else."""

from __future__ import annotations

import re
from html import unescape

import pytest
from rich.cells import cell_len
from rich.console import Console

from convertro_cli.review.report.markdown import to_markdown
from convertro_cli.review.report.page import to_html
from convertro_cli.review.report.terminal import print_document, to_text
from tests.review.report.everything import CALLS, HARM, everything

_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)|<code>.*?</code>")
_ESCAPED = re.compile(r"\\[\\`*_{}\[\]<>#|~&@$]")


@pytest.mark.parametrize("name", [HARM, CALLS])
def test_in_a_page_it_is_escaped(name: str) -> None:
    """There is no element and no control character of its making, and it reads as it is."""
    page = to_html(everything(name))
    assert "<script" not in page
    assert all(character.isprintable() or character == "\n" for character in page)
    shown = name.replace("\x1b", r"\x1b").replace("\u202e", r"\u202e")
    assert unescape(page).count(shown) > 20


@pytest.mark.parametrize("name", [HARM, CALLS])
def test_in_markdown_it_is_no_markup_and_calls_nobody(name: str) -> None:
    """Outside of code no special character of it is bare, and nothing could be linked."""
    text = to_markdown(everything(name))
    assert all(character.isprintable() or character == "\n" for character in text)
    outside = _ESCAPED.sub("", _CODE.sub("", text))
    for line in outside.splitlines():
        assert "@octocat" not in line
        assert "#12" not in line
        assert "1234567" not in line
        assert "<script" not in line
        assert "**now**" not in line


@pytest.mark.parametrize("name", [HARM, CALLS])
@pytest.mark.parametrize("width", [60, 120])
def test_in_a_terminal_it_obeys_nothing(name: str, width: int) -> None:
    """Control characters are written out, and no line is wider than the terminal."""
    console = Console(width=width, force_terminal=False, highlight=False, record=True, quiet=True)
    print_document(everything(name), console)
    for text in (console.export_text(), to_text(everything(name))):
        assert all(character.isprintable() or character == "\n" for character in text)
    assert max(map(cell_len, console.export_text().splitlines()), default=0) <= width
