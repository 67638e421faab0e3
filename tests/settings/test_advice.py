"""What is surely unwanted in sound settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convertro_cli.privacy.list_files import ListFile
from convertro_cli.settings.advice import advise
from convertro_cli.settings.advice_on_gates import advise_on_lists
from convertro_cli.settings.load import check

CLOUD = {"client_name": "acme", "site_id": "1", "domain": "https://shop.example.com"}


def advice_of(convertro: dict[str, Any] | None = None, **tables: Any) -> list[str]:
    """Check tables of a convertro.toml that are sound, and give the advice."""
    data = {"convertro": {"account": "acme"} | (convertro or {})} | tables
    settings, faults = check(data, folder=Path())
    assert settings is not None
    assert not faults
    return advise(settings)


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"convertro": CLOUD},
        {"convertro": {"site_id": "1"}},
        {"events": {"Signed Up": "signup", "Trial Started": ["signup", "trial"]}},
        {"convertro": {"hybrid_attribution_model": True}, "mapping": {"mode": "web"}},
        {"convertro": CLOUD, "mapping": {"cloud_orders": "sale"}},
        {"convertro": CLOUD, "mapping": {"mode": "cloud"}, "events": {"Order Completed": "x"}},
        {"mapping": {"mode": "web"}, "events": {"Application Installed": "install"}},
        {"convertro": {"domain": "x"}, "mapping": {"mode": "web"}},
        {"mapping": {"traits": ["plan", "typ"]}},
        {"wire": {"base_url": "https://ACME.sp1.convertro.com"}},
        {"wire": {"base_url": "https://sp1.convertro.com"}},
        {"convertro": {"hybrid_attribution_model": True}, "mapping": {"cloud_orders": "sale"}},
        {"consent": {"categories": ["A", "a"], "without": "skip", "empty": "send"}},
        {"consent": {"without": "send", "empty": "skip"}},
        {"schema": {"disabled_events": ["Test Event", "test event"]}},
    ],
)
def test_sound_settings_give_no_advice(tables: dict[str, Any]) -> None:
    """A program that cries wolf is not listened to."""
    assert advice_of(**tables) == []


@pytest.mark.parametrize(
    ("events", "sentences"),
    [
        (
            {"Signed Up": "signup", "signed_up": "lead"},
            [
                "[events] has 'Signed Up' and 'signed_up', which are one name: such an event is "
                "sent as 'signup' and as 'lead'."
            ],
        ),
        (
            {"Signed Up": "signup", "signedUp": ["signup"], "X": "x", "signed-up": "signup"},
            [
                "[events] has 'Signed Up' and 'signedUp' and 'signed-up', which are one name: "
                "such an event is sent as 'signup'."
            ],
        ),
        ({"Signed Up": "signup", "Signed  Up": "lead"}, []),
    ],
)
def test_two_keys_for_one_name(events: dict[str, Any], sentences: list[str]) -> None:
    """Both count, which few expect."""
    assert advice_of(events=events) == sentences


@pytest.mark.parametrize(
    ("convertro", "missing"),
    [
        ({"client_name": "acme"}, "convertro.site_id and convertro.domain are missing"),
        ({"domain": "x"}, "convertro.client_name and convertro.site_id are missing"),
        ({"client_name": "acme", "site_id": "1"}, "convertro.domain is missing"),
        ({"site_id": "1", "domain": "x"}, "convertro.client_name is missing"),
    ],
)
def test_cloud_settings_half_filled_in(convertro: dict[str, Any], missing: str) -> None:
    """Every message from an app or a server would be skipped."""
    (sentence,) = advice_of(convertro)
    assert sentence.startswith(f"{missing}: until then every message")
    assert "cloud_settings_missing" in sentence


@pytest.mark.parametrize(
    ("convertro", "mapping", "told"),
    [
        ({}, {"mode": "web"}, "is never used: orders are sent as sale, sale.new or sale.repeat."),
        ({}, {"mode": "auto"}, "is never used: web orders are sent as sale"),
        (
            CLOUD,
            {"mode": "auto"},
            "is used for cloud orders only: they are sent as 'purchase'",
        ),
        (CLOUD, {"cloud_orders": "sale"}, 'is never used: with cloud_orders = "sale" all orders'),
        (CLOUD, {"mode": "cloud", "cloud_orders": "sale"}, "is never used: with cloud_orders"),
    ],
)
@pytest.mark.parametrize("name", ["Order Completed", "completed_order"])
def test_an_order_name_among_the_keys(
    convertro: dict[str, Any], mapping: dict[str, Any], told: str, name: str
) -> None:
    """Web orders never pass through [events]; cloud orders do, under their names."""
    (sentence,) = advice_of(convertro, mapping=mapping, events={name: "purchase"})
    assert sentence.startswith(f"[events] '{name}' {told}")


@pytest.mark.parametrize(
    ("mode", "told"), [("cloud", "is never used"), ("auto", "is used for web messages only")]
)
def test_an_install_name_among_the_keys(mode: str, told: str) -> None:
    """Apps' installs have a call of their own."""
    events = {"Application Installed": "install"}
    (sentence,) = advice_of(CLOUD, mapping={"mode": mode}, events=events)
    assert sentence.startswith(f"[events] 'Application Installed' {told}")


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"convertro": {"account": " acme"}}, "convertro.account = ' acme' has spaces around it"),
        ({"convertro": {"site_id": "1 "}}, "convertro.site_id = '1 ' has spaces around it"),
        ({"events": {" Signed Up": "x"}}, "[events] ' Signed Up' has spaces around it: only names"),
        ({"events": {"Signed Up": ["x", "y "]}}, "[events] 'y ' has spaces around it, and"),
    ],
)
def test_spaces_around_names(tables: dict[str, Any], told: str) -> None:
    """They are kept and sent, which nobody wants."""
    (sentence,) = advice_of(**tables)
    assert sentence.startswith(told)


