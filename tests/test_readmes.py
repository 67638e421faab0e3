"""What explains the project names what is there: a file that moves takes its name along."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HOME = Path(__file__).parents[1]
PACKAGE = HOME / "convertro_cli"
READMES = sorted([HOME / "README.md", HOME / "examples" / "README.md", *PACKAGE.rglob("README.md")])

_NAMED = re.compile(r"`([\w/.-]+\.(?:py|md|css|j2)|[a-z_]+(?:/[a-z_]+)*/)`")
_LINKED = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")


def _readmes() -> list[object]:
    return [pytest.param(path, id=str(path.relative_to(HOME))) for path in READMES]


def test_each_file_that_a_readme_of_a_room_names_is_there() -> None:
    """By its place in the room, in the package or in the project."""
    named = {
        (readme.parent, name)
        for readme in PACKAGE.rglob("README.md")
        for name in _NAMED.findall(readme.read_text(encoding="utf-8"))
    }
    assert len(named) > 50
    missing = [
        (room, name)
        for room, name in named
        if not any((root / name).exists() for root in (room, PACKAGE, HOME))
    ]
    assert missing == []


@pytest.mark.parametrize("readme", _readmes())
def test_each_link_of_a_readme_leads_somewhere(readme: Path) -> None:
    """To a file that is there, and to a heading that the file has."""
    text = readme.read_text(encoding="utf-8")
    links = _LINKED.findall(text)
    assert [place for place, _ in links if not (readme.parent / place).exists()] == []
    headings = {_anchor(line) for line in text.splitlines() if line.startswith("#")}
    assert [anchor for place, anchor in links if not place and anchor not in headings] == []


def _anchor(heading: str) -> str:
    """Give a heading as a link names it."""
    plain = re.sub(r"[^\w\- ]", "", heading.lstrip("# ").lower())
    return plain.replace(" ", "-")
