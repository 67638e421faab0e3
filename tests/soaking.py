"""How much the tests try: what fits into three minutes, or what there is time for in a soak.

``make soak`` runs the tests with ``SOAK=1``. What is less in ``make test`` is as much as it takes
to fail when the rule is broken, and no more.
"""

from __future__ import annotations

import os

IS_SOAK = bool(os.environ.get("SOAK"))


def usually(number: int, *, in_soak: int) -> int:
    """Give how many there are usually, or in a soak."""
    return in_soak if IS_SOAK else number


def examples(number: int) -> int:
    """Give how many examples of a property are tried: in a soak twenty times as many."""
    return usually(number, in_soak=20 * number)
