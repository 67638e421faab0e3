"""Pictures for a page, as SVG that stays sharp and readable from a phone to a printed page.

Places are in percent and text in pixels: a narrow page gets a narrower picture, not smaller
letters. Colours are the page's own, so that dark and light and print each have theirs.
"""

from __future__ import annotations

from convertro_cli.review.report.bars import bars_before_after
from convertro_cli.review.report.document import Bars, Days
from convertro_cli.review.report.drawing import Drawn
from convertro_cli.review.report.timeline import days


def draw_days(block: Days) -> Drawn:
    """Draw one or two series by day."""
    return days(block.title, *block.series)


def draw_bars(block: Bars) -> Drawn:
    """Draw pairs of bars, before and after."""
    return bars_before_after(block.pairs, block.title)
