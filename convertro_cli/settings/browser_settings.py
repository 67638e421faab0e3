"""The settings that browsers load from Segment (``/v1/projects/<write key>/settings``).

Besides the settings of each destination they hold the gates before it, as analytics.js applies
them: consent categories, what the Schema tab switches off, and destination filters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from convertro_cli.destination_filters.browser import filters_from_browser_settings
from convertro_cli.settings.checks import check_no_blank
from convertro_cli.settings.faults import shown
from convertro_cli.settings.filter_text import filter_table
from convertro_cli.settings.taken import SegmentSettings

_NAME = "Convertro"

OTHER_KEYS = frozenset({"consentSettings", "versionSettings", "bundlingStatus", "type"})
"""Keys beside a destination's own settings, which say how browsers load it and when."""


def are_browser_settings(data: Any) -> bool:
    """Whether this is what browsers load."""
    return isinstance(data, dict) and isinstance(data.get("integrations"), dict)


def take_gates(data: Mapping[str, Any], taken: SegmentSettings) -> None:
    """Take over what stands before the destination."""
    own = data["integrations"].get(_NAME)
    if not isinstance(own, dict):
        taken.left_out.append(
            f"integrations.{_NAME} is not there: browsers do not load Convertro from this source, "
            "and its settings are not among these"
        )
    _take_consent(_object(own).get("consentSettings"), taken)
    _take_schema(data.get("plan"), taken)
    _take_filters(data, taken)


def _take_consent(consent: Any, taken: SegmentSettings) -> None:
    if consent is None:
        return
    categories = _object(consent).get("categories")
    if not isinstance(categories, list):
        taken.left_out.append(f"consentSettings = {shown(consent)} has no list of categories")
        return
    sound = list(_texts(categories, "consentSettings.categories", taken))
    if sound:
        taken.values["consent"] = {"categories": sound}


def _take_schema(plan: Any, taken: SegmentSettings) -> None:
    """Take over the tracks that the plan switches off, for Convertro or altogether."""
    tracks = _object(_object(plan).get("track"))
    off = [name for name, entry in tracks.items() if _is_off(entry)]
    taken.left_out.extend(
        f"plan.identify.{name} is switched off, and no setting does that"
        for name, entry in _object(_object(plan).get("identify")).items()
        if _is_off(entry)
    )
    if "__default" in off:
        off.remove("__default")
        taken.left_out.append(
            "plan.track.__default switches off every event that the plan does not list, and no "
            "setting does that"
        )
    sound = list(_texts(off, "plan.track", taken))
    if sound:
        taken.values["schema"] = {"disabled_events": sound}


def _is_off(entry: Any) -> bool:
    """Whether an entry of the plan keeps its events from Convertro, as analytics.js reads it."""
    choices = _object(_object(entry).get("integrations"))
    if _object(entry).get("enabled") is False:
        return True
    return choices.get(_NAME, choices.get("All")) is False


def _take_filters(data: Mapping[str, Any], taken: SegmentSettings) -> None:
    """Take over the destination filters of ``middlewareSettings.routingRules``."""
    filters, left_out = filters_from_browser_settings(data)
    if filters:
        taken.values["filters"] = list(map(filter_table, filters))
    taken.left_out.extend(left_out)


def _texts(values: list[Any], where: str, taken: SegmentSettings) -> Iterator[str]:
    """Give the values that a settings file can hold, each once; tell of the others."""
    for value in dict.fromkeys(value for value in values if isinstance(value, str)):
        try:
            yield check_no_blank(value)
        except ValueError as error:
            taken.left_out.append(f"{where}: {shown(value)} {error}")
    taken.left_out.extend(
        f"{where}: {shown(value)} is no text" for value in values if not isinstance(value, str)
    )


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
