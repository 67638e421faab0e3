"""The page's colours can be told apart and read, in light, in dark and in print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import convertro_cli

STYLE = Path(convertro_cli.__file__).parent / "review" / "report" / "base.css"
MODES = ["light", "dark", "print"]

Colours = dict[str, str]


def colours(mode: str) -> Colours:
    """The page's colours in a mode: each ``:root`` of the style sheet has a whole set."""
    sets = re.findall(r":root \{(.*?)\}", STYLE.read_text(), re.DOTALL)
    assert len(sets) == len(MODES)
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", sets[MODES.index(mode)]))


def luminance(colour: str) -> float:
    """The relative luminance of a colour, as WCAG 2 defines it."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_every_colour(mode: str) -> None:
    """No colour of one mode is left over in another, where it would not fit."""
    assert colours(mode).keys() == colours("light").keys()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("text", ["ink", "muted", "accent", "added", "removed", "changed"])
@pytest.mark.parametrize("ground", ["paper", "card", "zebra"])
def test_text_can_be_read(mode: str, text: str, ground: str) -> None:
    """Text has the contrast of WCAG 2 AA, on every ground that it stands on."""
    known = colours(mode)
    assert contrast(known[text], known[ground]) >= 4.5


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("change", ["added", "removed", "changed"])
def test_changed_text_can_be_read_on_its_wash(mode: str, change: str) -> None:
    """What is marked as added or removed can be read on its mark."""
    known = colours(mode)
    assert contrast(known[change], known[f"{change}-wash"]) >= 4.5


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mark", ["before-edge", "after"])
def test_pictures_stand_out(mode: str, mark: str) -> None:
    """The edge of a bar and a line have the contrast of WCAG 2 for graphics."""
    known = colours(mode)
    assert contrast(known[mark], known["card"]) >= 3
