"""The answer of ``GET /destinations``: all destinations of a workspace, Convertro's among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from convertro_cli.errors import ConvertroError
from convertro_cli.settings.faults import shown

SLUG = "convertro"
METADATA_ID = "54521fd525e721e32a72eea4"
"""What Segment's catalogue knows the Convertro destination by."""


class ChosenDestination(NamedTuple):
    """The settings of a destination, and a sentence for each thing that they do not say."""

    settings: Mapping[str, Any]
    remarks: list[str]


def listed_destinations(data: Any) -> list[Any] | None:
    """Give the destinations in an answer; None where it is another answer."""
    for answer in (data, data.get("data") if isinstance(data, dict) else None):
        if isinstance(answer, dict) and isinstance(answer.get("destinations"), list):
            destinations: list[Any] = answer["destinations"]
            return destinations
    return None


def choose_destination(
    listed: Sequence[Any], data: Mapping[str, Any], file: Path, wanted: str | None
) -> ChosenDestination:
    """Choose the Convertro destination: the only one, or the one with the id ``wanted``.

    Raises ConvertroError where there is none, or where it must be asked which.
    """
    ours = [each for each in listed if isinstance(each, dict) and _is_convertro(each)]
    chosen = [each for each in ours if wanted is None or each.get("id") == wanted]
    if len(chosen) == 1:
        settings = chosen[0].get("settings")
        off = chosen[0].get("enabled") is False
        remarks = ["the destination is switched off at Segment (enabled = false)"] if off else []
        return ChosenDestination(settings if isinstance(settings, dict) else {}, remarks)
    if not ours:
        raise ConvertroError(
            f"{file} lists {len(listed):,} destinations, and none is Convertro's.",
            hint="Its answer says that there is more: get the next page (pagination.next)."
            if _has_more(data)
            else f"Convertro's has the slug {SLUG} or the id {METADATA_ID} in its metadata.",
        )
    which = "Which is it?" if wanted is None else f"None of them has the id {shown(wanted)}."
    raise ConvertroError(
        f"{file} lists {_number(len(ours))} of Convertro. {which}\n"
        + "\n".join(f"  {_described(each)}" for each in ours),
        hint="Name it with --destination ID.",
    )


def _is_convertro(destination: Mapping[str, Any]) -> bool:
    metadata = destination.get("metadata")
    if not isinstance(metadata, dict):
        return False
    return metadata.get("slug") == SLUG or metadata.get("id") == METADATA_ID


def _described(destination: Mapping[str, Any]) -> str:
    parts = [str(destination.get("id")), shown(destination.get("name"))]
    if destination.get("sourceId") is not None:
        parts.append(f"of the source {destination['sourceId']}")
    if destination.get("enabled") is False:
        parts.append("switched off")
    return ", ".join(parts)


def _has_more(data: Mapping[str, Any]) -> bool:
    answer = data.get("data", data)
    pagination = answer.get("pagination") if isinstance(answer, dict) else None
    return isinstance(pagination, dict) and bool(pagination.get("next"))


def _number(destinations: int) -> str:
    return "1 destination" if destinations == 1 else f"{destinations} destinations"
