"""From the settings that browsers load to those of convertro.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given

from convertro_cli.errors import ConvertroError
from convertro_cli.settings.load import check
from convertro_cli.settings.segment_import import read_segment_settings
from convertro_cli.settings.taken import SegmentSettings
from tests.mapping.strategies import JSON

OWN: dict[str, Any] = {
    "account": "acme",
    "hybridAttributionModel": True,
    "events": {"Signed Up": "signup"},
    "versionSettings": {"version": "2.2.0", "componentTypes": ["browser"]},
    "bundlingStatus": "bundled",
    "type": "browser",
}
SEGMENT_IO = {"apiKey": "k", "unbundledIntegrations": []}


def taken_from(folder: Path, own: Any = OWN, plan: Any = None, **more: Any) -> SegmentSettings:
    """Take over settings as browsers load them."""
    data = {"integrations": {"Segment.io": SEGMENT_IO, "Convertro": own}, "plan": plan} | more
    path = folder / "settings.json"
    path.write_bytes(orjson.dumps(data))
    return read_segment_settings(path)


def test_the_destinations_own_settings(tmp_path: Path) -> None:
    """What says how browsers load it is no setting of it, and is passed over."""
    taken = taken_from(tmp_path)
    assert taken.values == {
        "convertro": {"account": "acme", "hybrid_attribution_model": True},
        "events": {"Signed Up": "signup"},
    }
    assert taken.left_out == []


@pytest.mark.parametrize(
    ("consent", "ours", "told"),
    [
        ({"categories": ["Advertising", "C 2"]}, {"categories": ["Advertising", "C 2"]}, []),
        ({"categories": ["A", "A"]}, {"categories": ["A"]}, []),
        ({"categories": []}, None, []),
        (None, None, []),
        ({}, None, ["consentSettings = {} has no list of categories"]),
        ({"categories": "A"}, None, ["has no list of categories"]),
        ([], None, ["consentSettings = [] has no list"]),
        (
            {"categories": ["A", "", 5, "a\x1b"]},
            {"categories": ["A"]},
            ["consentSettings.categories: '' is blank", "'a\\x1b' holds a control", "5 is no text"],
        ),
    ],
)
def test_consent_categories(
    tmp_path: Path, consent: Any, ours: dict[str, Any] | None, told: list[str]
) -> None:
    """Those of the destination; what is none is told, and the others are taken."""
    taken = taken_from(tmp_path, OWN | {"consentSettings": consent})
    assert taken.values.get("consent") == ours
    assert len(taken.left_out) == len(told)
    assert all(part in sentence for part, sentence in zip(told, taken.left_out, strict=True))


@pytest.mark.parametrize(
    ("entry", "is_off"),
    [
        ({"enabled": True, "integrations": {"Convertro": False}}, True),
        ({"enabled": True, "integrations": {"All": False}}, True),
        ({"enabled": False, "integrations": {}}, True),
        ({"enabled": False}, True),
        ({"enabled": True, "integrations": {"All": False, "Convertro": True}}, False),
        ({"enabled": True, "integrations": {"Amplitude": False}}, False),
        ({"enabled": True, "integrations": {}}, False),
        ({"enabled": True}, False),
        ({"enabled": 0, "integrations": {"Convertro": None}}, False),
        (None, False),
        ([], False),
    ],
)
def test_what_the_schema_tab_switches_off(tmp_path: Path, entry: Any, is_off: bool) -> None:
    """An event that is off for Convertro, or for all, as analytics.js reads the plan."""
    on = {"enabled": True, "integrations": {}}
    plan = {"track": {"__default": on, "Test Event": entry, "Signed Up": on}}
    taken = taken_from(tmp_path, plan=plan)
    assert taken.values.get("schema") == ({"disabled_events": ["Test Event"]} if is_off else None)
    assert taken.left_out == []


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ({"track": {"__default": {"enabled": False}}}, "plan.track.__default switches off every"),
        (
            {"track": {"__default": {"enabled": True, "integrations": {"Convertro": False}}}},
            "plan.track.__default switches off every",
        ),
        ({"identify": {"__default": {"enabled": False}}}, "plan.identify.__default is switched"),
        ({"track": {" ": {"enabled": False}}}, "plan.track: ' ' is blank"),
    ],
)
def test_what_no_setting_can_switch_off(tmp_path: Path, plan: Any, told: str) -> None:
    """It is said, since more would be sent than Segment sends."""
    taken = taken_from(tmp_path, plan=plan)
    assert "schema" not in taken.values
    (sentence,) = taken.left_out
    assert sentence.startswith(told)


def test_destination_filters(tmp_path: Path) -> None:
    """Those of Convertro become tables of filters; one that cannot be taken over is told."""
    drop = {
        "destinationName": "Convertro",
        "matchers": [{"type": "fql", "config": {"expr": 'event = "Test"'}}],
        "transformers": [[{"type": "drop"}]],
    }
    other = drop | {"destinationName": "Amplitude"}
    odd = drop | {"transformers": []}
    taken = taken_from(tmp_path, middlewareSettings={"routingRules": [drop, other, odd]})
    (table,) = taken.values["filters"]
    assert table["if"] == 'event = "Test"'
    assert table["actions"] == [{"type": "DROP"}]
    (sentence,) = taken.left_out
    assert sentence.startswith("middlewareSettings.routingRules[2] has not as many")
    settings, faults = check(taken.values, folder=tmp_path)
    assert settings is not None
    assert not faults


def test_convertro_is_not_among_what_browsers_load(tmp_path: Path) -> None:
    """A source without it says nothing; one that switches its events off says that."""
    with pytest.raises(ConvertroError, match="has nothing about Convertro"):
        taken_from(tmp_path, None)
    with pytest.raises(ConvertroError, match="has nothing about Convertro"):
        taken_from(tmp_path, None, middlewareSettings={}, consentSettings={"allCategories": ["A"]})
    plan = {"track": {"Test Event": {"integrations": {"Convertro": False}}}}
    taken = taken_from(tmp_path, None, plan)
    assert taken.values["schema"] == {"disabled_events": ["Test Event"]}
    (sentence,) = taken.left_out
    assert sentence.startswith("integrations.Convertro is not there: browsers do not load")


@given(JSON, JSON, JSON)
def test_whatever_browsers_load_the_rest_is_sound(
    tmp_path_factory: pytest.TempPathFactory, consent: Any, plan: Any, rules: Any
) -> None:
    """What is taken over always loads."""
    folder = tmp_path_factory.mktemp("browser")
    own = {"account": "acme", "consentSettings": consent}
    taken = taken_from(
        folder, own, {"track": plan, "identify": plan}, middlewareSettings={"routingRules": rules}
    )
    settings, faults = check(taken.values, folder=folder)
    assert settings is not None
    assert not faults
