"""What was taken over from Segment."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field


class SegmentSettings(Struct, frozen=True):
    """Tables of a convertro.toml, and a sentence for each thing that is not taken over."""

    values: dict[str, Any] = field(default_factory=lambda: {"convertro": {}, "events": {}})
    left_out: list[str] = field(default_factory=list)
