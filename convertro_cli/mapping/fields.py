"""The parts of a message that more than one rule looks at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.segment.ids import has_id, read_id


def as_object(value: Any) -> Mapping[str, Any]:
    """Give a JSON object as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def device_id(message: Mapping[str, Any]) -> str | None:
    """Give ``context.device.id``, the id that every cloud call needs."""
    return read_id(_device(message).get("id"))


def has_device(message: Mapping[str, Any]) -> bool:
    """Whether there is such an id, be its digits lost in reading or not."""
    return has_id(_device(message).get("id"))


def _device(message: Mapping[str, Any]) -> Mapping[str, Any]:
    return as_object(as_object(message.get("context")).get("device"))
