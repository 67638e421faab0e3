"""From settings to rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convertro_cli.mapping.rules import Consent, Rules, Selection
from convertro_cli.settings.compile import compile_loaded, compile_rules
from convertro_cli.settings.load import check, load_settings


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
    assert (rules.consent, rules.disabled_events) == (Consent((), "send", "skip"), frozenset())
    assert (rules.integrations, rules.delivered_in_browser) == ("obey", "skip")
    assert (rules.unreadable_amount, rules.repeated_orders) == ("hold", "send")
    assert rules.suppressed is None
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


def test_what_keeps_messages_back() -> None:
    """The tables that are gates, as they stand in the file."""
    rules = compiled(
        consent={"categories": ["B", "A"], "without": "skip", "empty": "send"},
        schema={"disabled_events": ["Test Event"]},
        mapping={
            "integrations": "ignore",
            "delivered_in_browser": "skip-unmarked",
            "unreadable_amount": "send",
            "repeated_orders": "skip",
        },
    )
    assert rules.consent == Consent(("B", "A"), "skip", "send")
    assert rules.disabled_events == frozenset({"Test Event"})
    assert (rules.integrations, rules.delivered_in_browser) == ("ignore", "skip-unmarked")
    assert (rules.unreadable_amount, rules.repeated_orders) == ("send", "skip")


def test_the_files_that_settings_name_are_compiled_with_them(tmp_path: Path) -> None:
    """Of settings and options alike. A list that names nobody costs nothing."""
    file = tmp_path / "convertro.toml"
    file.write_text('[convertro]\naccount = "acme"\n[privacy]\nsuppressed = ["a.txt"]\n')
    (tmp_path / "a.txt").write_text("u1\n")
    (tmp_path / "b.csv").write_text("userId\nu2\n")
    loaded = load_settings(file, environ={}, suppressed=[tmp_path / "b.csv"])
    rules = compile_loaded(loaded, Selection(since=5))
    assert rules.suppressed is not None
    assert [each in rules.suppressed for each in ("u1", "u2", "u3")] == [True, True, False]
    assert rules.selection == Selection(since=5)
    (tmp_path / "a.txt").write_text('{"data":{"suppressed":[],"pagination":{}}}')
    assert compile_loaded(load_settings(file, environ={})).suppressed is None
