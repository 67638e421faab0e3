"""From settings to rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convertro_cli.mapping.rules import Rules, Selection
from convertro_cli.settings.compile import compile_rules
from convertro_cli.settings.load import check


def compiled(convertro: dict[str, Any] | None = None, **tables: Any) -> Rules:
    """Compile tables of a convertro.toml that are sound."""
    data = {"convertro": {"account": "acme"} | (convertro or {})} | tables
    settings, faults = check(data, folder=Path())
    assert settings is not None
    assert not faults
    return compile_rules(settings, Selection(since=5))


def test_the_defaults() -> None:
    """What no file says."""
    rules = compiled()
    host = "https://sp1.convertro.com/api"
    assert rules.wire.targets == {
        "web_event": f"{host}/hit/acme/0/",
        "web_user": f"{host}/user/acme/0/",
        "cloud_event": f"{host}/hit//0/",
        "cloud_user": f"{host}/user//0/",
        "install": f"{host}/install//0/",
    }
    assert rules.wire.names == {}
    assert rules.wire.hash_email_ids
    assert (rules.mode, rules.unmapped_events, rules.cloud_orders) == ("auto", "auto", "name")
    assert (rules.require_order_id, rules.hybrid_attribution_model) == (True, False)
    assert rules.missing_cloud_settings == ("client_name", "site_id", "domain")
    assert rules.visitor_paths == (
        ("integrations", "Convertro", "sid"),
        ("anonymousId",),
        ("userId",),
    )
    assert rules.traits is None
    assert not rules.events
    assert rules.selection == Selection(since=5)


@pytest.mark.parametrize(
    ("traits", "kept"),
    [("all", None), ("none", frozenset()), ([], frozenset()), (["a", "b"], frozenset({"a", "b"}))],
)
def test_traits(traits: Any, kept: frozenset[str] | None) -> None:
    """None stands for all of them."""
    assert compiled(mapping={"traits": traits}).traits == kept


def test_only_parameters_with_another_name_are_renamed() -> None:
    """A name that is the default already needs no look."""
    rules = compiled(wire={"params": {"ts": "time", "sid": "sid"}, "hash_email_ids": False})
    assert rules.wire.names == {"ts": "time"}
    assert not rules.wire.hash_email_ids


def test_the_scopes_of_the_ledger() -> None:
    """Web calls are an account's, cloud calls a client's, each at one address and site."""
    assert compiled().ledger_scopes == compiled({"site_id": "0"}).ledger_scopes
    assert (
        compiled().ledger_scopes
        == compiled(wire={"base_url": "https://sp1.convertro.com/"}).ledger_scopes
    )
    one, other = compiled({"client_name": "a"}), compiled({"client_name": "b"})
    assert one.ledger_scopes["web"] == other.ledger_scopes["web"]
    assert one.ledger_scopes["cloud"] != other.ledger_scopes["cloud"]
