"""What was taken over from Segment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """Tables of a convertro.toml, and a sentence for each thing that is not taken over."""

    values: dict[str, Any] = field(default_factory=lambda: {"convertro": {}, "events": {}})
    left_out: list[str] = field(default_factory=list)
