"""Lengths of time as people write them: ``50ms``, ``10s``, ``15m``, ``36h``, ``7d``."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)", re.ASCII)

FORMS = "a length of time such as 50ms, 10s, 15m, 36h or 7d"


def parse_duration(text: str) -> float:
    """Read a length of time as seconds. Raises ValueError with a sentence."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"is not {FORMS}")
    return float(match[1]) * _UNITS[match[2]]