@pytest.mark.parametrize(
    ("trait", "params", "told"),
    [
        ("id", {}, "a parameter has that name"),
        ("ts", {}, "a parameter has that name"),
        ("when", {"ts": "when"}, "a parameter has that name"),
        ("first name", {}, "must be of letters a-z, digits and underscores"),
        ("größe", {}, "must be of letters a-z, digits and underscores"),
    ],
)
def test_traits_that_are_never_sent(trait: str, params: dict[str, Any], told: str) -> None:
    """A request cannot carry them."""
    (sentence,) = advice_of(mapping={"traits": ["plan", trait]}, wire={"params": params})
    assert sentence.startswith(f"mapping.traits: '{trait}' is never sent: ")
    assert told in sentence


@pytest.mark.parametrize(
    ("convertro", "mapping", "key"),
    [
        ({}, {"mode": "web", "cloud_orders": "sale"}, "mapping.cloud_orders"),
        (CLOUD, {"mode": "cloud", "require_order_id": False}, "mapping.require_order_id"),
        (CLOUD, {"mode": "cloud", "visitor_id": ["userId"]}, "mapping.visitor_id"),
        (CLOUD, {"mode": "cloud", "traits": "none"}, "mapping.traits"),
        (
            CLOUD | {"hybrid_attribution_model": True},
            {"mode": "cloud"},
            "convertro.hybrid_attribution_model",
        ),
    ],
)
def test_settings_without_effect(
    convertro: dict[str, Any], mapping: dict[str, Any], key: str
) -> None:
    """What the mode leaves no use for is not what was meant."""
    (sentence,) = advice_of(convertro, mapping=mapping)
    assert sentence.startswith(f"{key} has no effect: ")


def test_the_hybrid_model_where_cloud_orders_keep_their_names() -> None:
    """It adds a sale to sale.new and sale.repeat, and such orders are neither."""
    for cloud in ({}, CLOUD):
        (sentence,) = advice_of({"hybrid_attribution_model": True} | cloud)
        assert sentence.startswith(
            "convertro.hybrid_attribution_model has no effect on orders from apps and servers: "
        )


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"consent": {"without": "skip"}}, "consent.without has no effect: without consent.cat"),
        ({"consent": {"empty": "send"}}, "consent.empty has no effect: without consent.cat"),
        (
            {"consent": {"categories": ["A", "B", "A"]}},
            "consent.categories: 'A' is there more than once.",
        ),
        ({"privacy": {"suppressed": ["a", "a"]}}, "privacy.suppressed: 'a' is there more"),
        ({"schema": {"disabled_events": ["A", "A"]}}, "schema.disabled_events: 'A' is there more"),
        (
            {"schema": {"disabled_events": [" Test Event"]}},
            "schema.disabled_events: ' Test Event' has spaces around it: only an event whose",
        ),
        ({"consent": {"categories": ["A "]}}, "consent.categories: 'A ' has spaces around it"),
    ],
)
def test_gates_that_do_not_do_what_was_meant(tables: dict[str, Any], told: str) -> None:
    """Names are compared exactly, and consent is asked for by category only."""
    (sentence,) = advice_of(**tables)
    assert sentence.startswith(told)


@pytest.mark.parametrize(
    ("days", "others", "told"),
    [
        (0, 0, []),
        (29.9, 0, []),
        (30.1, 0, ["was last changed 30 days ago"]),
        (400, 0, ["was last changed 400 days ago"]),
        (-1, 2, ["has other subjects than user ids (2): "]),
        (31, 1, ["was last changed 31 days ago", "(1)"]),
    ],
)
def test_suppression_lists(days: float, others: int, told: list[str]) -> None:
    """One that is older than 30 days misses who objected since."""
    now = 1_800_000_000.0
    file = ListFile(Path("ids.txt"), ids=5, others=others, modified=now - days * 86400)
    sentences = advise_on_lists([file], now)
    assert len(sentences) == len(told)
    for sentence, part in zip(sentences, told, strict=True):
        assert part in sentence
        assert sentence.startswith("the suppression list ids.txt ")


def test_the_host_of_another_account() -> None:
    """Every call would go to somebody else's host."""
    (sentence,) = advice_of(wire={"base_url": "https://other.sp1.convertro.com"})
    assert sentence == "wire.base_url is the host of 'other'; the account is 'acme'."
