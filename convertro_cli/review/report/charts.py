"""Pictures for a report, as SVG that stays sharp and readable from a phone to a printed page.

Places are in percent and text in pixels: a narrow page gets a narrower picture, not smaller
letters. Colours are the page's own, so that dark and light and print each have theirs.
"""

from __future__ import annotations

from convertro_cli.review.report.bars import BarPair, bars_before_after
from convertro_cli.review.report.drawing import Drawn
from convertro_cli.review.report.timeline import Series, days

__all__ = ["BarPair", "Drawn", "Series", "bars_before_after", "days"]
