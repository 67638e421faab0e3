"""Replay Segment exports to Convertro: read, map, deliver, record."""

__version__ = "1.0.0"
